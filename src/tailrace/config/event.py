"""What a record must have to become an event: its time and its fields; and what is a duplicate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.kinds import Kind
from tailrace.config.scalars import Count, Flag, Number, PositiveSpan, Span, ZoneName
from tailrace.config.several import Several, SourceKey, steps
from tailrace.config.suggestions import suggestion
from tailrace.config.units import Duration
from tailrace.config.values import shown

FieldType = Literal["text", "integer", "double", "boolean", "time"]
FIELD_TYPES: tuple[FieldType, ...] = ("text", "integer", "double", "boolean", "time")
NUMERIC = ("integer", "double")
LAST_YEAR = 9999

RAW, ERROR = "_raw", "_error"
"""Fields of all events with ``on_error: classify``: the record as text, the code of its fault."""

_OTHER_NAMES = {
    "str": "text",
    "string": "text",
    "varchar": "text",
    "keyword": "text",
    "ip": "text",
    "int": "integer",
    "int64": "integer",
    "long": "integer",
    "bigint": "integer",
    "number": "double",
    "float": "double",
    "real": "double",
    "decimal": "double",
    "bool": "boolean",
    "date": "time",
    "datetime": "time",
    "timestamp": "time",
}
"""What other systems call the types."""

TimeFormat = Literal["auto", "epoch", "epoch_ms", "iso", "datetime", "time_local", "syslog"]


def _year(value: int) -> int:
    if value > LAST_YEAR:
        raise refusal(f"expected a year up to {LAST_YEAR}, found {value}")
    return value


Year = Annotated[Count, AfterValidator(_year), Kind("year")]


class TimeSettings(Model):
    """The event time, and how long to wait for events that come out of order."""

    field: SourceKey = Field(
        description="The source key with the event's time; a list leads into nested objects.",
        examples=["timestamp"],
    )
    format: TimeFormat = Field(
        default="auto",
        description=(
            "How it is written. `epoch`: seconds, as a number or text, with or without a fraction;"
            " `epoch_ms`: milliseconds; `iso`: ISO 8601; `datetime`: `YYYY-MM-DD HH:MM:SS`;"
            " `time_local`: nginx's `$time_local`; `syslog`: `Jan  2 15:04:05`, without a year;"
            " `auto`: any of these but `epoch_ms` and `syslog`."
        ),
    )
    zone: ZoneName = Field(
        default="UTC",
        description=(
            "The time zone of times that are written without one. Of an hour that is there twice,"
            " the earlier one is meant."
        ),
    )
    year: Year | None = Field(
        default=None,
        description="The year of times that are written without one, which are those of `syslog`.",
        examples=[2022],
    )
    grace: Span = Field(
        default=Duration("5s"),
        description=(
            "How much earlier than the latest event of its partition an event may be and still"
            " count. Windows close that much later."
        ),
    )
    max_future_skew: Span = Field(
        default=Duration("1h"),
        description=(
            "An event further ahead of its record's arrival is a dead letter: one wrong clock would"
            " close everybody's windows."
        ),
    )
    arrival: SourceKey | None = Field(
        default=None,
        description="The source key with the time of arrival, for sources that don't know it.",
        examples=["received_at"],
    )
    idle_after: PositiveSpan = Field(
        default=Duration("30s"),
        description="A partition whose end was confirmed for so long no longer holds windows open.",
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """A year is named where times have none, and nowhere else."""
        year = given.get("year")
        if given.get("format") == "syslog" and year is None:
            hint = "name the year of the records: year: 2022"
            yield Complaint(("format",), "times of the form 'syslog' have no year", hint)
        elif given.get("format") != "syslog" and year is not None:
            yield Complaint(("year",), "'year' is for the format 'syslog' only", at_key=True)


class EventField(Model):
    """One field of the event. `status: integer` is short for `status: {type: integer}`."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "name": "the field's name is its key; the source key is 'from'"
    }

    type: FieldType = Field(
        description="`integer` has 64 bits; `time` is read as `time.format: auto` says.",
        examples=["integer"],
    )
    required: Flag = Field(
        default=False,
        description="Whether a record without a value for it is a dead letter.",
    )
    min: Number | None = Field(
        default=None, description="Numbers only: a smaller value makes a dead letter."
    )
    max: Number | None = Field(
        default=None, description="Numbers only: a greater value makes a dead letter."
    )
    from_: SourceKey | None = Field(
        default=None,
        validation_alias="from",
        serialization_alias="from",
        description=(
            "The source key with the value, where it isn't the field's name; a list leads into"
            " nested objects."
        ),
        examples=["body_bytes_sent"],
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Bounds are for numbers, and the least is not above the greatest."""
        type_ = given.get("type")
        bounds = {key: given[key] for key in ("min", "max") if given.get(key) is not None}
        if type_ in FIELD_TYPES and type_ not in NUMERIC:
            for key in bounds:
                yield Complaint((key,), f"'{key}' is for numbers, not for {type_}", at_key=True)
            return
        numbers = {key: _as_number(value) for key, value in bounds.items()}
        if type_ == "integer":
            for key, number in numbers.items():
                if number is not None and number != int(number):
                    yield Complaint((key,), f"expected a whole number, found {number}")
        least, greatest = numbers.get("min"), numbers.get("max")
        if least is not None and greatest is not None and least > greatest:
            yield Complaint(("max",), f"max {greatest} is below min {least}")

    def source_key(self, name: str) -> tuple[str, ...]:
        """Return the way to the value in the record's object, for the field called `name`."""
        return steps(name if self.from_ is None else self.from_)


def _as_number(value: object) -> int | float | None:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(str(value))
            except ValueError:
                return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if value != value or value in (float("inf"), float("-inf")) else value  # noqa: PLR0124 (NaN)


def _long_form(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in FIELD_TYPES:
        other = _OTHER_NAMES.get(value.lower())
        hint = f"did you mean '{other}'?" if other else suggestion(value, FIELD_TYPES, "types")
        raise refusal(f"{shown(value)} is not a type", hint)
    return {"type": value}


def _short_form(value: EventField) -> object:
    return value.type if value == EventField(type=value.type) else value


class _FieldSchema:
    def __get_pydantic_json_schema__(self, core: object, handler: object) -> dict[str, object]:
        long = handler(EventField.__pydantic_core_schema__)  # type: ignore[operator]
        return {"anyOf": [{"enum": list(FIELD_TYPES)}, long]}


FieldOrType = Annotated[
    EventField,
    BeforeValidator(_long_form),
    PlainSerializer(_short_form),
    _FieldSchema(),
    Kind("field"),
]
"""A field's options, or only its type."""


class Dedup(Model):
    """Events that were delivered twice are counted and used once."""

    by: Several = Field(
        description="The fields that are equal in duplicates. An event with a null in one is none.",
        examples=["request_id"],
    )
    within: PositiveSpan = Field(
        description="How far apart, in event time, duplicates of one partition may be.",
        examples=["10m"],
    )
