"""Bounded keys (SEMANTICS 12): of each (group, bucket, pane) those of the least salted hash stay.

The rule depends on the set of keys alone, so the same keys stay in whatever order they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.runs import Run
from tailrace.plan.identity import BUCKETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.runs import Runs
    from tailrace.plan.model import Bounds, Window


class Bound:
    """Enforces ``max_keys`` and ``max_distinct`` on the panes of one group.

    ``touched``: for each pane that lost keys, which of its buckets did, as a mask of 64 bits; the
    windows that hold such a pane are flagged for the keys of these buckets.
    """

    def __init__(self, bounds: Bounds, salt: str) -> None:
        """Nothing is evicted yet."""
        self._per_bucket = bounds.keys_per_bucket
        self._most_distinct = bounds.max_distinct
        self._salt = salt
        self._rows: dict[int, int] = {}
        self._fullest: dict[int, NDArray[np.int64]] = {}
        """Of large panes: at least the number of keys in each bucket."""
        self._side_rows: dict[int, int] = {}
        self.touched: dict[int, int] = {}

    @property
    def ever(self) -> bool:
        """Whether a pane that is still held lost keys."""
        return bool(self.touched)

    def recount(self, runs: Runs) -> None:
        """Count the rows that are held anew, after some were loaded."""
        self._rows.clear()

        def count(run: Run) -> Run:
            for pane, rows in zip(*np.unique(run.panes, return_counts=True), strict=True):
                self._rows[int(pane)] = self._rows.get(int(pane), 0) + int(rows)
            return run

        runs.map(count)

    def enforce(
        self,
        added: Run,
        runs: Runs,
        sides: Iterable[Runs],
        sets: Sequence[Runs],
        keys: DenseKeys,
    ) -> tuple[int, bool]:
        """Evict what is beyond the bounds after rows were added.

        ``sides`` are all rows of sided partials, ``sets`` those of distinct values among them.
        Returns the number of events evicted, and whether rows were removed.
        """
        if not len(added):
            return 0, False
        evicted, changed = 0, False
        edges = np.flatnonzero(np.r_[True, added.panes[1:] != added.panes[:-1]])
        sizes = np.diff(np.r_[edges, len(added)])
        crowded = []
        # Mostly all keys that are known would have a place; to find out is dear.
        few = True if len(keys) <= self._per_bucket else None
        for pane, edge, size in zip(
            added.panes[edges].tolist(), edges.tolist(), sizes.tolist(), strict=True
        ):
            total = self._rows.get(pane, 0) + size
            self._rows[pane] = total
            if total <= self._per_bucket:
                continue
            if few is None:
                few = keys.largest_bucket() <= self._per_bucket
            if few:
                self._fullest.pop(pane, None)
            elif self._may_be_full(pane, added.keys[edge : edge + size], keys):
                crowded.append(pane)
        side_list = list(sides)
        for pane in crowded:
            gone = self._evict(pane, runs, side_list, keys)
            if gone is not None:
                evicted += gone
                changed = True
        return evicted, self._limit_sets(added, sets) or changed

    def _may_be_full(self, pane: int, added: NDArray[np.int64], keys: DenseKeys) -> bool:
        """Whether a bucket of a large pane can have too many keys; an exact count is dear."""
        fullest = self._fullest.get(pane)
        if fullest is None:
            return True
        fullest += np.bincount(keys.buckets_of(added), minlength=BUCKETS)
        return bool(fullest.max() > self._per_bucket)

    def _evict(self, pane: int, runs: Runs, sides: list[Runs], keys: DenseKeys) -> int | None:
        rows = runs.span(pane, pane + 1)
        assert rows is not None  # noqa: S101 - the pane was just added to
        distinct = np.unique(rows.keys)
        self._rows[pane] = len(distinct)
        if len(distinct) <= self._per_bucket:
            self._fullest.pop(pane, None)
            return None
        buckets = keys.buckets_of(distinct)
        counts = np.bincount(buckets, minlength=BUCKETS)
        self._fullest[pane] = np.minimum(counts, self._per_bucket)
        full = np.flatnonzero(counts > self._per_bucket)
        if not len(full):
            return None
        hashes = keys.hashes_of(distinct, self._salt)
        lost: list[NDArray[np.int64]] = []
        for bucket in full.tolist():
            mine = np.flatnonzero(buckets == bucket)
            order = mine[np.argsort(hashes[mine], kind="stable")]
            lost.append(distinct[order[self._per_bucket :]])
            self.touched[pane] = self.touched.get(pane, 0) | 1 << bucket
        gone = np.zeros(len(keys), np.bool_)
        gone[np.concatenate(lost)] = True
        events = int(rows.columns["n"][gone[rows.keys]].sum())

        def without(run: Run) -> Run:
            hit = (run.panes == pane) & gone[run.keys]
            return run.part(~hit) if hit.any() else run

        runs.map(without)
        for side in sides:
            side.map(without)
        self._rows[pane] -= sum(len(part) for part in lost)
        return events

    def _limit_sets(self, added: Run, sets: Sequence[Runs]) -> bool:
        """Keep ``max_distinct + 1`` items of each (key, pane): enough to know of more."""
        most = self._most_distinct + 1
        changed = False
        for pane in np.unique(added.panes).tolist() if sets else ():
            for side in sets:
                rows = side.span(pane, pane + 1)
                if rows is None or len(rows) <= most:
                    continue
                if len(rows) <= 2 * self._side_rows.get(pane, 0):
                    continue
                surplus = self._trim(rows, most)
                self._side_rows[pane] = len(rows)
                if surplus is None:
                    continue

                def without(run: Run, pane: int = pane) -> Run:
                    keep = run.part(run.panes != pane)
                    return run if len(keep) == len(run) else keep

                side.map(without)
                side.append(surplus)
                self._side_rows[pane] = len(surplus)
                changed = True
        return changed

    @staticmethod
    def _trim(rows: Run, most: int) -> Run | None:
        """One row an item, the first ``most`` items of each key; None if nothing is beyond that."""
        if np.bincount(rows.keys).max() <= most:
            return None
        items = rows.columns["item"]
        order = np.lexsort((items, rows.keys))
        keys, items = rows.keys[order], items[order]
        new = np.r_[True, (keys[1:] != keys[:-1]) | (items[1:] != items[:-1])]
        order, keys = order[new], keys[new]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        rank = np.arange(len(keys)) - np.repeat(starts, np.diff(np.r_[starts, len(keys)]))
        if not (rank >= most).any():
            return None
        return rows.part(order[rank < most])

    def flags(
        self,
        window: Window,
        numbers: NDArray[np.int64],
        ends: NDArray[np.int64],
        keys: DenseKeys,
    ) -> NDArray[np.bool_]:
        """Which windows, by key and end, have a pane whose bucket of their key lost keys."""
        hit = np.zeros(len(ends), np.bool_)
        buckets = keys.buckets_of(numbers)
        for pane, lost in self.touched.items():
            inside = (ends - window.size < (pane + 1) * window.width) & (ends > pane * window.width)
            if inside.any():
                hit |= inside & np.isin(buckets, [b for b in range(BUCKETS) if lost >> b & 1])
        return hit

    def forget_before(self, pane: int) -> None:
        """Drop what is known of panes before this one."""
        for known in (self._rows, self._side_rows, self.touched, self._fullest):
            for old in [p for p in known if p < pane]:
                del known[old]
