"""Buckets that leak: one for each key, filled by its events."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.kernel.ordered.kinds import Found
from tailrace.kernel.time import NEVER
from tailrace.plan.event_columns import TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.ordered.reducer import Span
    from tailrace.kernel.ordered.states import States
    from tailrace.kernel.runs import Run
    from tailrace.plan.ordered import Leaky

_EMPTY: AbstractSet[int] = frozenset()
_DIGITS = 16
"""Hex digits of an item in the stored form."""


class Bucket(NamedTuple):
    """A bucket as it was at the instant ``time``: its level in microseconds of leaking."""

    time: int
    level: int
    poured: int
    blind_until: int
    items: AbstractSet[int]


class Buckets:
    """A state is a bucket, as it was at the last event that was looked at."""

    def __init__(self, rule: Leaky, most_items: int) -> None:
        """Fill buckets by ``rule``; a bucket knows up to ``most_items`` different values."""
        self._rule = rule
        self._most = most_items

    def advance(self, rows: Run, states: States, span: Span) -> Found:  # noqa: ARG002 - as all
        """As ``Kind.advance``."""
        if not len(rows):
            return Found()
        starts = np.flatnonzero(np.r_[True, rows.keys[1:] != rows.keys[:-1]])
        edges = [*starts.tolist(), len(rows)]
        keys = rows.keys[starts]
        times = rows.columns[TIME].tolist()
        items: list[tuple[int, int]] | None = None
        if self._rule.distinct is not None:
            pairs = rows.columns["item"].tolist(), rows.columns["poured"].tolist()
            items = list(zip(*pairs, strict=True))
        fired: list[tuple[int, int, int]] = []
        after: list[Bucket] = []
        before = self._buckets(states, keys)
        for place, (key, bucket) in enumerate(zip(keys.tolist(), before, strict=True)):
            part = slice(edges[place], edges[place + 1])
            mine = None if items is None else items[part]
            after.append(self._fill(key, bucket, times[part], mine, fired))
        found = np.array(fired, np.int64).reshape(-1, 3)
        return Found(
            found[:, 0],
            found[:, 1],
            values={"count": found[:, 2]},
            changed=keys,
            times=np.array([bucket.time for bucket in after], np.int64),
            columns={
                "level": np.array([bucket.level for bucket in after], np.int64),
                "count": np.array([bucket.poured for bucket in after], np.int64),
                "blind_until": np.array([bucket.blind_until for bucket in after], np.int64),
                "items": np.array([_text(bucket.items) for bucket in after], np.object_)
                if items is not None
                else np.full(len(after), None),
            },
        )

    def _buckets(self, states: States, keys: NDArray[np.int64]) -> Iterator[Bucket]:
        """The buckets of keys, empty where nothing is known."""
        columns, times = states.columns, states.times[keys]
        blind_until = np.where(times == NEVER, NEVER, columns["blind_until"][keys])
        sets: Iterable[AbstractSet[int]] = repeat(_EMPTY, len(keys))
        if self._rule.distinct is not None:
            sets = [_items(text) for text in columns["items"][keys].tolist()]
        return map(
            Bucket,
            times.tolist(),
            columns["level"][keys].tolist(),
            columns["count"][keys].tolist(),
            blind_until.tolist(),
            sets,
        )

    def _fill(
        self,
        key: int,
        bucket: Bucket,
        times: Sequence[int],
        items: Sequence[tuple[int, int]] | None,
        fired: list[tuple[int, int, int]],
    ) -> Bucket:
        """The bucket after a key's events; adds (key, instant, count) of overflows to ``fired``."""
        leak, full, blackhole = self._rule.leak, self._rule.full, self._rule.blackhole
        before, level, count, blind_until, items_before = bucket
        known = set(items_before) if items is not None else set()
        overflowed = NEVER
        for place, time in enumerate(times):
            if time < blind_until:
                continue
            level -= time - before
            before = time
            if level <= 0:
                level = count = 0
                known.clear()
            if items is not None:
                item, there = items[place]
                if not there or item in known or len(known) >= self._most:
                    continue
                known.add(item)
            level += leak
            count += 1
            if level > full:
                if time != overflowed:
                    fired.append((key, time, count))
                overflowed = time
                level = count = 0
                known.clear()
                blind_until = time + blackhole
        return Bucket(before, level, count, blind_until, known)

    def due(self, states: States, reached: int) -> int | None:  # noqa: ARG002 - as all kinds
        """Nothing happens without events."""
        return None


def _items(text: str | None) -> AbstractSet[int]:
    """Items from their stored form."""
    if text is None:
        return _EMPTY
    return {_item(text[at : at + _DIGITS]) for at in range(0, len(text), _DIGITS)}


def _text(items: AbstractSet[int]) -> str | None:
    """Items, which are 64-bit hashes, as text."""
    return "".join(f"{item % 2**64:016x}" for item in sorted(items)) or None


def _item(digits: str) -> int:
    number = int(digits, 16)
    return number - 2**64 if number >= 2**63 else number
