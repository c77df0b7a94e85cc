"""Rows that are typed already, as Arrow tables: checked like decoded records, without any text.

A column stands for the declared field of its name, whatever ``from`` says of records; the time is
the column named like ``time.field`` (the last step of a path). Columns that are not declared are
left alone. What is a wrong value in a record (null where required, out of range, not finite, a
number with a fraction for an integer) makes a dead letter here too; a column of a wrong type is an
error of the whole table. Nulls are nulls; NaN is a bad value.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.errors import Problem, SourceError
from tailrace.expr.nodes import Type
from tailrace.formats.checks import mark_bad, mark_missing, mark_out_of_range
from tailrace.formats.codes import Code
from tailrace.formats.columns import Typed
from tailrace.formats.event_times import mark_future
from tailrace.formats.faults import Faults
from tailrace.formats.records import Decoded, TypedRecords
from tailrace.formats.typed_columns import accepts, converted, instants

if TYPE_CHECKING:
    from tailrace.formats.spec import DecodeSpec, FieldSpec

ARROW_TYPES = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.timestamp("us", "UTC"),
}


class TypedRows:
    """Makes events and dead letters of tables for one pipeline."""

    def __init__(self, spec: DecodeSpec) -> None:
        self._spec = spec
        self._time = spec.time.path[-1]
        self._arrival = None if spec.time.arrival is None else spec.time.arrival[-1]
        self._schema = pa.schema([(field.name, ARROW_TYPES[field.type]) for field in spec.fields])

    def records(self, table: pa.Table, first: int) -> TypedRecords:
        """The rows of a table as records with positions from ``first``.

        SourceError with every problem if columns are missing or of a wrong type. Only rows that
        become dead letters have bytes: their values as JSON.
        """
        self._check(table.schema)
        faults = Faults(table.num_rows)
        times = self._times(table, faults)
        columns = [self._column(field, table, faults) for field in self._spec.fields]
        self._mark_future(times, table, faults)
        rows = np.flatnonzero(~faults.out).astype(np.int32)
        if len(rows) < table.num_rows:
            alive = pa.array(~faults.out)
            columns = [column.filter(alive) for column in columns]
            times = times[rows]
        events = (
            pa.Table.from_arrays(columns, schema=self._schema)
            if columns
            else pa.table({"": pa.nulls(len(rows))}).select([])
        )
        dead = faults.dead_letters()
        data, offsets = self._bytes(table, dead.rows)
        positions = np.arange(first, first + table.num_rows, dtype=np.int64)
        decoded = Decoded(events, times, rows, dead, 0)
        return TypedRecords(data, offsets, positions, decoded=decoded)

    def _check(self, schema: pa.Schema) -> None:
        problems = []
        wanted: list[tuple[str, Type | None]] = []
        if self._time not in self._schema.names:
            wanted.append((self._time, None))
        wanted += [(f.name, f.type) for f in self._spec.fields if f.path is not None]
        for name, type_ in wanted:
            what = "time" if type_ is None else f"field of type {type_}"
            if name not in schema.names:
                hint = f"the table has {', '.join(schema.names) or 'no columns'}"
                problems.append(Problem(f"there is no column {name!r} for the {what}", hint=hint))
            elif not accepts(type_ or Type.TIME, schema.field(name).type):
                found = schema.field(name).type
                hint = "cast the column, or declare the field with its type"
                problems.append(
                    Problem(f"the column {name!r} is {found}, which is no {what}", hint=hint)
                )
        if problems:
            raise SourceError(problems=tuple(problems))

    def _times(self, table: pa.Table, faults: Faults) -> np.ndarray:
        spec = self._spec.time
        column = _whole(table[self._time])
        typed = instants(column, spec.form, spec.zone, spec.year)
        mark_bad(typed, _texts(column, typed), faults, Code.BAD_TIME, spec.name)
        mark_missing(column, faults, spec.name, None)
        times: np.ndarray = typed.column.fill_null(0).to_numpy(zero_copy_only=False)
        return times

    def _column(self, field: FieldSpec, table: pa.Table, faults: Faults) -> pa.Array:
        if field.name not in table.column_names:
            return pa.nulls(table.num_rows, ARROW_TYPES[field.type])
        column = _whole(table[field.name])
        typed = converted(column, field.type, self._spec.time.zone)
        texts = _texts(column, typed)
        mark_bad(typed, texts, faults, Code.BAD_VALUE, field.name)
        if field.required:
            mark_missing(column, faults, field.name, field.name)
        if field.minimum is not None or field.maximum is not None:
            mark_out_of_range(typed, column.cast(pa.string()), faults, field)
        return typed.column

    def _mark_future(self, times: np.ndarray, table: pa.Table, faults: Faults) -> None:
        if self._arrival is None or self._arrival not in table.column_names:
            return
        spec = self._spec.time
        typed = instants(_whole(table[self._arrival]), spec.form, spec.zone, spec.year)
        present = typed.column.is_valid().to_numpy(zero_copy_only=False)
        arrival = np.where(present, typed.column.fill_null(0).to_numpy(), times)
        mark_future(times, arrival, None, spec, faults)

    def _bytes(self, table: pa.Table, dead: tuple[int, ...]) -> tuple[pa.Buffer, np.ndarray]:
        offsets = np.zeros(table.num_rows + 1, np.int32)
        if not dead:
            return pa.py_buffer(b""), offsets
        wanted = dict.fromkeys((self._time, *self._schema.names))
        names = [name for name in wanted if name in table.column_names]
        columns = [_plain(_whole(table[name])).take(pa.array(dead, pa.int64())) for name in names]
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        objects = [dict(zip(names, row, strict=True)) for row in rows]
        lines = [json.dumps(row, default=str, ensure_ascii=False).encode() for row in objects]
        for row, line in zip(dead, lines, strict=True):
            offsets[row + 1] = len(line)
        np.cumsum(offsets, out=offsets)
        return pa.py_buffer(b"".join(lines)), offsets


def _whole(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def _plain(column: pa.Array) -> pa.Array:
    """A column whose values Python can show: times as text, whatever year they are in."""
    if pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    if not pa.types.is_temporal(column.type):
        return column
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return column.cast(pa.int64())


def _texts(column: pa.Array, typed: Typed) -> pa.Array:
    """What reasons show of a column; only bad rows are shown, so mostly nothing is made."""
    return pc.cast(column, pa.string()) if typed.bad else column
