"""The fixed logarithmic buckets of ``quantile`` (SEMANTICS 16), from the bits of a double.

A bucket is named by the exponent and the top six bits of the mantissa, so there are 64 buckets to
an octave and the middle of a bucket is within 0.8 % of each of its values. Only shifts are used:
the same on every machine. The scheme is that of log-linear histograms (HdrHistogram; "DDSketch",
Masson et al. 2019, gives the error argument).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHIFT = 46


def bucket_index(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """The bucket of each value: 0 for zero, else of the value's sign."""
    size = np.abs(values).view(np.int64) >> _SHIFT
    return np.where(np.signbit(values), -size, size).astype(np.int32)


def bucket_value(indices: NDArray[np.int32]) -> NDArray[np.float64]:
    """The middle of each bucket."""
    size = np.abs(indices.astype(np.int64))
    bits = np.where(size == 0, 0, (size << _SHIFT) | (1 << (_SHIFT - 1)))
    middle = bits.view(np.float64)
    return np.where(indices < 0, -middle, middle)
