"""Columns cut out of records: the places of their first and last bytes made Arrow string arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
