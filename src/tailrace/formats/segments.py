"""Columns cut out of records: the places of their first and last bytes made Arrow string arrays."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Cut:
    """Texts within a buffer, all present, copied from there only if somebody needs them as such.

    Text i is ``buffer[starts[i]:ends[i]]``; they ascend without overlapping. ``words``: their first
    bytes, eight in each, the first the lowest; what follows a text in its last word is anything.
    None where nobody reads numbers out of them.
    """

    def __init__(
        self,
        buffer: pa.Buffer,
        starts: NDArray[np.int32],
        ends: NDArray[np.int32],
        words: NDArray[np.uint64] | None = None,
    ) -> None:
        """Note the places; ``words``: a row for each eight bytes."""
        self._buffer, self._starts, self._ends = buffer, starts, ends
        self.words = words

    def __len__(self) -> int:
        return len(self._starts)

    @cached_property
    def sizes(self) -> NDArray[np.int32]:
        """How many bytes each text has."""
        return self._ends - self._starts

    @cached_property
    def strings(self) -> pa.StringArray:
        """The texts as an array of their own."""
        return strings_at(self._buffer, self._starts, self._ends, np.ones(len(self), np.bool_))

    def first(self) -> str:
        """The first text."""
        place = memoryview(self._buffer)[self._starts[0] : self._ends[0]]
        return place.tobytes().decode(errors="replace")


Texts: TypeAlias = pa.StringArray | Cut
"""A column of texts."""


def strings(texts: Texts) -> pa.StringArray:
    """A column of texts as an array."""
    return texts.strings if isinstance(texts, Cut) else texts


def strings_at(
    buffer: pa.Buffer,
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    valid: NDArray[np.bool_],
) -> pa.StringArray:
    """The texts ``buffer[starts[i]:ends[i]]``, null where not valid.

    Valid ones must ascend without overlapping; the places of the others don't matter.
    """
    length = len(starts)
    if not length:
        return pa.array([], pa.string())
    edges = np.empty(2 * length, np.int32)
    edges[0::2], edges[1::2] = starts, ends
    present = None
    if not valid.all():
        edges[0::2][~valid] = edges[1::2][~valid] = 0
        np.maximum.accumulate(edges, out=edges)
        present = pa.py_buffer(np.packbits(valid, bitorder="little"))
    pieces = pa.Array.from_buffers(pa.string(), 2 * length - 1, [None, pa.py_buffer(edges), buffer])
    taken = pieces.take(pa.array(np.arange(0, 2 * length, 2, dtype=np.int32)))
    _, offsets, data = taken.buffers()
    return pa.Array.from_buffers(pa.string(), length, [present, offsets, data])
