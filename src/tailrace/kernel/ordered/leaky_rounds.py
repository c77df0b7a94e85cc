"""Buckets without distinct values, filled in rounds: the first event of every key, the second, ...

As long as a round has many keys this is faster than one key after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.plan.ordered import Leaky

FEW = 200
"""A round of fewer keys isn't worth its calls."""


@dataclass(slots=True)
class Levels:
    """The buckets of some keys: arrays by the key's place."""

    time: NDArray[np.int64]
    level: NDArray[np.int64]
    count: NDArray[np.int64]
    blind_until: NDArray[np.int64]

    def at(self, place: int) -> tuple[int, int, int, int]:
        """One of them."""
        columns = self.time, self.level, self.count, self.blind_until
        time, level, count, blind_until = (int(column[place]) for column in columns)
        return time, level, count, blind_until

    def put(self, place: int, bucket: tuple[int, int, int, int]) -> None:
        """Replace one."""
        self.time[place], self.level[place], self.count[place], self.blind_until[place] = bucket


def fill_in_rounds(
    rule: Leaky,
    levels: Levels,
    times: NDArray[np.int64],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    overflowed: NDArray[np.int64],
) -> tuple[int, list[NDArray[np.int64]]]:
    """Fill buckets in rounds until one has few keys; the number of rounds, and what overflowed.

    ``times`` are those of the keys' events, the ones of a key from its place in ``starts`` on. What
    overflowed: rows of (place, instant, count, 0). ``overflowed``: when each did last, is kept up.
    """
    fired: list[NDArray[np.int64]] = []
    active = np.arange(len(starts))
    done = 0
    while True:
        active = active[sizes[active] > done]
        if len(active) < FEW:
            return done, fired
        at = times[starts[active] + done]
        before = levels.time[active]
        levels.time[active] = at
        looked = np.flatnonzero(at >= levels.blind_until[active])
        place, at = active[looked], at[looked]
        level = np.maximum(levels.level[place] - (at - before[looked]), 0)
        count = np.where(level > 0, levels.count[place], 0) + 1
        level += rule.leak
        over = np.flatnonzero(level > rule.full)
        if len(over):
            told = over[at[over] != overflowed[place[over]]]
            nothing = np.zeros(len(told), np.int64)
            fired.append(np.stack([place[told], at[told], count[told], nothing], axis=1))
            overflowed[place[over]] = at[over]
            levels.blind_until[place[over]] = at[over] + rule.blackhole
            level[over] = count[over] = 0
        levels.level[place], levels.count[place] = level, count
        done += 1
