"""Events sorted by key and time, and searches among them, without a loop over keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.plan.event_columns import TIME
from tailrace.plan.ordered import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Column, Run

MOST_ROWS = 1_000_000
"""About so many rows are worked on at once; a key's rows are never torn apart."""

_LARGEST = 2**61


def by_key_and_time(run: Run, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of a run's rows ordered by key, then time."""
    if not len(times):
        return np.empty(0, np.int64)
    first = int(times.min())
    span = int(times.max()) - first + 1
    if (int(run.keys.max()) + 1) * span < _LARGEST:
        return np.argsort(run.keys * span + (times - first))
    return np.lexsort((times, run.keys))


def in_order(run: Run, *, placed: bool) -> NDArray[np.int64]:
    """The places of a run's rows by key and time; if ``placed``, by partition and position then."""
    times = run.columns[TIME]
    order = by_key_and_time(run, times)
    if not placed:
        return order
    keys, times = run.keys[order], times[order]
    equal = (keys[1:] == keys[:-1]) & (times[1:] == times[:-1])
    tied = np.flatnonzero(np.r_[equal, False] | np.r_[False, equal])
    if not len(tied):
        return order
    # Only these are put in order anew, each within its own tie.
    rows, ties = order[tied], np.cumsum(np.r_[True, ~equal])[tied]
    columns = {name: run.columns[name][rows] for name, _ in PLACE}
    places = (columns["position"], columns["generation"], _ranks(columns["partition"]), ties)
    order[tied] = rows[np.lexsort(places)]
    return order


def _ranks(partitions: Column) -> NDArray[np.int64]:
    """For each partition's name its place among them."""
    names = dict.fromkeys(partitions.tolist())
    places = {name: rank for rank, name in enumerate(sorted(names, key=partition_order))}
    return np.fromiter(map(places.__getitem__, partitions.tolist()), np.int64, len(partitions))


def partition_order(name: str) -> tuple[bytes, int]:
    """What partitions are ordered by: their bytes; those of a topic by number."""
    topic, slash, number = name.rpartition("/")
    if slash and number.isdecimal() and number.isascii():
        return topic.encode("utf-8", "surrogateescape"), int(number)
    return name.encode("utf-8", "surrogateescape"), -1


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some keys' events, ordered by key and time, as one ascending row of codes.

    ``keys``: the distinct keys; ``place``: for each event its key's place among them; ``times``:
    microseconds. Codes of instants up to ``slack`` before the first and after the last event exist.
    """

    keys: NDArray[np.int64]
    place: NDArray[np.int64]
    times: NDArray[np.int64]
    first: int
    span: int

    def codes(self, place: NDArray[np.int64], instants: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the instants of keys are searched by."""
        return place * self.span + (instants - self.first)

    def place_and_instant(
        self, codes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The keys' places and the instants of codes."""
        place = codes // self.span
        return place, codes - place * self.span + self.first


def timelines(
    keys: NDArray[np.int64], times: NDArray[np.int64], slack: int, known: int
) -> Iterator[tuple[slice, Timeline]]:
    """Events ordered by key and time, in parts of whole keys, and where each part is among them.

    No instant that is asked for is further than ``slack`` before an event or after one, or
    after ``known``.
    """
    if not len(keys):
        return
    first = int(times.min()) - slack - 1
    span = max(int(times.max()), known) + slack + 2 - first
    most_keys = max(1, _LARGEST // span)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    edges = np.r_[starts, len(keys)]
    at = 0
    while at < len(starts):
        stop = int(np.searchsorted(edges, edges[at] + MOST_ROWS, side="right")) - 1
        stop = max(at + 1, min(stop, at + most_keys, len(starts)))
        rows = slice(int(edges[at]), int(edges[stop]))
        sizes = np.diff(edges[at : stop + 1])
        place = np.repeat(np.arange(stop - at), sizes)
        yield rows, Timeline(keys[starts[at:stop]], place, times[rows], first, span)
        at = stop
