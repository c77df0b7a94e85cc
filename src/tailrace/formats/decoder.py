"""The way from records to events: frame, split into texts by the format, convert, check, keep what is alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.expr.nodes import Type
from tailrace.formats import columns
from tailrace.formats.codes import Code
from tailrace.formats.columns import Typed
from tailrace.formats.faults import Faults, shown
from tailrace.formats.frame import Frame, frame
from tailrace.formats.json_rows import JsonRows
from tailrace.formats.log_rows import LogRows
from tailrace.formats.records import Decoded, Records
from tailrace.formats.spec import DecodeSpec, FieldSpec, JsonFormat, LogFormat, TimeForm
from tailrace.formats.time_columns import time_column
from tailrace.formats.times import SECOND
from tailrace.formats.zones import zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_FIELDS: Mapping[str, str] = {}
ARROW_TYPES = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.timestamp("us", "UTC"),
}


Texts = Mapping[tuple[str, ...], pa.StringArray]


class Rows(Protocol):
    """What a format does: take texts out of records."""

    def split(self, frame: Frame, faults: Faults) -> Texts:
        """One string array of ``len(frame)`` for each path of the spec; marks what it can't split.

        Null means missing, and in rows that are out it means nothing.
        """
        ...


class Decoder:
    """Decodes the records of one pipeline. One thread uses it; each thread makes its own."""

    def __init__(self, spec: DecodeSpec) -> None:
        """Prepare for a spec; raises ``ValueError`` for an unknown zone."""
        self._spec = spec
        zone_of(spec.time.zone)
        self._rows = _rows_of(spec)
        self._schema = pa.schema([(field.name, ARROW_TYPES[field.type]) for field in spec.fields])

    def decode(self, records: Records, path_fields: Mapping[str, str] = NO_FIELDS) -> Decoded:
        """Events, dead letters and the number of blank records (SEMANTICS 4, 7, 8).

        ``path_fields``: texts for declared fields of these names, the same for all records; they
        win over what the record holds. A record with several faults has the first of: too long,
        not of the format, time, fields as declared, future time.
        """
        faults = Faults(len(records))
        if records.oversize is not None:
            lengths = np.diff(records.offsets)
            for row in np.flatnonzero(records.oversize).tolist():
                faults.mark(row, Code.TOO_LONG, f"longer than {lengths[row]} bytes")
        texts = self._rows.split(frame(records), faults)
        time = self._time(texts, faults)
        table = pa.table(
            [
                self._field(field, _given(path_fields, field, texts, len(records)), faults)
                for field in self._spec.fields
            ],
            self._schema,
        )
        self._check_future(time, texts, records, faults)
        rows = np.flatnonzero(~faults.out).astype(np.int32)
        if len(rows) < len(records):
            table = table.filter(pa.array(~faults.out)).combine_chunks()
            time = time[rows]
        return Decoded(table, time, rows, faults.dead_letters(), faults.blank)

    def _time(self, texts: Texts, faults: Faults) -> NDArray[np.int64]:
        """Event times; 0 in rows that are out."""
        spec = self._spec.time
        found = texts[spec.path]
        typed = time_column(found, spec.form, spec.zone, spec.year)
        _mark_bad(typed, found, Code.BAD_TIME, spec.name, faults)
        _mark_missing(found, spec.name, faults)
        return typed.column.fill_null(0).to_numpy()

    def _field(self, field: FieldSpec, texts: pa.StringArray, faults: Faults) -> pa.Array:
        """The column of one field, its faults marked."""
        typed = self._convert(field.type, texts)
        _mark_bad(typed, texts, Code.BAD_VALUE, field.name, faults)
        if field.required:
            _mark_missing(texts, field.name, faults)
        for limit, beyond, word in (
            (field.minimum, pc.less, "below min"),
            (field.maximum, pc.greater, "above max"),
        ):
            if limit is not None:
                outside = beyond(typed.column, pa.scalar(limit)).fill_null(False)  # noqa: FBT003
                for row in np.flatnonzero(outside.to_numpy(zero_copy_only=False)).tolist():
                    reason = f"{field.name}: {word} {limit}: {shown(texts[row].as_py())}"
                    faults.mark(row, Code.OUT_OF_RANGE, reason, field.name)
        return typed.column

    def _convert(self, type_: Type, texts: pa.StringArray) -> Typed:
        match type_:
            case Type.INTEGER:
                return columns.integers(texts)
            case Type.DOUBLE:
                return columns.doubles(texts)
            case Type.BOOLEAN:
                return columns.booleans(texts)
            case Type.TIME:
                time = self._spec.time
                typed = time_column(texts, TimeForm.AUTO, time.zone, None)
                return Typed(typed.column.cast(ARROW_TYPES[Type.TIME]), typed.bad)
            case _:
                return Typed(texts)

    def _check_future(
        self, time: NDArray[np.int64], texts: Texts, records: Records, faults: Faults
    ) -> None:
        """Mark events whose time is too far ahead of their arrival (SEMANTICS 7)."""
        spec = self._spec.time
        known = np.ones(len(records), np.bool_)
        arrival = records.arrival
        if spec.arrival is not None:
            found = texts[spec.arrival]
            typed = time_column(found, TimeForm.AUTO, spec.zone, None)
            _mark_bad(typed, found, Code.BAD_TIME, ".".join(spec.arrival), faults)
            present = typed.column.is_valid().to_numpy(zero_copy_only=False)
            written = typed.column.fill_null(0).to_numpy()
            known = present if arrival is None else known
            arrival = written if arrival is None else np.where(present, written, arrival)
        if arrival is None:
            return
        ahead = time - arrival
        for row in np.flatnonzero(known & (ahead > spec.max_future_skew)).tolist():
            reason = f"{spec.name}: {ahead[row] / SECOND:.6f} s ahead of the record's arrival"
            faults.mark(row, Code.FUTURE_TIME, reason, spec.name)


def make_decoder(spec: DecodeSpec) -> Decoder:
    """A decoder for the use of one thread; raises ``ValueError`` for an unknown zone."""
    return Decoder(spec)


def _given(
    path_fields: Mapping[str, str], field: FieldSpec, texts: Texts, length: int
) -> pa.StringArray:
    given = path_fields.get(field.name)
    return texts[field.path] if given is None else pa.repeat(pa.scalar(given, pa.string()), length)


def _mark_bad(typed: Typed, texts: pa.StringArray, code: Code, name: str, faults: Faults) -> None:
    for row, what in typed.bad.items():
        faults.mark(row, code, f"{name}: {what}: {shown(texts[row].as_py())}", name)


def _mark_missing(texts: pa.StringArray, name: str, faults: Faults) -> None:
    if texts.null_count:
        missing = texts.is_null().to_numpy(zero_copy_only=False) & ~faults.out
        for row in np.flatnonzero(missing).tolist():
            faults.mark(row, Code.MISSING_VALUE, f"{name}: missing", name)


def _rows_of(spec: DecodeSpec) -> Rows:
    paths = [spec.time.path, *(field.path for field in spec.fields)]
    if spec.time.arrival is not None:
        paths.append(spec.time.arrival)
    match spec.format:
        case JsonFormat():
            return JsonRows(list(dict.fromkeys(paths)))
        case LogFormat():
            return LogRows(spec.format, list(dict.fromkeys(paths)))
        case _:
            raise NotImplementedError
