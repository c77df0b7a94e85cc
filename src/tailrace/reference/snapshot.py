"""A version of a reference: its rows in an order of their own, and the hash of their contents.

Two loads with the same rows are the same version, whatever order they came in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type

if TYPE_CHECKING:
    from tailrace.plan.references import Shape

VERSION_DIGITS = 12

ARROW: dict[Type, pa.DataType] = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.int64(),
}
"""How columns are kept; times are microseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """``table``: a column for each of the shape's, sorted by key and date; ``version``: 12 hex."""

    version: str
    table: pa.Table

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.table.num_rows)

    def to_bytes(self) -> bytes:
        """The form in which it is stored and travels."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as writer:
            writer.write_table(self.table)
        return bytes(sink.getvalue())

    @classmethod
    def from_bytes(cls, version: str, data: bytes) -> Snapshot:
        """Read the stored form."""
        with pa.ipc.open_stream(data) as reader:
            return cls(version, reader.read_all())

    def fits(self, shape: Shape) -> bool:
        """Whether it is a version of a reference of this shape: the file may have changed."""
        same: bool = self.table.schema.equals(_schema(shape), check_metadata=True)
        return same


def snapshot_of(shape: Shape, table: pa.Table) -> Snapshot:
    """The snapshot of rows that are sorted already."""
    table = table.cast(_schema(shape))
    return Snapshot(_digest(table), table)


def _schema(shape: Shape) -> pa.Schema:
    columns = [(name, ARROW[kind]) for name, kind in shape.columns.items()]
    told = json.dumps([shape.key, shape.dated, shape.single])
    return pa.schema(columns, metadata={"tailrace": told})


def empty(shape: Shape) -> Snapshot:
    """The snapshot without rows: nothing was loaded yet."""
    return snapshot_of(shape, _schema(shape).empty_table())


def _digest(table: pa.Table) -> str:
    found = sha256(table.schema.metadata[b"tailrace"])
    for name in table.column_names:
        column = table[name].combine_chunks()
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        found.update(f"{name} {column.type} {len(column)}\n".encode())
        found.update(np.packbits(valid).tobytes())
        if pa.types.is_string(column.type):
            texts = [text.encode() for text in column.fill_null("").to_pylist()]
            found.update(np.array([len(text) for text in texts], "<i8").tobytes())
            found.update(b"".join(texts))
        else:
            numbers = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
            data = numbers.to_numpy(zero_copy_only=False)
            found.update(data.astype(data.dtype.newbyteorder("<")).tobytes())
    return found.hexdigest()[:VERSION_DIGITS]
