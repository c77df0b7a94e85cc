"""A rule's ``by``: a field, an expression, a list of them, or a mapping from names to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from tailrace.config.complaints import Complaint, Path, expected, refusals
from tailrace.config.kinds import Kind
from tailrace.config.values import described, shown

RESERVED = frozenset({"window", "start", "end", "rule", "pipeline"})
"""Names that every row or template has already."""

Key = str | tuple[str | Mapping[str, str], ...] | Mapping[str, str]
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of a key: its expression, and the path of that text within the rule.

    ``name`` is None for an expression that was given without one.
    """

    name: str | None
    text: str
    path: Path


def key_parts(by: object) -> tuple[KeyPart, ...]:
    """Return the parts of a ``by`` in order; what is no text is left out."""
    return tuple(_parts(by, ("by",)))


def _parts(by: object, path: Path) -> Iterator[KeyPart]:
    match by:
        case str():
            text = by.strip()
            yield KeyPart(text if _NAME.fullmatch(text) else None, by, path)
        case Mapping():
            for name, text in by.items():
                if isinstance(text, str):
                    yield KeyPart(str(name), text, (*path, str(name)))
        case list() | tuple() if len(path) == 1:
            for index, item in enumerate(by):
                yield from _parts(item, (*path, index))
        case _:
            pass


def _key(value: object) -> Key:
    wrong = list(_complaints(value, ()))
    if wrong:
        raise refusals(wrong)
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, list | tuple):
        raise expected("a field, an expression, a list or a mapping of them", value)
    return tuple(dict(item) if isinstance(item, Mapping) else item for item in value)


def _complaints(value: object, path: Path) -> Iterator[Complaint]:
    match value:
        case str() if value.strip():
            pass
        case Mapping() if value:
            for name, text in value.items():
                if not isinstance(name, str) or _NAME.fullmatch(name) is None:
                    hint = "a name has letters, digits and '_', and begins with a letter or '_'"
                    message = f"{shown(str(name))} is not a name"
                    yield Complaint((*path, str(name)), message, hint, at_key=True)
                elif not isinstance(text, str) or not text.strip():
                    message = f"expected an expression, found {described(text)}"
                    yield Complaint((*path, name), message)
        case list() | tuple() if value and not path:
            for index, item in enumerate(value):
                yield from _complaints(item, (index,))
        case _:
            what = "expected a field, an expression, a list or a mapping of them"
            empty = isinstance(value, list | tuple | Mapping) and not value
            found = f"an empty {'mapping' if isinstance(value, Mapping) else 'list'}"
            yield Complaint(path, f"{what}, found {found if empty else described(value)}")


def _plain(value: Key) -> object:
    return list(value) if isinstance(value, tuple) else value


_NAMED = {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}

By = Annotated[
    Key,
    PlainValidator(_key),
    PlainSerializer(_plain),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"anyOf": [{"type": "string"}, _NAMED]}, "minItems": 1},
                _NAMED,
            ]
        }
    ),
    Kind("expression, list or mapping"),
]
"""A key as given; `key_parts` gives its parts."""
