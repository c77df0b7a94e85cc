r"""Reading a test file into cases.

A file is lines. A line that begins at column 1 is a verb with its words; indented lines below it
are its block. `#` begins a comment (in a raw row it doesn't). The verbs:

    pipeline [PATH]          the pipeline: a file, or the indented YAML below
    set KEY=VALUE            overrides a value of the pipeline, as on the command line
    start TIME               what 0s means (1970-01-01T00:00:00Z)
    salt TEXT                the salt of bounded rules
    case NAME                begins a case; verbs before the first case hold for all of them
    also shuffled spread     transformations that change nothing of what is expected
    rows PARTITION           records, one a line (see below)
    appear PARTITION         the partition exists from here on; without this, from the beginning
    idle PARTITION           the partition is found idle
    return PARTITION         it is live again
    clock DURATION           time passes while all partitions are idle
    reference NAME           the reference is loaded, with these rows: name=value, one row a line
    ban LIST KEY [for TIME]  a person bans a key of a list of verdicts; likewise `allow`, and `undo`
    reload                   the YAML below replaces whole top-level entries of the pipeline
    end                      the input was bounded, and ends
    expect ...               see `expectations`

A row is a time and values, `12.5s client_ip=10.0.0.1 status=404`; a time is relative to `start`, to
the row before (`+1s`), or ISO 8601. `x10 every 100ms` repeats it; `{i}` in a value is then the
number of the repetition, from 0. Bare numbers, `true`, `false` and `null` are what JSON makes of
them, everything else is text; `"..."` is always text. `| ...` is a record as it is, `|` a blank
one, `|"..."` one with JSON's escapes plus `\xNN` for single bytes. `@arrival=TIME` is the time at
which the record arrived; before a raw one it stands in front: `@arrival=5s | ...`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from tailrace.errors import Problem, TailraceError, Where
from tailrace.testing import rows
from tailrace.testing.case import (
    Also,
    Appear,
    Case,
    CaseFileError,
    Clock,
    End,
    Expectation,
    Idle,
    Manual,
    Reload,
    Return,
    Rows,
    Step,
    TableRows,
)
from tailrace.testing.expectations import expectation
from tailrace.testing.order import check_order
from tailrace.testing.tokens import Token, Unreadable, duration, instant, tokens

VERBS = (
    *("pipeline", "set", "start", "salt", "case", "also"),
    *("rows", "appear", "idle", "return", "clock", "reload", "reference", "end", "expect"),
    *("ban", "allow", "undo"),
)

RAW = ("case", "set", "salt")
"""Verbs that take the rest of their line as it is."""

_LIFE: dict[str, type[Appear | Idle | Return]] = {
    "appear": Appear,
    "idle": Idle,
    "return": Return,
}


@dataclass(frozen=True, slots=True)
class Section:
    """A verb at column 1, the words behind it, and the numbered lines of its block."""

    where: Where
    verb: str
    words: tuple[Token, ...]
    block: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class _Head:
    """What verbs before or at the beginning of a case have set so far."""

    name: str = ""
    where: Where | None = None
    pipeline_text: str | None = None
    pipeline_file: str = ""
    sets: tuple[str, ...] = ()
    start: int = 0
    salt: str = ""
    also: frozenset[Also] = frozenset()


def load(path: Path) -> tuple[Case, ...]:
    """Read a test file; raises CaseFileError if it is missing or wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseFileError(f"can't read the test file: {error}", where=Where(str(path))) from error
    return loads(text, str(path))


def loads(text: str, file: str = "<text>") -> tuple[Case, ...]:
    """Read the text of a test file; raises CaseFileError with every problem found.

    `pipeline PATH` is looked up beside `file`.
    """
    return _Reader(file).read(text)


def _manual(section: Section) -> Manual:
    """`ban LIST KEY... [for DURATION]`."""
    words = [word.text for word in section.words]
    lasts = None
    if "for" in words[2:]:
        place = words.index("for", 2)
        lasts = duration(words[place + 1]) if place + 2 == len(words) else None
        if lasts is None:
            raise Unreadable("a duration is missing after 'for'", section.words[place].column)
        words = words[:place]
    if len(words) < 2:
        raise Unreadable(f"expected: {section.verb} LIST KEY [for DURATION]", 1)
    return Manual(section.where, section.verb, words[0], tuple(words[1:]), lasts)


class _Reader:
    """Collects problems instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.common = _Head()
        self.head = _Head()
        self.steps: list[Step] = []
        self.expectations: list[Expectation] = []
        self.cases: list[Case] = []

    def read(self, text: str) -> tuple[Case, ...]:
        for section in self._sections(text):
            try:
                self._take(section)
            except Unreadable as error:
                self._problem(section.where, error)
            except TailraceError as error:
                self.problems.extend(error.problems)
        self._finish()
        if not self.cases and not self.problems:
            self.problems.append(Problem("there is no case in this file", Where(self.file)))
        if self.problems:
            ordered = sorted(self.problems, key=lambda one: one.where.line or 0 if one.where else 0)
            raise CaseFileError(problems=tuple(ordered))
        return tuple(self.cases)

    def _problem(self, where: Where, error: Unreadable) -> None:
        place = Where(self.file, where.line, error.column)
        self.problems.append(Problem(error.message, place, error.hint))

    def _sections(self, text: str) -> list[Section]:
        """Cut the file at the lines that begin at column 1."""
        found: list[tuple[int, str, list[tuple[int, str]]]] = []
        for number, line in enumerate(text.split("\n"), 1):
            line = line.rstrip("\r")  # noqa: PLW2901
            if line.startswith((" ", "\t")) and line.strip():
                if found:
                    found[-1][2].append((number, line))
                else:
                    place = Where(self.file, number, 1)
                    self.problems.append(Problem("an indented line belongs to no verb", place))
            elif line.strip() and not line.startswith("#"):
                found.append((number, line, []))
        sections = []
        for number, line, block in found:
            where = Where(self.file, number, 1)
            verb = line.split(maxsplit=1)[0]
            try:
                words = [_rest(line, verb)] if verb in RAW else _words(line)
            except Unreadable as error:
                self._problem(where, error)
                continue
            sections.append(Section(where, verb, tuple(words), tuple(block)))
        return sections

    def _take(self, section: Section) -> None:
        if section.verb not in VERBS:
            message = f"{section.verb!r} is no verb of a test file"
            raise Unreadable(message, 1, hint="the verbs are: " + " ".join(VERBS))
        if (
            section.verb not in {"pipeline", "rows", "reload", "reference", "expect"}
            and section.block
        ):
            raise Unreadable(f"{section.verb!r} has no indented lines", 1)
        if section.verb == "case":
            self._finish()
            name = _only_word(section, "a name")
            self.head = replace(self.common, name=name, where=section.where)
        elif section.verb in {"pipeline", "set", "start", "salt", "also"}:
            self._set(section)
        elif self.head.where is None:
            raise Unreadable(f"{section.verb!r} stands before the first case", 1)
        elif section.verb == "expect":
            base = self.head.start
            self.expectations.append(expectation(section.where, section.words, section.block, base))
        else:
            self.steps.append(self._step(section))

    def _set(self, section: Section) -> None:
        """Take a verb of the head: for the case at hand, or for all of them."""
        if self.steps or self.expectations:
            raise Unreadable(f"{section.verb!r} stands before the rows of a case", 1)
        head = self.head if self.head.where else self.common
        changed = self._changed(head, section)
        self.head = changed
        if not changed.where:
            self.common = changed

    def _changed(self, head: _Head, section: Section) -> _Head:
        match section.verb:
            case "pipeline":
                text, file = self._pipeline(section)
                return replace(head, pipeline_text=text, pipeline_file=file)
            case "set":
                setting = _only_word(section, "KEY=VALUE")
                if not re.match(r"\S+=", setting):
                    hint = "set time.grace=0s"
                    raise Unreadable(f"{setting} is not of the form KEY=VALUE", 5, hint)
                return replace(head, sets=(*head.sets, setting))
            case "start":
                word = _word(section, "a time")
                start = instant(word.text, 0)
                if start is None:
                    raise Unreadable(f"{word.text} is not a time", word.column)
                return replace(head, start=start)
            case "salt":
                return replace(head, salt=_only_word(section, "a text"))
            case _:
                try:
                    also = frozenset(Also(word.text) for word in section.words)
                except ValueError as error:
                    known = " ".join(Also)
                    raise Unreadable(str(error), 1, hint=f"known are: {known}") from error
                return replace(head, also=also)

    def _pipeline(self, section: Section) -> tuple[str, str]:
        """Text and file name of a pipeline, the text's lines numbered as in the file."""
        if section.block and section.words:
            raise Unreadable("either a path or an indented pipeline, not both", 1)
        if section.block:
            return numbered(section.block), self.file
        path = Path(self.file).parent / _only_word(section, "a path, or an indented pipeline")
        try:
            return path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise Unreadable(
                f"can't read the pipeline: {error}", section.words[0].column
            ) from error

    def _step(self, section: Section) -> Step:  # noqa: PLR0911 - one case a verb
        where = section.where
        match section.verb:
            case "rows":
                partition = _only_word(section, "a partition")
                return Rows(where, partition, rows.rows(self.file, section.block, self.head.start))
            case "appear" | "idle" | "return" as verb:
                return _LIFE[verb](where, _only_word(section, "a partition"))
            case "clock":
                word = _word(section, "a duration")
                micros = duration(word.text.removeprefix("+"))
                if micros is None or micros < 0:
                    raise Unreadable(f"{word.text} is not a duration", word.column)
                return Clock(where, micros)
            case "ban" | "allow" | "undo":
                return _manual(section)
            case "reload":
                return Reload(where, self._reloaded(section))
            case "reference":
                name = _only_word(section, "the name of a reference")
                return TableRows(where, name, rows.table(self.file, section.block))
            case _:
                if section.words:
                    raise Unreadable("'end' takes no words", section.words[0].column)
                return End(where)

    def _reloaded(self, section: Section) -> str:
        """The pipeline's text with whole top-level entries replaced by those of the block."""
        before = self.head.pipeline_text or ""
        for step in self.steps:
            before = step.pipeline_text if isinstance(step, Reload) else before
        try:
            entries = yaml.safe_load(numbered(section.block))
            pipeline = yaml.safe_load(before)
        except yaml.YAMLError as error:
            raise Unreadable(f"not YAML: {error}", 1) from error
        if not isinstance(entries, dict) or not isinstance(pipeline, dict):
            raise Unreadable("expected indented YAML with entries of the pipeline", 1)
        text: str = yaml.safe_dump(pipeline | entries, sort_keys=False, allow_unicode=True)
        return text

    def _finish(self) -> None:
        """Make a case of what was collected."""
        head, steps, expectations = self.head, tuple(self.steps), tuple(self.expectations)
        self.head, self.steps, self.expectations = self.common, [], []
        if head.where is None:
            return
        if head.pipeline_text is None:
            message = f"the case {head.name!r} has no pipeline"
            self.problems.append(Problem(message, head.where, "give one by 'pipeline'"))
            return
        if any(case.name == head.name for case in self.cases):
            self.problems.append(Problem(f"a second case {head.name!r}", head.where))
        case = Case(
            name=head.name,
            where=head.where,
            pipeline_text=head.pipeline_text,
            pipeline_file=head.pipeline_file,
            sets=head.sets,
            start=head.start,
            salt=head.salt,
            also=head.also,
            steps=steps,
            expectations=expectations,
        )
        self.problems.extend(check_order(case))
        self.cases.append(case)


def numbered(block: tuple[tuple[int, str], ...]) -> str:
    """Text of indented lines, each on the line that it has in its file."""
    lines: list[str] = []
    for number, line in block:
        lines.extend("" for _ in range(number - 1 - len(lines)))
        lines.append(line)
    return "\n".join(lines) + "\n"


def _words(line: str) -> list[Token]:
    """The words behind the verb, without a comment."""
    return [token for token in tokens(line) if token.kind != "comment"][1:]


def _rest(line: str, verb: str) -> Token:
    """All text behind the verb, without a comment, as one word."""
    text = re.split(r"\s#", line, maxsplit=1)[0]
    return Token("word", text[len(verb) :].strip(), len(verb) + 2)


def _word(section: Section, what: str) -> Token:
    if len(section.words) != 1 or section.words[0].kind != "word" or not section.words[0].text:
        raise Unreadable(f"{section.verb!r} needs {what}", 1)
    return section.words[0]


def _only_word(section: Section, what: str) -> str:
    return _word(section, what).text
