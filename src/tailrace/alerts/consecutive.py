"""Firings ordered by key and window, and where consecutive ones begin and end: all in NumPy.

A flood has millions of firings but few interruptions; the fold works on the interruptions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ordered:
    """Firings by (key, end): ``keys`` and ``ends`` in that order, ``rows`` the numbers they had.

    ``lasts``: the end of the last of each, where a row stands for a run of them; else ``ends``.
    """

    keys: NDArray[np.int64]
    ends: NDArray[np.int64]
    lasts: NDArray[np.int64]
    rows: NDArray[np.int64] | None

    def row(self, index: int) -> int:
        """The number that the firing had where it came from."""
        return index if self.rows is None else int(self.rows[index])


def ordered(
    keys: NDArray[np.int64], ends: NDArray[np.int64], lasts: NDArray[np.int64] | None = None
) -> Ordered:
    """Firings sorted by (key, end), whatever their order was; ``lasts`` as in ``Firings``.

    The usual orders cost little: nothing if sorted already, and where ends ascend (windows close
    one after another) a stable sort by key, which for few keys is NumPy's radix sort of 16 bits
    (5 ns a firing; a sort by both 20 to 40).
    """
    if len(keys) < 2:
        return Ordered(keys, ends, ends if lasts is None else lasts, None)
    later = ends[1:] >= ends[:-1]
    if np.all((keys[1:] > keys[:-1]) | ((keys[1:] == keys[:-1]) & later)):
        return Ordered(keys, ends, ends if lasts is None else lasts, None)
    if not later.all():
        order = np.lexsort((ends, keys))
    elif keys.max() < 1 << 16:
        order = np.argsort(keys.astype(np.uint16), kind="stable")
    else:
        order = np.argsort(keys, kind="stable")
    ends = ends[order]
    return Ordered(keys[order], ends, ends if lasts is None else lasts[order], order)


@dataclass(frozen=True, slots=True)
class Stretches:
    """Ordered firings cut into stretches of one key each: ``starts`` are their first indexes."""

    starts: list[int]
    length: int

    def last(self, index: int) -> int:
        """The last index of the stretch that holds ``index``."""
        after = bisect_right(self.starts, index)
        return (self.starts[after] if after < len(self.starts) else self.length) - 1

    def first(self, index: int) -> int:
        """The first index of the stretch that holds ``index``."""
        return self.starts[bisect_right(self.starts, index) - 1]

    def first_from(self, index: int) -> int:
        """The first start of a stretch at or after ``index``; the length if there is none."""
        at = bisect_left(self.starts, index)
        return self.starts[at] if at < len(self.starts) else self.length


def keys_of(firings: Ordered) -> Stretches:
    """One stretch for each key."""
    return _cut(firings.keys[1:] != firings.keys[:-1], len(firings.keys))


def without_gap(firings: Ordered, reach: int) -> Stretches:
    """Stretches in which each end is at most ``reach`` after the last one before it."""
    breaks = firings.ends[1:] - firings.lasts[:-1] > reach
    breaks |= firings.keys[1:] != firings.keys[:-1]
    return _cut(breaks, len(firings.keys))


def long_enough(runs: Stretches, firings: Ordered, duration: int) -> Stretches:
    """Those runs whose last end is at least ``duration`` after their first."""
    starts = np.asarray(runs.starts, np.int64)
    lasts = np.append(starts[1:], runs.length) - 1
    kept = starts[firings.lasts[lasts] - firings.ends[starts] >= duration]
    return Stretches(kept.tolist(), runs.length)


def _cut(breaks: NDArray[np.bool_], length: int) -> Stretches:
    return Stretches([0, *(np.flatnonzero(breaks) + 1).tolist()] if length else [], length)
