"""Empty windows of rules that have limits: for the keys that references list, and without a key.

What a window without events is judged to be depends on its key and on the rows in force at its end
alone; so one window of each key stands for all between two dates, and only those of keys whose
condition holds (or fails) are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.kernel.empties import MOST, empty_totals
from tailrace.kernel.limits import changes, listed_keys
from tailrace.plan.identity import Time, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.judging import Judged
    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.lookups import Lookups
    from tailrace.kernel.totals import Totals
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Partial, Rule

CELLS = 1_000_000
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
        keys: DenseKeys,
        ends: NDArray[np.int64],
        present: Sequence[Totals],
        share: NDArray[np.bool_] | None = None,
    ) -> tuple[list[RuleFirings], int, int]:
        """For all keys that references list, but for the windows that are ``present``.

        ``share``: the hash buckets whose keys are meant, None for all. Firings, failures, and how
        many windows beyond the bound are left out.
        """
        firings: list[RuleFirings] = []
        failures = left_out = 0
        kept = ends[:MOST]
        for part in self._segments(ends):
            listed = numbers_of(
                self._rule, keys, listed_keys(self._rule, self._known, int(part[0]))
            )
            if share is not None and len(listed):
                listed = listed[share[keys.buckets_of(listed)]]
            inside = part[part <= kept[-1]]
            left_out += len(listed) * (len(part) - len(inside))
            if len(inside) and len(listed):
                found, failed = self._windows(listed, inside, present)
                firings += found
                failures += failed
        return firings, failures, left_out

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
        step = max(1, CELLS // max(1, len(keys)))
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


def numbers_of(
    rule: Rule, keys: DenseKeys, listed: Sequence[tuple[Scalar, ...]]
) -> NDArray[np.int64]:
    """The numbers of keys that may never have been seen."""
    kinds = [key.node.type for key in rule.keys]
    if kinds == [Type.TEXT]:
        codes = [str(key[0]) for key in listed]
    else:
        codes = [encode(*_timed(key, kinds)).decode() for key in listed]
    types = {Type.TEXT: pa.string(), Type.BOOLEAN: pa.bool_()}
    fields = [
        pa.chunked_array([pa.array([key[place] for key in listed], types.get(kind, pa.int64()))])
        for place, kind in enumerate(kinds)
    ]
    return keys.number(pa.chunked_array([pa.array(codes, pa.string())]), fields)


def _timed(key: tuple[Scalar, ...], kinds: Sequence[Type]) -> tuple[Scalar, ...]:
    return tuple(
        Time(int(value)) if kind is Type.TIME and value is not None else value
        for value, kind in zip(key, kinds, strict=True)
    )


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
