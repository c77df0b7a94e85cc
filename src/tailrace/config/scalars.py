"""The types of single values: texts, names, numbers, durations, sizes, zones.

Each takes what YAML gives (text) and what Python gives, and has a JSON schema for editors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from tailrace.config.complaints import expected, refusal
from tailrace.config.kinds import Kind
from tailrace.config.suggestions import suggestion
from tailrace.config.units import (
    DURATION_PATTERN,
    SIZE_PATTERN,
    Duration,
    parse_size,
    render_duration,
    render_size,
)
from tailrace.config.values import shown

JsonSchema = dict[str, object]
PLACEHOLDER: JsonSchema = {"type": "string", "pattern": r"\$\{", "title": "from the environment"}
"""A value that is filled in from the environment has no type yet when an editor sees it."""


def _printable(text: str) -> str:
    if "\0" in text:
        raise refusal("a text can't contain the character NUL")
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise refusal("expected text, found empty text")
    return text


def _named(pattern: str, allowed: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise refusal(f"{shown(text)} is not a name", f"a name has {allowed}")
        return text

    return check


def _name_schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": [example]})


_PIPELINE = "[A-Za-z0-9_-]+"
_RULE = "[A-Za-z_][A-Za-z0-9_-]*"
_FIELD = "[A-Za-z_][A-Za-z0-9_]*"

Text = Annotated[str, AfterValidator(_printable), Kind("text")]
Filled = Annotated[Text, AfterValidator(_not_empty)]
"""Text that says something: a path, a pattern."""

Expression = Annotated[Filled, Kind("expression")]
"""The text of an expression; what it means is not known here."""

LabelText = Annotated[Text, WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Text that looks like something else more often than not: ``port: 80``."""

PipelineName = Annotated[
    str,
    AfterValidator(_named(_PIPELINE, "letters, digits, '_' and '-'")),
    _name_schema(_PIPELINE, "nginx"),
    Kind("name"),
]
RuleName = Annotated[
    str,
    AfterValidator(_named(_RULE, "letters, digits, '_' and '-', and begins with a letter or '_'")),
    _name_schema(_RULE, "client_flood"),
    Kind("name"),
]
FieldName = Annotated[
    str,
    AfterValidator(_named(_FIELD, "letters, digits and '_', and begins with a letter or '_'")),
    _name_schema(_FIELD, "client_ip"),
    Kind("name"),
]
_MEASURE = r'[^\x00-\x1f\x7f"{}]{1,128}'
MeasureName = Annotated[
    str,
    AfterValidator(_named(_MEASURE, "1 to 128 characters, no quote, brace or control character")),
    _name_schema(_MEASURE, "mean"),
    Kind("name"),
]
"""What a column of the output is called: other systems' names for measures are welcome."""

Flag = Annotated[
    bool,
    WithJsonSchema({"anyOf": [{"type": "boolean"}, PLACEHOLDER]}),
    Kind("`true` or `false`"),
]


def at_least(least: int) -> tuple[object, ...]:
    """Return the annotations of a whole number that is not below `least`."""

    def check(value: int) -> int:
        if value < least:
            raise refusal(f"expected at least {least}, found {value}")
        if value >= 1 << 63:
            raise refusal(f"expected a number below 2^63, found {value}")
        return value

    number: JsonSchema = {"type": "integer", "minimum": least}
    schema = WithJsonSchema({"anyOf": [number, PLACEHOLDER]})
    return BeforeValidator(_whole), AfterValidator(check), schema, Kind("whole number")


def _whole(value: object) -> object:
    if isinstance(value, bool | float):
        raise expected("a whole number", value)
    if isinstance(value, str):
        if re.fullmatch(r"[+-]?[0-9][0-9_]*", value.strip()) is None or len(value) > 30:
            raise expected("a whole number", value)
        return int(value.strip())
    return value


Count = Annotated[int, *at_least(1)]
"""How many: 1 or more."""


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise expected("a number", value)
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"[+-]?[0-9]{1,30}", text):
            return int(text)
        if re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", text) is None:
            raise expected("a number", value)
        return float(text)
    return value


def _finite(value: float) -> float:
    if value in (float("inf"), float("-inf")) or value != value:  # noqa: PLR0124 (only NaN differs from itself)
        raise refusal("expected a finite number")
    return value


Number = Annotated[
    int | float,
    BeforeValidator(_number),
    AfterValidator(_finite),
    WithJsonSchema({"anyOf": [{"type": "number"}, PLACEHOLDER]}),
    Kind("number"),
]


def _duration(value: object) -> Duration:
    match value:
        case Duration():
            return value
        case 0 if not isinstance(value, bool):
            return Duration(0)
        case int() | float() if not isinstance(value, bool):
            hint = "write text such as '5s', a timedelta, or Duration(microseconds)"
            raise refusal(f"a duration needs a unit, found the number {value!r}", hint)
        case str() | timedelta():
            try:
                return Duration(value)
            except ValueError as error:
                hint = "units: ms, s, m, h, d, w"
                if isinstance(value, str) and re.fullmatch(r"[0-9]+", value.strip()):
                    hint = f"with its unit: {value.strip()}s"
                found = f", found {shown(value)}" if isinstance(value, str) else ""
                raise refusal(f"{error}{found}", hint) from None
        case _:
            raise expected("a duration such as 20s, 5m or 1h30m", value)


def _positive(value: Duration) -> Duration:
    if value == 0:
        raise refusal("expected a duration above 0")
    return value


DURATION_SCHEMA: JsonSchema = {
    "type": "string",
    "pattern": rf"^(?=.)(0|{DURATION_PATTERN})$|\$\{{",
    "examples": ["500ms", "20s", "1h30m", "7d"],
}
"""The JSON schema of a duration."""

Span = Annotated[
    Duration,
    PlainValidator(_duration),
    PlainSerializer(render_duration, return_type=str),
    WithJsonSchema(DURATION_SCHEMA),
    Kind("duration"),
]
"""A duration in microseconds, 0 or more."""

PositiveSpan = Annotated[Span, AfterValidator(_positive)]
"""A duration in microseconds, above 0."""


def _size(value: object) -> object:
    if isinstance(value, bool | float):
        raise expected("a size such as 512KiB or 1MiB", value)
    if isinstance(value, str):
        try:
            return parse_size(value)
        except ValueError as error:
            raise refusal(
                f"{error}, found {shown(value)}", "units: kB MB GB, KiB MiB GiB"
            ) from None
    return value


def size_at_least(least: int) -> tuple[object, ...]:
    """Return the annotations of a size in bytes that is not below `least`."""

    def check(value: int) -> int:
        if value < least:
            raise refusal(f"expected at least {least} bytes, found {value}")
        return value

    number: JsonSchema = {"type": "integer", "minimum": least}
    text: JsonSchema = {
        "type": "string",
        "pattern": rf"^{SIZE_PATTERN}$|\$\{{",
        "examples": ["64KiB", "1MiB", "2GB"],
    }
    return (
        BeforeValidator(_size),
        AfterValidator(check),
        PlainSerializer(render_size, return_type=str),
        WithJsonSchema({"anyOf": [number, text]}),
        Kind("size"),
    )


def _zone(text: str) -> str:
    if text == "UTC":  # known without a time zone database, too
        return text
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        # Not found is a KeyError; the others come from names that no file can have.
        raise _no_zone(text) from None
    return text


def _no_zone(text: str) -> Exception:
    hint = suggestion(text, available_timezones(), "zones")
    if hint is None or not hint.startswith("did"):
        hint = "a name of the IANA time zone database, such as UTC or Europe/Madrid"
    return refusal(f"{shown(text)} is not a time zone", hint)


ZoneName = Annotated[
    str,
    AfterValidator(_zone),
    WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/Madrid"]}),
    Kind("time zone"),
]
