"""A request's body as it is written in the pipeline file: a value whose texts are templates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from tailrace.config.complaints import Complaint, Path, expected, refusals
from tailrace.config.kinds import Kind
from tailrace.config.values import described

_NAMES = re.compile(r"\{\{|\}\}|\{[^{}]+\}")
"""What of a template isn't plain text; as ``plan.templates`` reads it."""


def _body(value: object) -> object:
    if not isinstance(value, str | list | tuple | Mapping) or not value:
        raise expected("a text, a mapping or a list", value)
    wrong = list(_wrong(value, ()))
    if wrong:
        raise refusals(wrong)
    return value


def _wrong(value: object, path: Path) -> Iterator[Complaint]:
    match value:
        case None | str():
            if isinstance(value, str) and "\0" in value:
                yield Complaint(path, "a text can't contain the character NUL")
        case Mapping():
            for name, item in value.items():
                yield from _wrong(item, (*path, str(name)))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _wrong(item, (*path, index))
        case _:
            yield Complaint(path, f"expected text, found {described(value)}")


Body = Annotated[
    object,
    PlainValidator(_body),
    PlainSerializer(lambda value: value),
    WithJsonSchema({"type": ["string", "array", "object"]}),
    Kind("text, mapping or list"),
]
"""Text, or mappings and lists of texts (and null)."""


def leaves(body: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text of a body with the path to it; keys are no templates."""
    match body:
        case str():
            yield path, body
        case Mapping():
            for name, item in body.items():
                yield from leaves(item, (*path, str(name)))
        case list() | tuple():
            for index, item in enumerate(body):
                yield from leaves(item, (*path, index))


def template_of(body: object) -> str:
    """Return one template for the whole body: a text as it is, anything else as JSON."""
    return body if isinstance(body, str) else _json(body)


def _json(value: object) -> str:
    match value:
        case str():
            return f'"{_escaped(value)}"'
        case Mapping():
            pairs = (f"{_constant(str(name))}:{_json(item)}" for name, item in value.items())
            return "{{" + ",".join(pairs) + "}}"
        case list() | tuple():
            return "[" + ",".join(map(_json, value)) + "]"
        case _:
            return "null"


def _constant(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("{", "{{").replace("}", "}}")


def _escaped(template: str) -> str:
    """A template within a string of JSON: its text is escaped, its names stay."""
    parts = []
    end = 0
    for found in _NAMES.finditer(template):
        parts += [json.dumps(template[end : found.start()], ensure_ascii=False)[1:-1], found[0]]
        end = found.end()
    parts.append(json.dumps(template[end:], ensure_ascii=False)[1:-1])
    return "".join(parts)
