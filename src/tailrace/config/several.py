"""Keys that take one text or a list of them: ``to: raw`` and ``to: [raw, tab]``."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from tailrace.config.complaints import Complaint, expected, refusals
from tailrace.config.kinds import Kind
from tailrace.config.values import described

_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
)


def _several(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        raise expected("a text or a list of texts", value)
    if not value:
        raise expected("a text or a list of texts", value, "the list is empty")
    wrong = [
        Complaint((index,), f"expected text, found {described(item)}")
        for index, item in enumerate(value)
        if not isinstance(item, str) or not item.strip() or "\0" in item
    ]
    if wrong:
        raise refusals(wrong)
    return tuple(value)


def _as_given(value: object) -> str | tuple[str, ...]:
    texts = _several(value)
    return value if isinstance(value, str) else texts


def _shortest(value: tuple[str, ...]) -> object:
    return value[0] if len(value) == 1 else list(value)


Several = Annotated[
    tuple[str, ...],
    PlainValidator(_several),
    PlainSerializer(_shortest),
    _SCHEMA,
    Kind("text or list of texts"),
]
"""One or more texts; a single one may be written without a list. Kept as a tuple."""

SeveralOrNone = Annotated[
    tuple[str, ...],
    PlainValidator(lambda value: () if value in ([], ()) else _several(value)),
    PlainSerializer(_shortest),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    Kind("text or list of texts"),
]
"""As `Several`, but may be empty."""

Paths = Annotated[
    str | tuple[str, ...],
    PlainValidator(_as_given),
    PlainSerializer(lambda value: value if isinstance(value, str) else list(value)),
    _SCHEMA,
    Kind("text or list of texts"),
]
"""One path or a list of them, kept as given."""

SourceKey = Annotated[
    str | tuple[str, ...],
    PlainValidator(_as_given),
    PlainSerializer(lambda value: value if isinstance(value, str) else list(value)),
    _SCHEMA,
    Kind("text or list of texts"),
]
"""Which value of a record is meant: a key as it is, or a list that leads into nested objects."""


def steps(key: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return a source key as the way into nested objects: ``"@timestamp"`` is one step."""
    return (key,) if isinstance(key, str) else key
