"""Decoding one JSON record, from the truth table in docs/semantics-decoding.md.

Only JSON records, wrapped or not, with times that are numbers or ISO 8601, are known here: decoding
has tests of its own.
"""

import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from tailrace.config import EventField, Json, PipelineConfig
from tailrace.config.several import steps
from tailrace.testing.outcome import Instant, Value

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,5})?", re.ASCII)
ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r" ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) + 86_400_000_000
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


BLANKS = b" \t\r\n"


class Written(str):
    """A JSON number, as it was written."""

    __slots__ = ()


class DeadError(Exception):
    """The record is a dead letter."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


@dataclass(frozen=True)
class Event:
    time: int
    values: dict[str, Value]


def decode(
    data: bytes, config: PipelineConfig, arrival: int | None, greatest: int = 0
) -> Event | None:
    """The event of a record, None if it is blank; raises DeadError.

    ``greatest``: the time of an event that has none of its own, nor an arrival.
    """
    if config.on_error == "dead_letter":
        return strictly(data, config, arrival)
    content = data.removesuffix(b"\r").removeprefix("\ufeff".encode())
    longest = config.limits.max_record_bytes
    content = data[:longest] if len(data) > longest else content
    raw = content.decode("utf-8", "backslashreplace")
    try:
        event = strictly(data, config, arrival)
    except DeadError as error:
        return odd(data, config, greatest if arrival is None else arrival, error, raw)
    return event and Event(event.time, {**event.values, "_raw": raw, "_error": None})


def odd(data: bytes, config: PipelineConfig, arrival: int, error: DeadError, raw: str) -> Event:
    """A record that can't be read: what of it can be, at its own time or its arrival."""
    found: dict[str, object] = {}
    if error.code not in {"too_long", "invalid_utf8"}:
        with suppress(DeadError):
            found = an_object(text_in(data, config))
    values: dict[str, Value] = {}
    for name, spec in config.fields.items():
        try:
            values[name] = typed(at(found, spec.source_key(name)), spec.type, name, config)
        except DeadError:
            values[name] = None
    if config.time.arrival is not None:
        told = time_of(at(found, steps(config.time.arrival)), "auto", config.time.zone)
        arrival = arrival if told is None else told
    time = arrival if error.field is None else event_time(found, config)
    return Event(time, {**values, "_raw": raw, "_error": error.code})


def strictly(data: bytes, config: PipelineConfig, arrival: int | None) -> Event | None:
    """The same, whatever becomes of dead letters."""
    if len(data) > config.limits.max_record_bytes:
        raise DeadError("too_long")
    if not data.strip(BLANKS):
        return None
    text = text_in(data, config)
    if not text.strip(" \t\r\n"):
        return None
    found = an_object(text)
    time = event_time(found, config)
    values = {}
    for name, spec in config.fields.items():
        values[name] = typed(at(found, spec.source_key(name)), spec.type, name, config)
        check(name, values[name], spec)
    if config.time.arrival is not None:
        arrival = time_of(at(found, steps(config.time.arrival)), "auto", config.time.zone)
    if arrival is not None and time > arrival + config.time.max_future_skew:
        raise DeadError("future_time")
    return Event(time, values)


def text_in(data: bytes, config: PipelineConfig) -> str:
    """The JSON text of a record, out of what is around it."""
    options = Json() if config.format == "json" else config.format
    assert isinstance(options, Json), "the oracle decodes JSON only"
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DeadError("invalid_utf8") from error
    if options.envelope is not None:
        text = payload(text)
    if options.array_lines:
        text = text.strip(" \t\r\n").removeprefix("[")
        text = text[:-1] if text.endswith((",", "]")) else text
    return text


def an_object(text: str) -> dict[str, object]:
    """A JSON object, its numbers as they were written."""
    try:
        found = json.loads(
            text,
            parse_int=lambda token: Written(int(token)),
            parse_float=shortest,
            parse_constant=Written,
            object_pairs_hook=first_wins,
        )
    except (ValueError, RecursionError) as error:
        raise DeadError("malformed_json") from error
    if not isinstance(found, dict):
        raise DeadError("not_an_object")
    return found


def payload(text: str) -> str:
    """The text in a Connect envelope, or the object as text."""
    found = an_object(text).get("payload")
    if found is None:
        raise DeadError("no_payload")
    return found if type(found) is str else written(found)


def written(value: object) -> str:
    """A parsed value as JSON again."""
    if isinstance(value, dict):
        inside = ",".join(f"{json.dumps(key)}:{written(each)}" for key, each in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return str(value) if isinstance(value, Written) else json.dumps(value)


def check(name: str, value: Value, spec: EventField) -> None:
    if value is None:
        if spec.required:
            raise DeadError("missing_value", name)
        return
    if isinstance(value, int | float) and (
        (spec.min is not None and value < spec.min) or (spec.max is not None and value > spec.max)
    ):
        raise DeadError("out_of_range", name)


def shortest(token: str) -> Written:
    """A number with a point or an exponent is the double next to it, in its shortest form."""
    value = float(token)
    return Written(repr(value) if math.isfinite(value) else token)


def first_wins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(reversed(pairs))


def at(found: object, path: tuple[str, ...]) -> object:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def event_time(found: object, config: PipelineConfig) -> int:
    value = at(found, steps(config.time.field))
    if value is None:
        raise DeadError("missing_value")
    time = time_of(value, config.time.format, config.time.zone)
    if time is None:
        raise DeadError("bad_time")
    return time


def typed(value: object, type_: str, name: str, config: PipelineConfig) -> Value:
    """A JSON value as a field of a type; null stays null."""
    if value is None:
        return None
    text = as_text(value)
    result: Value
    match type_:
        case "text":
            result = text
        case "integer":
            result = integer(text)
        case "double":
            result = double(text)
        case "boolean":
            result = None if text is None else BOOLEANS.get(text.strip(" \t").lower())
        case _:
            micros = time_of(value, "auto", config.time.zone)
            result = None if micros is None else Instant(micros)
    if result is None:
        raise DeadError("bad_value", name)
    return result


def as_text(value: object) -> str | None:
    """Numbers and booleans as they were written; objects and arrays are no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None


def integer(text: str | None) -> int | None:
    if text is None or not NUMBER.fullmatch(text.strip(" \t")):
        return None
    exact = Fraction(text.strip(" \t"))
    whole = int(exact)
    return whole if whole == exact and -(2**63) <= whole < 2**63 else None


def double(text: str | None) -> float | None:
    if text is None or not NUMBER.fullmatch(text.strip(" \t")):
        return None
    value = float(text)
    return value + 0.0 if math.isfinite(value) and abs(value) <= 1e18 else None


def time_of(value: object, form: str, zone: str) -> int | None:
    """Microseconds of an epoch number, or of ISO 8601; None if it is neither."""
    text = as_text(value)
    if text is None:
        return None
    text = text.strip(" \t")
    if form in {"auto", "epoch", "epoch_ms"} and NUMBER.fullmatch(text):
        micros = math.floor(Fraction(text) * (1000 if form == "epoch_ms" else 1_000_000))
    elif form in {"auto", "iso", "datetime"} and ISO.fullmatch(text):
        found = calendar(text, zone)
        if found is None:
            return None
        micros = found
    else:
        return None
    return micros if EARLIEST <= micros < LATEST else None


def calendar(text: str, zone: str) -> int | None:
    match = ISO.fullmatch(text)
    assert match is not None
    day, hour, minute, second, fraction, offset = match.groups()
    leap = second == "60"
    clock = f"{hour or '00'}:{minute or '00'}:{'59' if leap else second or '00'}"
    try:
        local = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        return None
    if offset is None:
        moment = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    elif offset in {"Z", "z"}:
        moment = local.replace(tzinfo=UTC)
    else:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment = local.replace(tzinfo=UTC) - (ahead if offset[0] == "+" else -ahead)
    micros = (moment - EPOCH) // timedelta(microseconds=1) + leap * 1_000_000
    return micros + int(Decimal((fraction or "0").ljust(6, "0")[:6]))
