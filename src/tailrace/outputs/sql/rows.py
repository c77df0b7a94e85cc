"""From a batch to the table's columns: plain values that every database takes.

Times become text without a zone, in UTC, which sessions are set to; lists become JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.outputs.batches import ID, TIME, OutboxBatch
from tailrace.outputs.sql.columns import ROW_TIME, Column, Wanted

_PLAIN_INSTANT = pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Rows:
    """Values by the table's column, and the rows' numbers within their batch."""

    values: pa.Table
    numbers: pa.Array

    def __len__(self) -> int:
        return len(self.numbers)

    def slice(self, start: int, length: int) -> Rows:
        """Some of them."""
        return Rows(self.values.slice(start, length), self.numbers.slice(start, length))


def table_rows(batch: OutboxBatch, wanted: Wanted) -> Rows:
    """The rows of a batch, in its order; a column that they don't have is null."""
    rows = batch.rows.combine_chunks()
    values = pa.table({column.name: _values(rows, column, wanted) for column in wanted.columns})
    return Rows(values, pa.array(range(rows.num_rows), pa.int64()))


def last_of_each(rows: Rows, key: tuple[str, ...]) -> Rows:
    """Without the rows that a later one with the same key replaces; rows without a key stay."""
    columns = [rows.values.column(name) for name in key]
    if len(columns) == 1 and pc.count_distinct(columns[0], mode="all").as_py() == len(rows):
        return rows
    keys = list(zip(*(column.to_pylist() for column in columns), strict=True))
    last = {values: number for number, values in enumerate(keys)}
    kept = [n for n, values in enumerate(keys) if None in values or last[values] == n]
    if len(kept) == len(rows):
        return rows
    places = pa.array(kept, pa.int64())
    return Rows(rows.values.take(places).combine_chunks(), rows.numbers.take(places))


def _values(rows: pa.Table, column: Column, wanted: Wanted) -> pa.Array:
    name = {wanted.row_id: ID, ROW_TIME: TIME}.get(column.source, column.source)
    if name not in rows.column_names:
        return pa.nulls(rows.num_rows, pa.string())
    values = rows.column(name).combine_chunks()
    if pa.types.is_timestamp(values.type):
        return values.cast(_PLAIN_INSTANT).cast(pa.string())
    if pa.types.is_list(values.type):
        texts = [None if value is None else json.dumps(value) for value in values.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_dictionary(values.type):
        return values.cast(values.type.value_type)
    return values
