"""How a record's bytes become fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, expected, refusal
from tailrace.config.forms import NothingIsEmpty
from tailrace.config.kinds import Kind
from tailrace.config.scalars import Filled, Flag, JsonSchema, Text
from tailrace.config.suggestions import suggestion
from tailrace.config.values import shown

FORMAT_NAMES = ("json", "combined", "common", "csv", "plain")
"""The formats that are written as one word."""


def _variables(text: str) -> str:
    if "$" not in text:
        hint = "nginx's own text, for example '$remote_addr [$time_local] $status'"
        raise refusal("the format has no $variable", hint)
    return text


class Json(Model):
    """One JSON object a record, in one of the wrappings that programs put around it."""

    kind: ClassVar[str] = "json"

    array_lines: Flag = Field(
        default=False,
        description=(
            "Records are the lines of one JSON array: a `[` that begins a record and a `,` or `]`"
            " that ends it don't count; a record with nothing else in it is blank."
        ),
    )
    envelope: Literal["connect"] | None = Field(
        default=None,
        description=(
            "`connect`: a record is what Kafka Connect's JsonConverter makes with schemas, and the"
            " event is its `payload`, an object or the JSON text of one."
        ),
    )


class LogFormat(Model):
    """Lines as an nginx `log_format` writes them."""

    kind: ClassVar[str] = "log_format"

    log_format: Annotated[Filled, AfterValidator(_variables)] = Field(
        description="The text of nginx's `log_format`; each `$variable` is a source key.",
        examples=["$remote_addr [$time_local] $status $body_bytes_sent"],
    )
    escape: Literal["default", "json", "none"] = Field(
        default="default", description="nginx's `escape=` parameter of that format."
    )


def _delimiter(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in '"\r\n':
        raise refusal(
            f"expected one ASCII character, found {shown(text)}", 'for tabs write "\\t" in quotes'
        )
    return text


class Csv(Model):
    """Comma-separated values, quoted as RFC 4180 says; a record is one line."""

    kind: ClassVar[str] = "csv"

    columns: tuple[Filled, ...] | None = Field(
        default=None,
        description="Names of the columns, in order; without them the header names them.",
        examples=[["time", "client_ip", "status"]],
    )
    header: Flag = Field(
        default=True,
        description="Whether the first line of each file is a header and no record.",
    )
    delimiter: Annotated[Text, AfterValidator(_delimiter)] = Field(
        default=",", description="The character between values."
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Something must name the columns, each once."""
        columns = given.get("columns")
        header = given.get("header", True)
        if columns is None and str(header).lower() in ("false", "no", "off", "0"):
            yield Complaint((), "without a header, 'columns' must name the columns", at_key=True)
        if not isinstance(columns, list | tuple):
            return
        if not columns:
            yield Complaint(("columns",), "the list of columns is empty")
        for index, name in enumerate(columns):
            if name in columns[:index]:
                yield Complaint(("columns", index), f"the column {shown(str(name))} is there twice")


class CsvForm(Model):
    """`csv` with options."""

    csv: Annotated[Csv, NothingIsEmpty] = Field(description="Comma-separated values.")


class JsonForm(Model):
    """`json` with options."""

    json_: Annotated[Json, NothingIsEmpty] = Field(
        validation_alias="json", serialization_alias="json", description="JSON objects."
    )


NamedFormat = Literal["json", "combined", "common", "plain"]
AnyFormat = NamedFormat | LogFormat | Csv | Json


def _chosen(value: object) -> AnyFormat:
    match value:
        case LogFormat() | Csv() | Json():
            return value
        case "json" | "combined" | "common" | "plain":
            return value
        case "csv":
            return Csv()
        case str():
            hint = suggestion(value, [*FORMAT_NAMES, "log_format"], "formats")
            raise refusal(f"{shown(value)} is not a format", hint)
        case {"csv": _, **rest} if "log_format" not in rest:
            return CsvForm.model_validate(value, by_alias=True, by_name=False).csv
        case {"json": _, **rest} if "log_format" not in rest:
            found = JsonForm.model_validate(value, by_alias=True, by_name=False).json_
            return "json" if found == Json() else found
        case {"log_format": _} | {"escape": _}:
            return LogFormat.model_validate(value, by_alias=True, by_name=False)
        case dict():
            hint = "{log_format: '...'}, {csv: {...}}, {json: {...}}, or one of "
            hint += ", ".join(FORMAT_NAMES)
            raise refusal("the mapping is of no known format", hint)
        case _:
            raise expected("a format", value, "formats: " + ", ".join(FORMAT_NAMES))


def _written(value: AnyFormat) -> object:
    return {value.kind: value} if isinstance(value, Csv | Json) else value


class _FormatSchema:
    def __get_pydantic_json_schema__(self, _: object, handler: object) -> JsonSchema:
        schemas = [handler(m.__pydantic_core_schema__) for m in (LogFormat, CsvForm, JsonForm)]  # type: ignore[operator]
        return {"anyOf": [{"enum": list(FORMAT_NAMES)}, *schemas]}


Format = Annotated[
    AnyFormat,
    PlainValidator(_chosen),
    PlainSerializer(_written),
    _FormatSchema(),
    Kind("name or mapping"),
]
"""A format's name, or a format with options."""
