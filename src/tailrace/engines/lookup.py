"""Is a key listed, since when, why, until when: answered from the store's table ``verdicts``.

The table has one row a key, its last change; what is asked for is compared with the values as they
are told, as text, and never becomes a part of a pattern.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

from tailrace.outputs.rows import dumps

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


def statement(
    texts: Sequence[str], lists: Mapping[str, Sequence[str]], name: str | None = None
) -> str:
    """SQL for the rows of the key; ``lists``: the fields of each list's key.

    Whether ``7`` is a number or a text is for the list to say: both are asked for.
    """
    wanted = {one: fields for one, fields in lists.items() if name is None or one == name}
    parts = [
        f"verdict = {_quoted(one)} and key in ({', '.join(map(_quoted, keys))})"
        for one, fields in wanted.items()
        if (keys := _keys(texts, fields))
    ]
    return f"select body from verdicts where {' or '.join(parts) or 'false'} order by verdict, key"


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


def _keys(texts: Sequence[str], fields: Sequence[str]) -> list[str]:
    """The texts, as the column has them, of all keys that may be meant."""
    found = [{fields[0]: texts[0]}] if len(texts) == len(fields) == 1 else []
    named = {field: value for field, equals, value in (t.partition("=") for t in texts) if equals}
    if len(texts) == len(fields) and set(named) == set(fields):
        found.append(named)
    return [
        dumps(dict(zip(fields, values, strict=True)))
        for one in found
        for values in product(*(_forms(one[field]) for field in fields))
    ]


def _forms(text: str) -> list[object]:
    """What a value may be that is told as this text."""
    try:
        value = json.loads(text)
    except ValueError:
        return [text]
    plain = not isinstance(value, (str, list, dict)) and json.dumps(value) == text
    return [text, value] if plain else [text]


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
