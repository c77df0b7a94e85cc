"""Where each record's content begins and ends: line ends and byte order marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.formats.records import Records

if TYPE_CHECKING:
    from numpy.typing import NDArray

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Frame:
    """A run of records with the place of each one's content, the record without its line end.

    ``data``: uint8, the whole buffer. ``starts``, ``ends``: int32, n values, the content's first
    byte and the one after its last. ``first``, ``last``: uint8, the content's outermost bytes, 0
    where it is empty.
    """

    buffer: pa.Buffer
    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    positions: NDArray[np.int64]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    first_record: bytes | None = None

    def __len__(self) -> int:
        """The number of records."""
        return len(self.starts)

    @property
    def header(self) -> bytes | None:
        """The content of the generation's first record, if it is known."""
        if len(self) and self.positions[0] == 0:
            return self.content(0)
        if self.first_record is None:
            return None
        line = self.first_record.removeprefix(BYTE_ORDER_MARK)
        return line[:-1].removesuffix(b"\r") if line.endswith(b"\n") else line

    def content(self, row: int) -> bytes:
        """The bytes of one record without its line end."""
        return self.data[self.starts[row] : self.ends[row]].tobytes()

    def strings(self, out: NDArray[np.bool_]) -> pa.StringArray:
        """All records with their line ends as Arrow strings over the same memory.

        Null where ``out``. Nothing has checked that they are UTF-8.
        """
        present = pa.py_buffer(np.packbits(~out, bitorder="little")) if out.any() else None
        buffers = [present, pa.py_buffer(self.offsets), self.buffer]
        return pa.Array.from_buffers(pa.string(), len(self), buffers)


def frame(records: Records) -> Frame:
    """Find the contents of records; a byte order mark at the start of any record is skipped."""
    found = _frame(records)
    marked = np.flatnonzero(found.first == BYTE_ORDER_MARK[0])
    rows = [row for row in marked.tolist() if found.content(row).startswith(BYTE_ORDER_MARK)]
    return _frame(_without_marks(records, rows)) if rows else found


def _frame(records: Records) -> Frame:
    data = np.frombuffer(records.data, np.uint8)
    offsets = records.offsets
    starts, ends = offsets[:-1], offsets[1:]
    if not len(data):
        nothing = np.zeros(len(starts), np.uint8)
        return Frame(
            records.data,
            data,
            offsets,
            records.positions,
            starts,
            ends,
            nothing,
            nothing,
            records.header,
        )
    last = _before(data, starts, ends)
    lines = last == ord("\n")
    ends = ends - lines
    last = _before(data, starts, ends)
    returns = lines & (last == ord("\r"))
    if returns.any():
        ends = ends - returns
        last = _before(data, starts, ends)
    first = data[np.minimum(starts, len(data) - 1)]
    first[ends == starts] = 0
    return Frame(
        records.data, data, offsets, records.positions, starts, ends, first, last, records.header
    )


def _before(
    data: NDArray[np.uint8], starts: NDArray[np.int32], ends: NDArray[np.int32]
) -> NDArray[np.uint8]:
    last = data[ends - 1]
    last[ends == starts] = 0
    return last


def _without_marks(records: Records, rows: list[int]) -> Records:
    data = np.frombuffer(records.data, np.uint8)
    size = len(BYTE_ORDER_MARK)
    marks = (records.offsets[rows][:, None] + np.arange(size)).ravel()
    removed = np.zeros(len(records.offsets), np.int32)
    removed[np.asarray(rows) + 1] = size
    return Records(
        pa.py_buffer(np.delete(data, marks)),
        (records.offsets - np.cumsum(removed)).astype(np.int32),
        records.positions,
        header=records.header,
    )
