"""Measures with several rows of partials for a key and pane: distinct sets, quantile buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.buckets import bucket_value
from tailrace.kernel.totals import CELLS, expand

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Run
    from tailrace.kernel.totals import Totals
    from tailrace.plan.model import Window


def _window_items(
    rows: Run, window: Window, totals: Totals
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Each distinct (row of ``totals``, item) with its summed count, sorted by both."""
    after, until = int(totals.ends.min()) - 1, int(totals.ends.max())
    place = _places(totals)
    low, high = (after + 1 - window.size) // window.width, until // window.width
    near = np.flatnonzero(
        (rows.panes >= low) & (rows.panes < high) & np.isin(rows.keys, totals.keys)
    )
    found_rows: list[NDArray[np.int64]] = []
    found_items: list[NDArray[np.int64]] = []
    found_counts: list[NDArray[np.int64]] = []
    step = max(1, CELLS // -(-window.size // window.every))
    for first in range(0, len(near), step):
        chosen = near[first : first + step]
        index, end = expand(rows.panes[chosen], window, after, until)
        index = chosen[index]
        target = place(rows.keys[index], end)
        index, target = index[target >= 0], target[target >= 0]
        merged = _summed(target, rows.columns["item"][index], rows.columns["n"][index])
        found_rows.append(merged[0])
        found_items.append(merged[1])
        found_counts.append(merged[2])
    if not found_rows:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    return _summed(
        np.concatenate(found_rows), np.concatenate(found_items), np.concatenate(found_counts)
    )


class _places:  # noqa: N801 - used as a function
    """Finds the row of a (key, end) in totals."""

    def __init__(self, totals: Totals) -> None:
        self._order = np.lexsort((totals.keys, totals.ends))
        self._ends, self._keys = totals.ends[self._order], totals.keys[self._order]
        self._distinct, self._first = np.unique(self._ends, return_index=True)
        self._span = int(totals.keys.max()) + 1
        self._code = np.searchsorted(self._distinct, self._ends) * self._span + self._keys

    def __call__(self, keys: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
        at = np.searchsorted(self._distinct, ends)
        at = np.minimum(at, len(self._distinct) - 1)
        known = (self._distinct[at] == ends) & (keys < self._span)
        code = at * self._span + keys
        slot = np.minimum(np.searchsorted(self._code, code), len(self._code) - 1)
        hit = known & (self._code[slot] == code)
        return np.where(hit, self._order[slot], -1)


def _summed(
    rows: NDArray[np.int64], items: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    if not len(rows):
        return rows, items, counts
    order = np.lexsort((items, rows))
    rows, items, counts = rows[order], items[order], counts[order]
    starts = np.flatnonzero(np.r_[True, (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])])
    return rows[starts], items[starts], np.add.reduceat(counts, starts)


def distinct_counts(
    rows: Run | None, window: Window, totals: Totals, most: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many distinct items each row of ``totals`` has, at most ``most``; whether it had more."""
    if rows is None or not len(totals):
        return np.zeros(len(totals), np.int64), np.zeros(len(totals), np.bool_)
    target, _, _ = _window_items(rows, window, totals)
    counts = np.bincount(target, minlength=len(totals)).astype(np.int64)
    return np.minimum(counts, most), counts > most


def quantiles(
    rows: Run | None, window: Window, totals: Totals, rank: Fraction
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The nearest-rank quantile of each row of ``totals``, and whether it has one."""
    values, valid = np.zeros(len(totals), np.float64), np.zeros(len(totals), np.bool_)
    if rows is None or not len(totals):
        return values, valid
    target, items, counts = _window_items(rows, window, totals)
    if not len(target):
        return values, valid
    running = np.cumsum(counts)
    starts = np.flatnonzero(np.r_[True, target[1:] != target[:-1]])
    before = np.r_[0, running[starts[1:] - 1]]
    sizes = np.diff(np.r_[before, running[-1]])
    wanted = np.array(
        [max(1, -(-rank.numerator * n // rank.denominator)) for n in sizes.tolist()], np.int64
    )
    chosen = np.searchsorted(running, before + wanted)
    values[target[starts]] = bucket_value(items[chosen].astype(np.int32))
    valid[target[starts]] = True
    return values, valid
