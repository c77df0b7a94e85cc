"""JSON objects with something around them: lines of an array, Kafka Connect's envelope.

What is around them is taken away, or blanked out in a copy, and what remains is decoded as any JSON
(``json_rows``), so that a wrapped record means what the bare one means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from tailrace.formats.codes import Code
from tailrace.formats.faults import shown
from tailrace.formats.frame import Contents, Frame
from tailrace.formats.json_rows import JsonRows
from tailrace.formats.records import Records
from tailrace.formats.screen import BLANKS
from tailrace.formats.segments import Texts, strings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.formats.faults import Faults
    from tailrace.formats.paths import Path

    Places = NDArray[np.int32]

PAYLOAD: Path = ("payload",)
_STEPS = 8
"""Blanks around a record that are passed over for all records at once; more are for few."""


class Inner(Protocol):
    """What decodes the records that come out of their wrapping."""

    def split(self, frame: Frame, faults: Faults) -> Mapping[Path, Texts]:
        """As every format's rows do."""
        ...


class ArrayLineRows:
    """Records that are lines of one array: ``[{...},`` then ``{...},`` and last ``{...}]``."""

    def __init__(self, inner: Inner) -> None:
        """``inner`` decodes the objects."""
        self._inner = inner

    def split(self, frame: Frame, faults: Faults) -> Mapping[Path, Texts]:
        """As ``inner`` does, without one ``[`` at the start and one ``,`` or ``]`` at the end."""
        return self._inner.split(bare(frame), faults)


class EnvelopeRows:
    """Records that Kafka Connect wrapped: ``{"schema": ..., "payload": ...}``."""

    def __init__(self, inner: Inner) -> None:
        """``inner`` decodes the payloads, which are objects or the JSON texts of objects."""
        self._envelopes = JsonRows([PAYLOAD])
        self._inner = inner

    def split(self, frame: Frame, faults: Faults) -> Mapping[Path, Texts]:
        """As ``inner`` does for the payloads; a record without one is a dead letter."""
        payloads = strings(self._envelopes.split(frame, faults)[PAYLOAD])
        without = ~payloads.is_valid().to_numpy(zero_copy_only=False) & ~faults.out
        for row in np.flatnonzero(without).tolist():
            faults.mark(row, Code.NO_PAYLOAD, f"no payload: {shown(frame.content(row).decode())}")
        return self._inner.split(Frame(_as_records(payloads, frame.records)), faults)


def bare(frame: Frame) -> Frame:
    """A frame of the same records, an array's marks around them being blanks."""
    if not len(frame) or frame.offsets[0] == frame.offsets[-1]:
        return frame
    inside = _Inside(frame)
    inside.skip_blanks()
    inside.open(ord("["))
    inside.close((ord(","), ord("]")))
    inside.skip_blanks()
    return Frame(
        replace(frame.records, data=inside.buffer, offsets=inside.offsets), inside.contents
    )


class _Inside:
    """What lies inside of records: it shrinks, and marks that are left outside become blanks."""

    def __init__(self, frame: Frame) -> None:
        begin, end = frame.offsets[0], frame.offsets[-1]
        self._data = frame.data[begin:end].copy()
        self.buffer = pa.py_buffer(self._data)
        self.offsets = frame.offsets - begin
        self._starts, self._ends = frame.starts - begin, frame.ends - begin
        self._first, self._last = frame.first.copy(), frame.last.copy()

    @property
    def contents(self) -> Contents:
        """What is left, as a frame's contents."""
        return Contents(
            self.buffer,
            self._data,
            self.offsets,
            self._starts,
            self._ends,
            self._first,
            self._last,
        )

    def open(self, mark: int) -> None:
        """Leave out the mark where it is the first byte."""
        rows = np.flatnonzero(self._first == mark)
        self._data[self._starts[rows]] = ord(" ")
        self._starts[rows] += 1
        self._look(rows)

    def close(self, marks: tuple[int, int]) -> None:
        """Leave out one of the marks where it is the last byte."""
        rows = np.flatnonzero((self._last == marks[0]) | (self._last == marks[1]))
        self._ends[rows] -= 1
        self._data[self._ends[rows]] = ord(" ")
        self._look(rows)

    def skip_blanks(self) -> None:
        """Leave out the blanks around: few for all at once; where there are more, one by one."""
        for _ in range(_STEPS):
            before, behind = _is_blank(self._first), _is_blank(self._last)
            rows = np.flatnonzero(before | behind)
            if not len(rows):
                return
            self._starts += before
            self._ends -= behind & (self._starts < self._ends)
            self._look(rows)
        rows = np.flatnonzero(_is_blank(self._first) | _is_blank(self._last))
        for row in rows.tolist():
            content = self._data[self._starts[row] : self._ends[row]].tobytes()
            self._starts[row] = self._ends[row] - len(content.lstrip(BLANKS))
            self._ends[row] = self._starts[row] + len(content.strip(BLANKS))
        self._look(rows)

    def _look(self, rows: NDArray[np.intp]) -> None:
        """See what the first and the last byte of changed records are now; 0: there is none."""
        starts, ends = self._starts[rows], self._ends[rows]
        filled = starts < ends
        self._first[rows] = np.where(filled, self._data[np.minimum(starts, len(self._data) - 1)], 0)
        self._last[rows] = np.where(filled, self._data[ends - 1], 0)


def _is_blank(found: NDArray[np.uint8]) -> NDArray[np.bool_]:
    blank: NDArray[np.bool_] = found == BLANKS[0]
    for byte in BLANKS[1:]:
        blank |= found == byte
    return blank


def _as_records(texts: pa.StringArray, like: Records) -> Records:
    """Texts as records at the same positions; a null is one without bytes."""
    _, places, data = texts.buffers()
    offsets = np.frombuffer(places, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return Records(data or pa.py_buffer(b""), offsets, like.positions)
