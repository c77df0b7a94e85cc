"""Exact 128-bit totals as arrays: int64 where all values fit, Python integers where one doesn't.

Sums and deviations are integers (SEMANTICS 15), so that their order can't matter. Nearly always
they fit 64 bits; the rare column that doesn't is slower, never wrong.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Exact = NDArray[np.int64] | NDArray[np.object_]
"""int64, or objects that are Python integers."""

_SAFE = float(2**62)


def from_arrow(column: pa.ChunkedArray) -> Exact:
    """Read int64 or decimal128(38, 0) (DuckDB's HUGEINT) without nulls."""
    chunks = [_from_chunk(chunk) for chunk in column.chunks if len(chunk)]
    if not chunks:
        return np.empty(0, np.int64)
    if len(chunks) == 1:
        return chunks[0]
    if any(chunk.dtype == np.object_ for chunk in chunks):
        return np.concatenate([chunk.astype(np.object_) for chunk in chunks])
    return np.concatenate([chunk.astype(np.int64) for chunk in chunks])


def _from_chunk(chunk: pa.Array) -> Exact:
    if not pa.types.is_decimal(chunk.type):
        plain: NDArray[np.int64] = chunk.to_numpy()
        return plain
    halves = np.frombuffer(chunk.buffers()[1], dtype=np.int64)[2 * chunk.offset :][: 2 * len(chunk)]
    low, high = halves[0::2], halves[1::2]
    if bool((high == (low >> 63)).all()):
        return low.copy()
    lows = low.view(np.uint64).astype(np.object_)
    whole: NDArray[np.object_] = (high.astype(np.object_) << 64) | lows
    return whole


def to_arrow(values: Exact) -> pa.Array:
    """As decimal128(38, 0), which DuckDB reads as HUGEINT after a cast."""
    exact = values.astype(np.int64) if values.dtype != np.object_ else None
    halves = np.empty(2 * len(values), np.int64)
    if exact is not None:
        halves[0::2], halves[1::2] = exact, exact >> 63
    else:
        halves[0::2] = [_signed(int(value) & (2**64 - 1)) for value in values]
        halves[1::2] = [int(value) >> 64 for value in values]
    return pa.Array.from_buffers(pa.decimal128(38, 0), len(values), [None, pa.py_buffer(halves)])


def _signed(low: int) -> int:
    return low - 2**64 if low >= 2**63 else low


def addable(
    values: Exact,
) -> Exact:
    """The same values in a form whose sums over all of them can't overflow."""
    if values.dtype == np.object_:
        return values
    if float(np.abs(values.astype(np.float64)).sum()) < _SAFE:
        return values
    return values.astype(np.object_)


def to_float(values: Exact) -> NDArray[np.float64]:
    """The nearest doubles, correctly rounded."""
    if values.dtype != np.object_:
        return values.astype(np.float64)
    return np.fromiter((float(int(value)) for value in values), np.float64, len(values))
