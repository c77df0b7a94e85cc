"""Frames: what mappers, reducers and the driver send each other, as bytes in one column.

A frame is a JSON object and named Arrow tables. Spark sees bytes alone, so rows cross it by the
thousand in one piece and no schema of ours is ever Spark's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

MAPPED = "shard int, payload binary"
"""What a mapper gives: to whom, and a frame."""

REDUCED = "payload binary"
"""What a reducer gives the driver: frames."""

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """``head``: JSON values; ``tables`` by name."""

    head: Mapping[str, Any]
    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    def pack(self) -> bytes:
        """The frame as bytes."""
        parts: list[pa.Buffer] = []
        sizes: list[tuple[str, int]] = []
        for name, table in self.tables.items():
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
                writer.write_table(table)
            parts.append(sink.getvalue())
            sizes.append((name, parts[-1].size))
        head = json.dumps([self.head, sizes], separators=(",", ":")).encode()
        return b"".join([len(head).to_bytes(_LENGTH, "little"), head, *map(bytes, parts)])

    @classmethod
    def unpack(cls, data: bytes | memoryview | pa.Buffer) -> Frame:
        """Read what ``pack`` wrote."""
        view = memoryview(data)
        begin = _LENGTH + int.from_bytes(view[:_LENGTH], "little")
        head, sizes = json.loads(bytes(view[_LENGTH:begin]))
        tables: dict[str, pa.Table] = {}
        for name, size in sizes:
            with pa.ipc.open_stream(pa.py_buffer(view[begin : begin + size])) as reader:
                tables[name] = reader.read_all()
            begin += size
        return cls(head, tables)
