"""As much of JSON Schema as the pipeline's schema uses; a keyword unknown here is refused."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_BOUNDS: Mapping[str, Callable[[Any, Any], object]] = {
    "enum": lambda value, wanted: value in wanted,
    "type": lambda value, wanted: any(
        _is(value, name) for name in (wanted if isinstance(wanted, list) else [wanted])
    ),
    "pattern": lambda value, wanted: not isinstance(value, str) or re.search(wanted, value),
    "minimum": lambda value, wanted: not isinstance(value, int | float) or value >= wanted,
    "minItems": lambda value, wanted: not isinstance(value, list) or len(value) >= wanted,
    "minProperties": lambda value, wanted: not isinstance(value, dict) or len(value) >= wanted,
    "required": lambda value, wanted: not isinstance(value, dict) or set(wanted) <= set(value),
}
_OTHERS = {"title", "description", "default", "examples", "$defs", "$schema"} | {
    *("$ref", "anyOf", "oneOf", "items"),
    *("properties", "patternProperties", "additionalProperties"),
}


def wrong(value: Any, schema: Schema, top: Schema, at: str = "$") -> list[str]:
    """What of `value` doesn't fit the schema, as paths with keywords; nothing if all does.

    Where several alternatives fail, what is wrong with the one that came furthest.
    """
    assert set(schema) <= set(_BOUNDS) | _OTHERS
    found = [
        f"{at} {keyword}"
        for keyword, fits in _BOUNDS.items()
        if keyword in schema and not fits(value, schema[keyword])
    ]
    if "$ref" in schema:
        found += wrong(value, top["$defs"][schema["$ref"].rpartition("/")[2]], top, at)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            failed = [part for part in (wrong(value, s, top, at) for s in schema[keyword]) if part]
            if len(failed) == len(schema[keyword]):
                found += max(failed, key=lambda part: max(map(len, part)))
    for step, item, part in _inner(value, schema):
        found += wrong(item, part, top, f"{at}.{step}")
    return found


def _inner(value: Any, schema: Schema) -> Iterator[tuple[str, Any, Schema]]:
    if isinstance(value, list) and "items" in schema:
        yield from ((str(index), item, schema["items"]) for index, item in enumerate(value))
    if isinstance(value, dict):
        yield from ((key, item, _of_key(key, schema)) for key, item in value.items())


def _of_key(key: str, schema: Schema) -> Schema:
    if key in schema.get("properties", {}):
        return dict(schema["properties"][key])
    for pattern, part in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return dict(part)
    rest = schema.get("additionalProperties", True)
    return {"enum": []} if rest is False else {} if rest is True else dict(rest)


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])
