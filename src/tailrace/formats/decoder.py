"""The way from records to events: find the texts, convert them, check them, keep what is alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.formats import columns, odd
from tailrace.formats.checks import mark_bad, mark_missing, mark_out_of_range
from tailrace.formats.codes import Code
from tailrace.formats.columns import Typed
from tailrace.formats.csv_rows import CsvRows
from tailrace.formats.event_times import event_times, mark_future
from tailrace.formats.faults import Faults
from tailrace.formats.frame import Frame, frame
from tailrace.formats.json_rows import JsonRows
from tailrace.formats.json_wrapped import ArrayLineRows, EnvelopeRows
from tailrace.formats.log_rows import LogRows
from tailrace.formats.packets.decoder import decode_packets
from tailrace.formats.packets.record import PACKETS
from tailrace.formats.paths import Path
from tailrace.formats.plain_rows import PlainRows
from tailrace.formats.records import Decoded, Records, TypedRecords
from tailrace.formats.segments import Texts, strings
from tailrace.formats.spec import (
    CsvFormat,
    DecodeSpec,
    FieldSpec,
    JsonFormat,
    LogFormat,
    PlainFormat,
    TimeForm,
    TimeSpec,
)
from tailrace.formats.time_columns import time_column
from tailrace.formats.zones import zone_of

NO_FIELDS: Mapping[str, str] = {}
ARROW_TYPES = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.timestamp("us", "UTC"),
}

Columns = Mapping[Path, Texts]
Beside = Mapping[str, pa.StringArray]


class Rows(Protocol):
    """What a format does: take texts out of records."""

    def split(self, frame: Frame, faults: Faults) -> Columns:
        """``len(frame)`` texts for each path of the spec, null where missing.

        Marks records that are blank or not of the format; their texts are null.
        """
        ...


class Decoder:
    """Decodes the records of one pipeline. One thread uses it; each thread makes its own."""

    def __init__(self, spec: DecodeSpec) -> None:
        """Prepare for a spec; PipelineError if the format lacks what is asked of it."""
        zone_of(spec.time.zone)
        self._spec = spec
        self._has_beside = any(part.beside is not None for part in _parts(spec))
        # In a rule test or a file, JSON has keys of these names instead.
        self._rows = _rows_of(spec, every=isinstance(spec.format, JsonFormat))
        self._rows_with_beside: Rows | None = None
        self._schema = pa.schema([(field.name, ARROW_TYPES[field.type]) for field in spec.fields])

    def decode(self, records: Records, path_fields: Mapping[str, str] = NO_FIELDS) -> Decoded:
        """Events, dead letters and the number of blank records (SEMANTICS 4, 7, 8).

        ``path_fields``: texts for the fields of these names, the same for all records; they win
        over what a record holds. A record with several faults has the first of: too long, not of
        the format, time, fields as declared, future time.
        """
        if isinstance(records, TypedRecords) and records.decoded is not None:
            return records.decoded
        if records.header == PACKETS:
            return decode_packets(records, self._spec, self._schema)
        faults = Faults(len(records))
        _mark_oversize(records, faults)
        beside = records.beside
        framed = frame(records)
        texts = self._rows_for(beside).split(framed, faults)
        spec = self._spec.time
        times = event_times(_own_texts(spec, texts, beside, len(records)), spec, faults)
        fields = [
            self._field(field, _texts_of(field, texts, beside, path_fields, len(records)), faults)
            for field in self._spec.fields
        ]
        written = None if spec.arrival is None else texts[spec.arrival]
        mark_future(times, records.arrival, written, spec, faults)
        if self._spec.odd_too:
            arrival = odd.arrivals(records.arrival, written, spec, len(records))
            own = fields[: -len(odd.FIELDS)]
            return odd.kept(framed, faults, own, times, arrival, self._schema)
        rows = np.flatnonzero(~faults.out).astype(np.int32)
        if len(rows) < len(records):
            alive = pa.array(~faults.out)
            fields = [column.filter(alive) for column in fields]
            times = times[rows]
        table = self._table(fields, len(rows))
        return Decoded(table, times, rows, faults.dead_letters(), faults.blank)

    def _rows_for(self, beside: Beside | None) -> Rows:
        """What takes texts out of records that have, or don't have, something beside them."""
        if beside is None or not self._has_beside:
            return self._rows
        if self._rows_with_beside is None:
            self._rows_with_beside = _rows_of(self._spec, every=False)
        return self._rows_with_beside

    def _table(self, fields: list[pa.Array], length: int) -> pa.Table:
        if fields:
            return pa.Table.from_arrays(fields, schema=self._schema)
        return pa.table({"": pa.nulls(length)}).select([])

    def _field(self, field: FieldSpec, texts: Texts, faults: Faults) -> pa.Array:
        """The column of one field, its faults marked."""
        typed = self._typed(field.type, texts)
        mark_bad(typed, texts, faults, Code.BAD_VALUE, field.name)
        if field.required:
            mark_missing(texts, faults, field.name, field.name)
        mark_out_of_range(typed, texts, faults, field)
        return typed.column

    def _typed(self, type_: Type, texts: Texts) -> Typed:
        match type_:
            case Type.INTEGER:
                return columns.integers(texts)
            case Type.DOUBLE:
                return columns.doubles(texts)
            case Type.BOOLEAN:
                return columns.booleans(texts)
            case Type.TIME:
                typed = time_column(texts, TimeForm.AUTO, self._spec.time.zone, None)
                return Typed(typed.column.cast(ARROW_TYPES[Type.TIME]), typed.bad)
            case _:
                return Typed(strings(texts))


def _mark_oversize(records: Records, faults: Faults) -> None:
    if records.oversize is not None:
        lengths = np.diff(records.offsets)
        for row in np.flatnonzero(records.oversize).tolist():
            faults.mark(row, Code.TOO_LONG, f"longer than {lengths[row]} bytes")


def _texts_of(
    field: FieldSpec,
    texts: Columns,
    beside: Beside | None,
    path_fields: Mapping[str, str],
    length: int,
) -> Texts:
    given = path_fields.get(field.name)
    if given is None and field.path is not None:
        return _own_texts(field, texts, beside, length)
    return pa.repeat(pa.scalar(given, pa.string()), length)


def _own_texts(
    part: FieldSpec | TimeSpec, texts: Columns, beside: Beside | None, length: int
) -> Texts:
    """The texts of the record, or of what is beside it."""
    if part.beside is not None and beside is not None:
        return beside[part.beside]
    assert part.path is not None  # noqa: S101 - the caller looked
    found = texts.get(part.path)
    return pa.nulls(length, pa.string()) if found is None else found


def _parts(spec: DecodeSpec) -> tuple[FieldSpec | TimeSpec, ...]:
    return spec.time, *spec.fields


def _is_number(part: FieldSpec | TimeSpec) -> bool:
    """Whether it is read as a number, or as a time."""
    return isinstance(part, TimeSpec) or part.type in {Type.INTEGER, Type.DOUBLE, Type.TIME}


def _rows_of(spec: DecodeSpec, *, every: bool) -> Rows:
    """What takes texts out of records; those that may be beside them only if ``every`` one."""
    parts = [part for part in _parts(spec) if every or part.beside is None]
    wanted = [*(part.path for part in parts), spec.time.arrival]
    paths = list(dict.fromkeys(path for path in wanted if path is not None))
    match spec.format:
        case JsonFormat() as json:
            # Without a path nothing would be parsed, and so nothing found malformed.
            numbers = {part.path for part in parts if _is_number(part) and part.path is not None}
            rows: Rows = JsonRows(paths or [spec.time.path], numbers)
            rows = ArrayLineRows(rows) if json.array_lines else rows
            return EnvelopeRows(rows) if json.envelope else rows
        case LogFormat():
            return LogRows(spec.format, paths)
        case CsvFormat():
            return CsvRows(spec.format, paths)
        case PlainFormat():
            return PlainRows(paths)
