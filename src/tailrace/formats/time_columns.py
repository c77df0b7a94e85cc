"""Whole columns of texts into microseconds UTC: shape by shape, the rest text by text.

What a text means is said in ``times``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tailrace.formats import digits, times
from tailrace.formats.columns import Memory, Typed, column_of, patch
from tailrace.formats.segments import Cut, Texts
from tailrace.formats.spec import TimeForm
from tailrace.formats.time_shapes import Epoch, Shape, shape_of
from tailrace.formats.zones import zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16_384
"""Rows at a time, so that their bytes stay in the cache."""
LONGEST = 40
"""Bytes of the longest texts that are read by shape."""
WORTHWHILE = 64
"""Fewer texts of a length, or of a shape, are read one by one."""
TRIES = 8
"""Texts of a length that are asked for their shape before the rest is read one by one."""


def time_column(texts: Texts, form: TimeForm, zone: str, year: int | None) -> Typed:
    """Texts as int64 microseconds UTC."""
    tz = zone_of(zone)
    if isinstance(texts, Cut):
        counted = _counted(texts, form, tz)
        if counted is not None:
            return Typed(column_of(counted))
        texts = texts.strings
    memory = Memory.of(texts)
    known = np.zeros(len(texts), np.int64)
    right = np.zeros(len(texts), np.bool_)
    for length, rows in _by_length(memory):
        reader = _Reader(memory, length, form, tz, year)
        for start in range(0, rows.stop if isinstance(rows, slice) else len(rows), BLOCK):
            if isinstance(rows, slice):
                block: slice | NDArray[np.intp] = slice(start, min(start + BLOCK, rows.stop))
            else:
                block = rows[start : start + BLOCK]
            known[block], right[block] = reader.read(block)
    return patch(texts, memory.valid, right, known, lambda text: times.time(text, form, tz, year))


def _counted(texts: Cut, form: TimeForm, zone: tzinfo) -> NDArray[np.int64] | None:
    """Times that are numbers of one shape, read out of words; None if they aren't."""
    if texts.words is None or len(texts) < WORTHWHILE or (texts.sizes != texts.sizes[0]).any():
        return None
    shape = shape_of(texts.first(), form, zone, None) if texts.sizes[0] else None
    if not isinstance(shape, Epoch) or texts.sizes[0] > len(texts.words) * digits.BYTES:
        return None
    known, right = shape.read_words(texts.words)
    return known if right.all() else None


def _by_length(memory: Memory) -> Iterator[tuple[int, slice | NDArray[np.intp]]]:
    """Each length worth while with the rows that have it, a slice if all have."""
    lengths = memory.ends - memory.starts
    if len(lengths) and memory.valid.all() and (lengths == lengths[0]).all():
        if len(lengths) >= WORTHWHILE and 0 < lengths[0] <= LONGEST:
            yield int(lengths[0]), slice(0, len(lengths))
        return
    lengths = np.where(memory.valid, lengths, 0)
    counts = np.bincount(np.minimum(lengths, LONGEST + 1), minlength=LONGEST + 2)
    for length in np.flatnonzero(counts[: LONGEST + 1] >= WORTHWHILE).tolist():
        if length:
            yield length, np.flatnonzero(lengths == length)


class _Reader:
    """Reads the texts of one length, learning their shapes on the way."""

    def __init__(
        self, memory: Memory, length: int, form: TimeForm, zone: tzinfo, year: int | None
    ) -> None:
        self._memory = memory
        self._length = length
        self._form = form
        self._zone = zone
        self._year = year
        self._shapes: list[Shape] = []
        self._tries = TRIES

    def read(self, rows: slice | NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Microseconds of some rows, and whether they are right."""
        columns = np.ascontiguousarray(self._texts(rows).T)
        size = columns.shape[1]
        known = np.zeros(size, np.int64)
        right = np.zeros(size, np.bool_)
        for shape in self._shapes_for(columns, right):
            left = np.flatnonzero(~right)
            if len(left) == size:
                known, right[:] = shape.read(columns)
            else:
                known[left], right[left] = shape.read(columns[:, left])
        return known, right

    def _texts(self, rows: slice | NDArray[np.intp]) -> NDArray[np.uint8]:
        """The bytes of each text; those of a slice follow each other in memory."""
        memory = self._memory
        if isinstance(rows, slice):
            run = memory.data[memory.starts[rows.start] : memory.ends[rows.stop - 1]]
            return run.reshape(-1, self._length)
        texts: NDArray[np.uint8] = sliding_window_view(memory.data, self._length)[
            memory.starts[rows]
        ]
        return texts

    def _shapes_for(self, columns: NDArray[np.uint8], right: NDArray[np.bool_]) -> Iterator[Shape]:
        """Known shapes, then new ones, until ``right``, which the caller fills, is nearly full."""
        known = iter(tuple(self._shapes))
        asked = -1
        while len(left := np.flatnonzero(~right)) >= WORTHWHILE:
            shape = next(known, None)
            while shape is None:
                unasked = left[left > asked]
                if not self._tries or not len(unasked):
                    return
                self._tries -= 1
                asked = int(unasked[0])
                text = columns[:, asked].tobytes().decode(errors="replace")
                shape = shape_of(text, self._form, self._zone, self._year)
                if shape is not None:
                    self._shapes.append(shape)
            yield shape
