"""Measures over ranges of events that are ordered by key and time.

Ranges are given by ``low`` and ``high``, indexes of the events ``[low, high)``; both ascend, and no
range reaches from one key into another. None is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailrace.kernel.wide import addable
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Column

    Places = NDArray[np.int64]


def added(values: Column, low: Places, high: Places) -> Column:
    """The sum of each range."""
    values = addable(values)
    sums: Column = np.zeros(len(values) + 1, values.dtype)
    np.cumsum(values, out=sums[1:])
    found: Column = sums[high] - sums[low]
    return found


def extremes(kind: PartialKind, values: Column, low: Places, high: Places) -> Column:
    """The least or greatest value of each range: the better of two overlapping powers of two."""
    if values.dtype == np.object_:
        return _extreme_texts(kind, values, low, high)
    choose = np.minimum if kind is PartialKind.LEAST else np.maximum
    found = values[low]
    lengths = high - low
    level, width = values, 1
    while width <= int(lengths.max(initial=0)):
        rows = np.flatnonzero((lengths >= width) & (lengths < 2 * width))
        if len(rows):
            found[rows] = choose(level[low[rows]], level[high[rows] - width])
        if len(level) <= width:
            break
        level, width = choose(level[:-width], level[width:]), 2 * width
    return found


def _extreme_texts(kind: PartialKind, values: Column, low: Places, high: Places) -> Column:
    """Texts are compared by their rank; null is worse than any."""
    words = sorted({value for value in values.tolist() if value is not None})
    ranks: dict[Any, int] = {word: rank for rank, word in enumerate(words)}
    worst = len(words) if kind is PartialKind.LEAST else -1
    ranked = np.fromiter((ranks.get(v, worst) for v in values.tolist()), np.int64, len(values))
    # Both len(words) and -1 are the place of the null behind the words.
    return np.array([*words, None], np.object_)[extremes(kind, ranked, low, high)]


def distinct(
    items: NDArray[np.int64],
    present: NDArray[np.int64],
    place: NDArray[np.int64],
    low: Places,
    high: Places,
) -> NDArray[np.int64]:
    """How many distinct items of those present each range has; ``place`` tells keys apart.

    An event counts in the ranges that hold it and not the event before it with its item: ranges
    that follow one another.
    """
    rows = np.flatnonzero(present)
    order = rows[np.lexsort((rows, items[rows], place[rows]))]
    same = (items[order[1:]] == items[order[:-1]]) & (place[order[1:]] == place[order[:-1]])
    before = np.r_[-1, np.where(same, order[:-1], -1)][: len(order)]
    first = np.maximum(
        np.searchsorted(high, order, side="right"), np.searchsorted(low, before, side="right")
    )
    last = np.searchsorted(low, order, side="right")
    there = first < last
    steps = np.zeros(len(low) + 1, np.int64)
    np.add.at(steps, first[there], 1)
    np.add.at(steps, last[there], -1)
    counts: NDArray[np.int64] = np.cumsum(steps)[:-1]
    return counts


def ranks(
    items: NDArray[np.int64],
    present: NDArray[np.int64],
    low: Places,
    high: Places,
    rank: Fraction,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The item of nearest rank of each range, and whether it has any.

    All ranges are narrowed at once, from the first binary digit of the items to the last: before
    each the items stand by the digits seen, in order among equals (a wavelet matrix). The cost is
    that of the events and ranges, times the digits, however many events a range has.
    """
    found = np.zeros(len(low), np.int64)
    before = np.r_[0, np.cumsum(present > 0)]
    low, high = before[low], before[high]
    valid = high > low
    some = np.flatnonzero(valid)
    low, high = low[some], high[some]
    words, codes = np.unique(items[present > 0], return_inverse=True)
    sizes, which = np.unique(high - low, return_inverse=True)
    nearest = [max(1, -(-rank.numerator * n // rank.denominator)) - 1 for n in sizes.tolist()]
    left = np.array(nearest, np.int64)[which]
    code = np.zeros(len(some), np.int64)
    for digit in range(max(len(words) - 1, 0).bit_length() - 1, -1, -1):
        one = codes >> digit & 1 == 1
        zeros = np.r_[0, np.cumsum(~one)]
        lesser_low, lesser_high = zeros[low], zeros[high]
        lesser = lesser_high - lesser_low
        up = left >= lesser
        left = np.where(up, left - lesser, left)
        low = np.where(up, zeros[-1] + low - lesser_low, lesser_low)
        high = np.where(up, zeros[-1] + high - lesser_high, lesser_high)
        code += up.astype(np.int64) << digit
        codes = np.concatenate([codes[~one], codes[one]])
    found[some] = words[code]
    return found, valid
