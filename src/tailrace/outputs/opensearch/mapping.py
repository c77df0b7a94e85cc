"""Which type each field of the documents has in the index, and whether an existing index fits.

Text is matched whole (``keyword``), not by words; numbers keep their width. Fields whose names are
known only from rows (labels, measures, ...) get theirs by rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import pyarrow as pa

from tailrace.errors import OutputError
from tailrace.outputs.batches import Content
from tailrace.outputs.shapes import Shape

Types = dict[str, str]
"""By a field's path, with dots: its type in the index."""

TIME = "@timestamp"

LONGEST_INDEXED = 8191
"""Characters of a text that is found by its value; Lucene takes 32766 bytes."""

_WINDOW = {"window.start": "date", "window.end": "date"}
_INCIDENT = {
    "id": "keyword",
    "fingerprint": "keyword",
    "revision": "long",
    "state": "keyword",
    "reason": "keyword",
    "pipeline": "keyword",
    "rule": "keyword",
    "started_at": "date",
    "opened_at": "date",
    "last_firing_at": "date",
    "resolved_at": "date",
    "notices": "keyword",
    "flags": "keyword",
    **_WINDOW,
}
_NOTICE = {
    **dict.fromkeys(("id", "state", "pipeline", "rule"), "keyword"),
    **_WINDOW,
}
_VERDICT = {
    **dict.fromkeys(("id", "verdict", "pipeline", "state", "comment"), "keyword"),
    **dict.fromkeys(("at", "since", "until", "first_seen", "last_seen"), "date"),
    **dict.fromkeys(("count", "listings", "number"), "long"),
    "live": "boolean",
}
_EVENT = {
    **dict.fromkeys(("id", "rule", "pipeline", "state", "partition"), "keyword"),
    "time": "date",
    "position": "long",
}
_DEAD_LETTER = {
    **dict.fromkeys(("id", "pipeline", "partition", "code", "field", "reason"), "keyword"),
    "generation": "long",
    "position": "long",
    "raw": "keyword",
}
_FIXED = {
    Content.INCIDENTS: _INCIDENT,
    Content.NOTICES: _NOTICE,
    Content.VERDICTS: _VERDICT,
    Content.EVENTS: _EVENT,
    Content.DEAD_LETTERS: _DEAD_LETTER,
}

_FITS = {
    "keyword": {"keyword", "text", "wildcard", "constant_keyword", "match_only_text", "ip"},
    "long": {"long", "unsigned_long", "integer", "short", "byte", "double"},
    "double": {"double", "float", "half_float", "scaled_float"},
    "boolean": {"boolean", "keyword"},
    "date": {"date", "date_nanos"},
}
"""Types of an existing index in which values of a type are still what they are."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that the index has with another type, or not at all (``found`` is None)."""

    field: str
    expected: str
    found: str | None

    def __str__(self) -> str:
        """For people."""
        if self.found is None:
            return f"{self.field} is missing ({self.expected})"
        return f"{self.field} is {self.found}, not {self.expected}"


def field_types(shapes: Iterable[Shape]) -> Types:
    """The types of all fields that are known before there are rows.

    OutputError if rows of two kinds have one field with types of which none takes both.
    """
    types: Types = {TIME: "date"}
    for shape in shapes:
        own = {**_FIXED.get(shape.content, {})}
        if shape.content is Content.WINDOWS:
            own |= _WINDOW
        for name, kind in {**shape.keys, **shape.values}.items():
            if name != TIME and not pa.types.is_null(kind):
                own[name] = _type_of(kind)
        for name, type_ in own.items():
            types[name] = _of_both(name, types.get(name, type_), type_, shape)
    return types


def _of_both(field: str, before: str, type_: str, shape: Shape) -> str:
    if before != type_ and {before, type_} != {"long", "double"}:
        raise OutputError(
            f"the field {field!r} is {type_} in rows of {shape.rule or shape.content.value}, and"
            f" {before} in others that go to the same index",
            hint="give them outputs with indices of their own",
        )
    return type_ if before == type_ else "double"


def mapping(types: Types) -> dict[str, object]:
    """The mapping of an index with these fields."""
    return {
        "date_detection": False,
        "dynamic_templates": _rules(),
        "properties": _properties(types),
    }


def types_of(mapping: Mapping[str, object]) -> Types:
    """The types of an index's mapping, as ``field_types`` has them."""
    return dict(_flat(mapping.get("properties"), ""))


def differences(expected: Types, found: Types) -> list[Difference]:
    """Fields that can't be what they should in an index with the types ``found``."""
    return [
        Difference(field, type_, found.get(field))
        for field, type_ in expected.items()
        if found.get(field) not in _FITS[type_]
    ]


def _type_of(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "date"
    if pa.types.is_floating(kind):
        return "double"
    if pa.types.is_integer(kind):
        return "long"
    return "boolean" if pa.types.is_boolean(kind) else "keyword"


def _property(type_: str) -> dict[str, object]:
    """How a field of a type is declared."""
    if type_ == "keyword":
        return {"type": type_, "ignore_above": LONGEST_INDEXED}
    return {"type": type_}


def _properties(types: Types) -> dict[str, object]:
    """Nested as a mapping is: ``window.start`` is ``start`` among the properties of ``window``."""
    top: dict[str, object] = {}
    for path, type_ in types.items():
        *parents, name = path.split(".")
        level = top
        for parent in parents:
            inner = cast("dict[str, object]", level.setdefault(parent, {"properties": {}}))
            level = cast("dict[str, object]", inner.setdefault("properties", {}))
        level[name] = _property(type_)
    return top


def _rules() -> list[dict[str, object]]:
    """Types of fields that nobody knows yet. One name has one type, whichever rule has it."""

    def rule(name: str, type_: str, **match: str) -> dict[str, object]:
        return {name: {**match, "mapping": _property(type_)}}

    return [
        rule("keys", "keyword", path_match="key.*"),
        rule("labels", "keyword", path_match="labels.*"),
        rule("annotations", "text", path_match="annotations.*"),
        rule("measures", "double", path_match="measures.*", match_mapping_type="long"),
        rule("doubles", "double", match_mapping_type="double"),
        rule("texts", "keyword", match_mapping_type="string"),
    ]


def _flat(properties: object, before: str) -> Iterator[tuple[str, str]]:
    if not isinstance(properties, Mapping):
        return
    for name, found in properties.items():
        if isinstance(found, Mapping):
            inner = found.get("properties")
            if inner is not None:
                yield from _flat(inner, f"{before}{name}.")
            else:
                yield f"{before}{name}", str(found.get("type", "object"))
