"""Which keys a rule that sees events in order has no place for (SEMANTICS 12), pane after pane.

Here is who goes and when; what is then dropped is the reducers' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.plan.identity import BUCKETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailrace.kernel.keys import DenseKeys

_LONG_AGO = -(2**62)


@dataclass(frozen=True, slots=True)
class Presence:
    """Of each of these keys there are events in a pane, or something is remembered since it.

    Both arrays are of one length; a (key, pane) may be there several times.
    """

    keys: NDArray[np.int64]
    panes: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> Presence:
        """That of the keys that ``chosen``, by a key's number, has."""
        rows = chosen[self.keys]
        return Presence(self.keys[rows], self.panes[rows])


class Loss(NamedTuple):
    """Keys without a place in one pane: those whose events go, and those that are forgotten."""

    pane: int
    evicted: NDArray[np.int64]
    forgotten: NDArray[np.int64]
    buckets: int
    """A mask of the hash buckets that lost keys."""


class Crowding:
    """Keeps ``per_bucket`` keys of each bucket, each for ``reach`` panes after its last events."""

    def __init__(self, per_bucket: int, reach: int, salt: str) -> None:
        """``salt`` is the store's, by which hashes are made."""
        self._per_bucket = per_bucket
        self._reach = reach
        self._salt = salt

    def possible(self, keys: DenseKeys) -> bool:
        """Whether a bucket has too many keys, counting all that have a number."""
        if len(keys) <= self._per_bucket:
            return False
        counts = np.bincount(keys.buckets_of(np.arange(len(keys))), minlength=BUCKETS)
        return bool(counts.max() > self._per_bucket)

    def losses(self, keys: DenseKeys, remembered: Presence, coming: Presence) -> Iterator[Loss]:
        """Who has no place in the panes of ``coming``, which are all after the remembered ones."""
        if not len(coming.keys):
            return
        first = int(coming.panes.min())
        alive = remembered.panes >= first - self._reach
        there = np.zeros(len(keys), np.bool_)
        there[remembered.keys[alive]] = True
        there[coming.keys] = True
        numbers = np.flatnonzero(there)
        buckets = keys.buckets_of(numbers)
        full = np.bincount(buckets, minlength=BUCKETS) > self._per_bucket
        if not full.any():
            return
        there[numbers[~full[buckets]]] = False
        yield from self._one_after_another(keys, there, remembered.of(there), coming.of(there))

    def _one_after_another(
        self,
        keys: DenseKeys,
        chosen: NDArray[np.bool_],
        remembered: Presence,
        coming: Presence,
    ) -> Iterator[Loss]:
        numbers = np.flatnonzero(chosen)
        buckets, hashes = keys.buckets_of(numbers), keys.hashes_of(numbers, self._salt)
        order = np.lexsort((hashes, buckets))
        numbers, buckets = numbers[order], buckets[order]
        begins = np.searchsorted(buckets, buckets)
        place = np.zeros(len(chosen), np.int64)
        place[numbers] = np.arange(len(numbers))
        last = np.full(len(numbers), _LONG_AGO)
        np.maximum.at(last, place[remembered.keys], remembered.panes)
        order = np.argsort(coming.panes, kind="stable")
        panes, present = coming.panes[order], place[coming.keys[order]]
        edges = np.flatnonzero(np.r_[True, panes[1:] != panes[:-1], True][: len(panes)])
        for start, stop in zip(edges.tolist(), [*edges[1:].tolist(), len(panes)], strict=True):
            pane, mine = int(panes[start]), present[start:stop]
            alive = last >= pane - self._reach
            if alive[mine].all():
                last[mine] = pane
                continue
            members = alive.copy()
            members[mine] = True
            # Of each bucket's keys, by ascending hash, how many there are before each.
            before: NDArray[np.int64] = np.cumsum(members) - members
            over = members & (before - before[begins] >= self._per_bucket)
            last[mine] = pane
            if over.any():
                last[over] = _LONG_AGO
                mask = sum(1 << bucket for bucket in np.unique(buckets[over]).tolist())
                evicted = np.unique(mine[over[mine]])
                yield Loss(pane, numbers[evicted], numbers[over & alive], mask)
