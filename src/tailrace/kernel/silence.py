"""Empty windows of rules that have limits: for the keys that references list, and without a key.

What a window without events is judged to be depends on its key and on the rows in force at its end
alone; so one window of each key stands for all between two dates, and only those of keys whose
condition holds (or fails) are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.empties import empty_totals, most_of
from tailrace.kernel.limits import changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.empties import Gaps
    from tailrace.kernel.judging import Judged
    from tailrace.kernel.listing import Listing
    from tailrace.kernel.lookups import Lookups
    from tailrace.kernel.totals import Totals
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.model import Partial, Rule

BLOCK = 200_000
"""So many (key, window) are judged at a time."""


class Silence:
    """Judges windows without events of one rule."""

    def __init__(
        self,
        rule: Rule,
        known: Lookups,
        partials: Sequence[Partial],
        judge: Callable[[Totals], Judged],
    ) -> None:
        """``judge`` judges totals, ``partials`` are the columns that these have."""
        self._rule, self._known = rule, known
        self._partials, self._judge = partials, judge

    def of_listed(
        self,
        listing: Listing,
        gaps: Gaps,
        present: Sequence[Totals],
        mine: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    ) -> tuple[list[RuleFirings], int, int]:
        """For all keys that references list, but for the windows that are ``present``.

        ``mine`` chooses those of some keys that are meant. Firings, failures, and how many windows
        beyond the bounds are left out.
        """
        firings: list[RuleFirings] = []
        failures = left_out = 0
        own = listing.at(0)[:0]
        for part in self._segments(gaps.ends):
            listed = listing.at(int(part[0]))
            own = mine(listed)
            inside = part[gaps.distances(part) <= most_of(len(listed))]
            left_out += len(own) * (len(part) - len(inside))
            if len(inside) and len(own):
                found, failed = self._windows(own, inside, present)
                firings += found
                failures += failed
        return firings, failures, left_out + gaps.left_out * len(own)

    def of_all(self, key: int, ends: NDArray[np.int64]) -> tuple[list[RuleFirings], int]:
        """For the one key of a rule without a key: firings and failures."""
        firings: list[RuleFirings] = []
        failures = 0
        for part in self._segments(ends):
            found, failed = self._windows(np.array([key], np.int64), part, ())
            firings += found
            failures += failed
        return firings, failures

    def _segments(self, ends: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Stretches of ends at which the same rows are in force."""
        if len(ends):
            dates = changes(self._rule, self._known, int(ends[0]), int(ends[-1]))
            places = np.searchsorted(ends, dates, side="left")
            yield from (part for part in np.split(ends, np.unique(places)) if len(part))

    def _windows(
        self, keys: NDArray[np.int64], ends: NDArray[np.int64], present: Sequence[Totals]
    ) -> tuple[list[RuleFirings], int]:
        sample = self._judge(self._empty(keys, np.full(len(keys), ends[0])))
        speaks = sample.failed.copy()
        speaks[sample.chosen] = True
        keys = keys[speaks]
        firings: list[RuleFirings] = []
        failures = 0
        step = max(1, BLOCK // max(1, len(keys)))
        for start in range(0, len(ends) if len(keys) else 0, step):
            block = ends[start : start + step]
            numbers = np.repeat(keys, len(block))
            times = np.tile(block, len(keys))
            empty = ~_among(numbers, times, present)
            judged = self._judge(self._empty(numbers[empty], times[empty]))
            failures += int(judged.failed.sum())
            if len(judged.firings.keys):
                firings.append(judged.firings)
        return firings, failures

    def _empty(self, keys: NDArray[np.int64], ends: NDArray[np.int64]) -> Totals:
        return empty_totals(keys, ends, self._partials)


def _among(
    keys: NDArray[np.int64], ends: NDArray[np.int64], present: Sequence[Totals]
) -> NDArray[np.bool_]:
    """Which (key, end) there are totals for."""
    found = np.zeros(len(keys), np.bool_)
    if not len(keys):
        return found
    distinct = np.unique(ends)
    wanted = keys * len(distinct) + np.searchsorted(distinct, ends)
    for totals in present:
        places = np.searchsorted(distinct, totals.ends)
        inside = np.minimum(places, len(distinct) - 1)
        same = distinct[inside] == totals.ends
        found |= np.isin(wanted, totals.keys[same] * len(distinct) + inside[same])
    return found
