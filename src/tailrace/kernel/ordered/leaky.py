"""Buckets that leak: one for each key, filled by its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.kernel.ordered.kinds import Found
from tailrace.kernel.ordered.leaky_rounds import Levels, fill_in_rounds
from tailrace.kernel.time import NEVER
from tailrace.kernel.types import FLAG_SATURATED
from tailrace.plan.event_columns import TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.ordered.reducer import Span
    from tailrace.kernel.ordered.states import States
    from tailrace.kernel.runs import Column, Run
    from tailrace.plan.ordered import Leaky


_MARK = 0
"""No value's hash, but once in 2^64."""


class Bucket(NamedTuple):
    """A bucket as it was at its key's last event: its level in microseconds of leaking."""

    time: int
    level: int
    poured: int
    blind_until: int
    items: set[int] | None


class Buckets:
    """A state is a bucket, as it was at the key's last event; its items are a set.

    A set that had no room for a value has ``_MARK`` in it.
    """

    def __init__(self, rule: Leaky, most_items: int) -> None:
        """Fill buckets by ``rule``; a bucket knows up to ``most_items`` different values."""
        self._rule = rule
        self._most = most_items

    def advance(self, rows: Run, states: States, span: Span) -> Found:  # noqa: ARG002 - as all
        """As ``Kind.advance``."""
        if not len(rows):
            return Found()
        starts = np.flatnonzero(np.r_[True, rows.keys[1:] != rows.keys[:-1]])
        sizes = np.diff(np.r_[starts, len(rows)])
        if self._rule.distinct is None:
            return self._plain(rows, states, starts, sizes)
        edges = [*starts.tolist(), len(rows)]
        keys = rows.keys[starts]
        times = rows.columns[TIME].tolist()
        pairs = rows.columns["item"].tolist(), rows.columns["poured"].tolist()
        items = list(zip(*pairs, strict=True))
        fired: list[tuple[int, int, int, int]] = []
        after: list[Bucket] = []
        for place, bucket in enumerate(self._buckets(states, keys)):
            part = slice(edges[place], edges[place + 1])
            after.append(self._fill(place, bucket, times[part], items[part], fired))
        levels = Levels(
            np.array([bucket.time for bucket in after], np.int64),
            np.array([bucket.level for bucket in after], np.int64),
            np.array([bucket.poured for bucket in after], np.int64),
            np.array([bucket.blind_until for bucket in after], np.int64),
        )
        sets = np.full(len(after), None)
        for place, bucket in enumerate(after):
            sets[place] = bucket.items or None
        return _found(keys, levels, sets, [np.array(fired, np.int64).reshape(-1, 4)])

    def _plain(
        self, rows: Run, states: States, starts: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> Found:
        """Fill buckets that take any event: in rounds, then the keys with the most events alone."""
        keys, times = rows.keys[starts], rows.columns[TIME]
        known, columns = states.times[keys], states.columns
        levels = Levels(
            known,
            columns["level"][keys],
            columns["count"][keys],
            np.where(known == NEVER, NEVER, columns["blind_until"][keys]),
        )
        overflowed = np.full(len(keys), NEVER)
        done, parts = fill_in_rounds(self._rule, levels, times, starts, sizes, overflowed)
        fired: list[tuple[int, int, int, int]] = []
        for place in np.flatnonzero(sizes > done).tolist():
            bucket = Bucket(*levels.at(place), None)
            mine = times[starts[place] + done : starts[place] + sizes[place]].tolist()
            last = int(overflowed[place])
            levels.put(place, self._fill(place, bucket, mine, None, fired, last)[:4])
        parts.append(np.array(fired, np.int64).reshape(-1, 4))
        return _found(keys, levels, np.full(len(keys), None), parts)

    def _buckets(self, states: States, keys: NDArray[np.int64]) -> Iterator[Bucket]:
        """The buckets of keys, empty where nothing is known."""
        columns, times = states.columns, states.times[keys]
        blind_until = np.where(times == NEVER, NEVER, columns["blind_until"][keys])
        return map(
            Bucket,
            times.tolist(),
            columns["level"][keys].tolist(),
            columns["count"][keys].tolist(),
            blind_until.tolist(),
            columns["items"][keys].tolist(),
        )

    def _fill(
        self,
        key: int,
        bucket: Bucket,
        times: Sequence[int],
        items: Sequence[tuple[int, int]] | None,
        fired: list[tuple[int, int, int, int]],
        overflowed: int = NEVER,
    ) -> Bucket:
        """The bucket after a key's events; adds its overflows to ``fired``.

        These are (key, instant, count, whether a value found no room). ``overflowed``: the instant
        of the last one. The bucket's set of items is changed in place.
        """
        leak, full, blackhole = self._rule.leak, self._rule.full, self._rule.blackhole
        before, level, count, blind_until, held = bucket
        known = set() if held is None else held
        for place, time in enumerate(times):
            if time < blind_until:
                before = time
                continue
            level -= time - before
            before = time
            if level <= 0:
                level = count = 0
                known.clear()
            if items is not None:
                item, there = items[place]
                if not there or item in known:
                    continue
                # Of a value without room nobody can know whether it was there: it is poured.
                known.add(item if len(known) < self._most else _MARK)
            level += leak
            count += 1
            if level > full:
                if time != overflowed:
                    fired.append((key, time, count, _MARK in known))
                overflowed = time
                level = count = 0
                known.clear()
                blind_until = time + blackhole
        return Bucket(before, level, count, blind_until, known)

    def forgotten(
        self,
        keys: NDArray[np.int64],  # noqa: ARG002 - as all kinds
        states: States,  # noqa: ARG002
        at: int,  # noqa: ARG002
    ) -> Found | None:
        """Nothing lasts."""
        return None

    def due(self, states: States, reached: int) -> int | None:  # noqa: ARG002 - as all kinds
        """Nothing happens without events."""
        return None


def _found(
    keys: NDArray[np.int64],
    levels: Levels,
    items: Column,
    fired: list[NDArray[np.int64]],
) -> Found:
    """What is told, and the new states.

    Rows of ``fired``: place among the keys, instant, count, whether a value found no room.
    """
    found = np.concatenate(fired)
    return Found(
        keys[found[:, 0]],
        found[:, 1],
        values={"count": found[:, 2]},
        flags=found[:, 3].astype(np.uint8) * np.uint8(FLAG_SATURATED),
        changed=keys,
        times=levels.time,
        columns={
            "level": levels.level,
            "count": levels.count,
            "blind_until": levels.blind_until,
            "items": items,
        },
    )
