"""The bytes of a file or an answer as cells: CSV with a header, JSON, Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pyarrow as pa
import pyarrow.csv as arrow_csv
from pyarrow import parquet

from tailrace.errors import TableError
from tailrace.outputs.lines import safe
from tailrace.reference.raw import RawTable, from_records, refuse_twice, text_of

Form = Literal["csv", "json", "parquet"]
_LOOKED_AT = 100
"""Objects whose names are told, if those that are wanted aren't there."""


def cells(data: bytes, form: Form, columns: Sequence[str]) -> RawTable:
    """The named columns of what was read; TableError if it isn't of the form."""
    match form:
        case "csv":
            return _csv(data, columns)
        case "json":
            return _json(data, columns)
        case "parquet":
            return _parquet(data, columns)


def _csv(data: bytes, columns: Sequence[str]) -> RawTable:
    if not data.strip():
        return RawTable({}, 0, 2, "line")
    options = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            read_options=arrow_csv.ReadOptions(use_threads=False),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
    except pa.ArrowInvalid as error:
        json_like = data.lstrip()[:1] in (b"[", b"{")
        hint = "it begins as JSON does: format: json" if json_like else None
        raise TableError(f"this is no CSV: {_line(error)}", hint=hint) from error
    try:
        names = table.column_names
    except UnicodeDecodeError as error:
        raise TableError("the header is not UTF-8") from error
    refuse_twice(names, columns)
    found = {name: table[name].combine_chunks() for name in names if name in columns}
    return RawTable(found, table.num_rows, 2, "line", tuple(names))


def _json(data: bytes, columns: Sequence[str]) -> RawTable:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"this is not UTF-8: byte {error.start}") from error
    if text.lstrip().startswith("["):
        records = _parsed(text, "the array")
        if not isinstance(records, list):
            raise TableError("expected an array of objects")
        return _objects(records, columns, "row")
    lines = [line for line in text.split("\n") if line.strip()]
    found = [_parsed(line, f"line {number}") for number, line in enumerate(lines, 1)]
    return _objects(found, columns, "line")


def _parsed(text: str, what: str) -> object:
    try:
        # Numbers stay as they are written: they are read by their column's type.
        return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{what} is not JSON: {safe(str(error))}") from error


def _objects(records: Sequence[object], columns: Sequence[str], unit: str) -> RawTable:
    objects: list[dict[str, object]] = []
    there: dict[str, None] = {}
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise TableError(f"{unit} {number} is not an object")
        if number <= _LOOKED_AT:
            there |= dict.fromkeys(record)
        objects.append({name: _within(record[name]) for name in columns if name in record})
    there = dict.fromkeys(
        name for record in records[:_LOOKED_AT] if isinstance(record, dict) for name in record
    )
    return replace(from_records(objects, columns, unit=unit), there=tuple(there))


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _within(value: object) -> object:
    """A value of a row; numbers within objects and arrays are numbers, in the form of JSON."""
    match value:
        case dict():
            return {name: _number(inner) for name, inner in value.items()}
        case list():
            return [_number(inner) for inner in value]
        case _:
            return value


def _number(value: object) -> object:
    if not isinstance(value, _Number):
        return _within(value)
    try:
        return int(value)
    except ValueError:
        return float(value)


def _parquet(data: bytes, columns: Sequence[str]) -> RawTable:
    try:
        there = parquet.read_schema(io.BytesIO(data)).names
        refuse_twice(there, columns)
        wanted = [name for name in columns if name in there]
        table = parquet.read_table(io.BytesIO(data), columns=wanted, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"this is no Parquet: {_line(error)}") from error
    found = {
        name: pa.array([text_of(value) for value in table[name].to_pylist()], pa.string())
        for name in wanted
    }
    return RawTable(found, table.num_rows, there=tuple(there))


def _line(error: Exception) -> str:
    return safe(str(error).splitlines()[0]) if str(error) else type(error).__name__
