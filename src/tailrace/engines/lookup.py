"""Is a key listed, since when, why, until when: answered from the store's table ``verdicts``.

The table has one row a key, its last change; what is asked for is compared with the values as they
are told, as text, and never becomes a part of a pattern.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

Json = dict[str, object]

MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """The last change of a key, as outputs got it (``docs/verdicts.md``)."""

    body: Json

    @property
    def list(self) -> str:
        """The list's name."""
        return str(self.body["verdict"])

    @property
    def listed(self) -> bool:
        """Whether the key is on the list by event time, as far as that has come."""
        return self.body["live"] is True

    @property
    def key(self) -> Json:
        """The key's fields."""
        return cast("Json", self.body["key"])


def statement(texts: Sequence[str], name: str | None = None) -> str:
    """SQL for the rows that may be of the key; ``matching`` says which are."""
    parts = []
    for text in texts:
        # A value stands in the column as JSON has it.
        inner = {
            json.dumps(value, ensure_ascii=ascii_)[1:-1]
            for value in _values(text)
            for ascii_ in (True, False)
        }
        parts.append(" or ".join(f"contains(key, {_quoted(one)})" for one in sorted(inner)))
    where = " and ".join(f"({part})" for part in parts)
    if name is not None:
        where += f" and verdict = {_quoted(name)}"
    return f"select body from verdicts where {where} order by verdict, key"


def listed_statement(name: str | None = None) -> str:
    """SQL for all rows of keys that are listed, or that somebody allowed."""
    only = "" if name is None else f" and verdict = {_quoted(name)}"
    return (
        f"select body from verdicts where (live or state = 'allowed'){only} order by verdict, key"
    )


def entries(bodies: Iterable[str]) -> Iterator[Entry]:
    """The rows of either statement."""
    return (Entry(json.loads(body)) for body in bodies)


def matching(found: Iterable[Entry], texts: Sequence[str]) -> list[Entry]:
    """Those whose key is meant: by its one value, or by ``field=value`` for each field."""
    return [entry for entry in found if _meant(entry.key, texts)]


def _meant(key: Json, texts: Sequence[str]) -> bool:
    told = {name: _told(value) for name, value in key.items()}
    if len(texts) == 1 and list(told.values()) == [texts[0]]:
        return True
    fields = [text.partition("=") for text in texts]
    return len(fields) == len(told) and all(
        equals and told.get(name) == value for name, equals, value in fields
    )


def _values(text: str) -> tuple[str, ...]:
    _, equals, value = text.partition("=")
    return (text, value) if equals else (text,)


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
