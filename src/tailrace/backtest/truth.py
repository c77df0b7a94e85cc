"""What is known to have happened: who did wrong, and from when to when.

Read from what ``tailrace generate`` writes (``--labels``, ``--truth``) and from plain tables: CSV
with a header, or a JSON object a line. Matching it with what rules found is ``scoring``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tailrace.errors import Problem, TailraceError, Where

Subject = tuple[tuple[str, str], ...]
"""Who it is about: names of key fields with their values as text, by name."""

ANY = ""
"""The name of a key whose field the truth doesn't say."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY, _FIELD, _KIND, _START, _END = "key", "field", "kind", "start", "end"
_STATE, _WITHIN = "state", "within"
_RESERVED = frozenset({_KEY, _FIELD, _KIND, _START, _END})
_HINT = (
    "a line such as key,start,end with rows below it, or JSON objects a line such as"
    ' {"client_ip": "192.0.2.7", "start": "2024-05-01T12:00:00Z", "end": "2024-05-01T12:05:00Z"}'
)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_MOST_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that rules should find: whose, of what kind, from when to when (None: unknown).

    The subject is empty where it is about all together, not about a key.
    """

    subject: Subject
    kind: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is known. ``ordinary``: those who are known to have done nothing wrong."""

    episodes: tuple[Episode, ...]
    ordinary: frozenset[Subject] = field(default_factory=frozenset)

    def named(self, name: str) -> Truth:
        """The same with keys of no named field taken as values of ``name``."""
        return Truth(
            tuple(Episode(_named(e.subject, name), e.kind, e.start, e.end) for e in self.episodes),
            frozenset(_named(subject, name) for subject in self.ordinary),
        )

    @property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """The sets of key fields that subjects have, each once."""
        subjects = (*(episode.subject for episode in self.episodes), *self.ordinary)
        return tuple(dict.fromkeys(tuple(name for name, _ in subject) for subject in subjects))


def read_truth(path: Path) -> Truth:
    """Read a file; TailraceError with every problem of its first lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TailraceError(f"--truth {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TailraceError(f"--truth {path}: not UTF-8 text") from None
    problems: list[Problem] = []
    episodes: list[Episode] = []
    ordinary: set[Subject] = set()
    for line, row in _rows(text, path, problems):
        try:
            found = _read(row)
        except ValueError as error:
            problems.append(Problem(str(error), Where(str(path), line), _HINT))
            continue
        if isinstance(found, Episode):
            episodes.append(found)
        elif found is not None:
            ordinary.add(found)
    if problems:
        raise TailraceError(problems=_told_once(problems))
    if not episodes:
        raise TailraceError(f"--truth {path}: nobody is said to have done wrong", hint=_HINT)
    guilty = {episode.subject for episode in episodes}
    return Truth(tuple(episodes), frozenset(ordinary - guilty))


def _told_once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """What is wrong with several lines, at the first of them; the hint only once."""
    alike: dict[str, list[Problem]] = {}
    for problem in problems:
        alike.setdefault(problem.message, []).append(problem)
    told: list[Problem] = []
    hints: set[str | None] = set()
    for message, found in list(alike.items())[:_MOST_PROBLEMS]:
        first, more = found[0], len(found) - 1
        also = f" (and so of {more:,} more line{'s' if more > 1 else ''})" if more else ""
        told.append(
            Problem(message + also, first.where, None if first.hint in hints else first.hint)
        )
        hints.add(first.hint)
    return tuple(told)


def _named(subject: Subject, name: str) -> Subject:
    return tuple((name if field == ANY else field, value) for field, value in subject)


def _rows(
    text: str, path: Path, problems: list[Problem]
) -> Iterator[tuple[int, Mapping[str, object]]]:
    lines = text.splitlines()
    if text.lstrip().startswith("{"):
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict):
                yield number, row
            else:
                problems.append(Problem("no JSON object", Where(str(path), number), _HINT))
        return
    yield from _csv(lines, path, problems)


def _csv(
    lines: Iterable[str], path: Path, problems: list[Problem]
) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.reader(lines)
    header: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                continue
            where = Where(str(path), reader.line_num)
            if len(cells) != len(header):
                message = f"{len(cells)} columns, the header has {len(header)}"
                problems.append(Problem(message, where))
                continue
            values = zip(header, cells, strict=True)
            yield reader.line_num, {name: cell.strip() for name, cell in values if cell.strip()}
    except csv.Error as error:
        problems.append(Problem(str(error), Where(str(path), reader.line_num)))


def _read(row: Mapping[str, object]) -> Episode | Subject | None:
    """An episode, an ordinary subject, or None for a line that sums up; ValueError in words."""
    if row.get(_KIND) == "summary":
        return None
    if _STATE in row:
        # Of windows without a key, as `generate packets` tells them.
        kind = str(row[_STATE])
        return None if kind == _WITHIN else Episode((), kind, *_times(row))
    others = [(name, value) for name, value in row.items() if name not in _RESERVED]
    verdicts = [name for name, value in others if _boolean(name, value) is not None]
    if len(verdicts) > 1:
        raise ValueError(f"{' and '.join(verdicts)} both say whether something is wrong")
    subject = _subject({n: v for n, v in row.items() if n not in verdicts})
    if verdicts and not _boolean(verdicts[0], row[verdicts[0]]):
        return subject
    return Episode(subject, str(row.get(_KIND, "") or ""), *_times(row))


def _times(row: Mapping[str, object]) -> tuple[int | None, int | None]:
    start, end = _time(row, _START), _time(row, _END)
    if start is not None and end is not None and end < start:
        raise ValueError("it ends before it starts")
    return start, end


def _boolean(name: str, value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if name.startswith("is_") and isinstance(value, str | int):
        return _BOOLEANS.get(str(value).lower())
    return None


def _subject(row: Mapping[str, object]) -> Subject:
    """Whom a line is about: ``key`` (of ``field``), or a key's field by its own name."""
    if _KEY in row:
        key = row[_KEY]
        if isinstance(key, dict):
            return _subject_of(key)
        name = row.get(_FIELD, ANY)
        if not isinstance(name, str):
            raise ValueError(f"field is {name!r}, no name of a field")
        return _subject_of({name: key})
    named = {name: value for name, value in row.items() if name not in _RESERVED}
    if len(named) != 1:
        what = "no key" if not named else f"{len(named)} columns that could be the key"
        raise ValueError(f"{what}: {', '.join(named)}" if named else what)
    return _subject_of(named)


def _subject_of(key: Mapping[str, object]) -> Subject:
    found = []
    for name, value in key.items():
        if value is None or isinstance(value, list | dict) or value == "":
            raise ValueError(f"{value!r} is no value of a key")
        found.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    if not found:
        raise ValueError("the key is empty")
    return tuple(sorted(found))


def _time(row: Mapping[str, object], name: str) -> int | None:
    """Microseconds of ISO 8601 text or epoch seconds; ValueError in words."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, bool) and isinstance(value, str | int | float):
        try:
            return int(Decimal(str(value)) * 1_000_000)
        except (InvalidOperation, OverflowError, ValueError):
            pass
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            pass
        else:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return (moment - _EPOCH) // timedelta(microseconds=1)
    raise ValueError(f"{name} is {value!r}: neither ISO 8601 nor seconds since 1970")
