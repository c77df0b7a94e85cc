"""Where each record's content begins and ends: line ends and byte order marks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.formats.records import Records

if TYPE_CHECKING:
    from numpy.typing import NDArray

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Contents:
    """What is found when a frame is first asked for it: the properties of ``Frame``."""

    buffer: pa.Buffer
    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    first: NDArray[np.uint8]
    last: NDArray[np.uint8]


class Frame:
    """A run of records with the place of each one's content, the record without its line end.

    A byte order mark at the start of any record is skipped. ``records`` are as they came; the
    contents are looked for only when somebody asks.
    """

    def __init__(self, records: Records, contents: Contents | None = None) -> None:
        """Find nothing yet; ``contents`` are known to whoever changed the records' bytes."""
        self.records = records
        if contents is not None:
            self._contents = contents

    @cached_property
    def _contents(self) -> Contents:
        found = _contents_of(self.records)
        marked = np.flatnonzero(found.first == BYTE_ORDER_MARK[0])
        rows = [
            row
            for row in marked.tolist()
            if found.data[found.starts[row] : found.ends[row]].tobytes().startswith(BYTE_ORDER_MARK)
        ]
        return _contents_of(_without_marks(self.records, rows)) if rows else found

    @property
    def buffer(self) -> pa.Buffer:
        """The buffer with all records."""
        return self._contents.buffer

    @property
    def data(self) -> NDArray[np.uint8]:
        """The whole buffer."""
        return self._contents.data

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Where records begin in ``data``, and where the last one ends: n + 1 values."""
        return self._contents.offsets

    @property
    def positions(self) -> NDArray[np.int64]:
        """Each record's place in its partition."""
        return self.records.positions

    @property
    def starts(self) -> NDArray[np.int32]:
        """The first byte of each content."""
        return self._contents.starts

    @property
    def ends(self) -> NDArray[np.int32]:
        """The byte behind the last one of each content."""
        return self._contents.ends

    @property
    def first(self) -> NDArray[np.uint8]:
        """The first byte of each content, 0 where it is empty."""
        return self._contents.first

    @property
    def last(self) -> NDArray[np.uint8]:
        """The last byte of each content, 0 where it is empty."""
        return self._contents.last

    def __len__(self) -> int:
        """The number of records."""
        return len(self.records)

    @property
    def header(self) -> bytes | None:
        """The content of the generation's first record, if it is known."""
        if len(self) and self.positions[0] == 0:
            return self.content(0)
        if self.records.header is None:
            return None
        line = self.records.header.removeprefix(BYTE_ORDER_MARK)
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


def _contents_of(records: Records) -> Contents:
    data = np.frombuffer(records.data, np.uint8)
    offsets = records.offsets
    starts, ends = offsets[:-1], offsets[1:]
    if not len(data):
        nothing = np.zeros(len(starts), np.uint8)
        return Contents(records.data, data, offsets, starts, ends, nothing, nothing)
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
    return Contents(records.data, data, offsets, starts, ends, first, last)


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


def frame(records: Records) -> Frame:
    """The frame of a run of records."""
    return Frame(records)
