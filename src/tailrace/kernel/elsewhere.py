"""Panes that hold events of a group: which windows have some, whoever has the keys.

Where keys are dealt out over shards, each shard is told the panes of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tailrace.plan.model import Window


def stretches(panes: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Panes as stretches without a hole: the first of each, and how many there are."""
    distinct = np.unique(panes)
    if not len(distinct):
        return []
    starts = np.flatnonzero(np.r_[True, np.diff(distinct) != 1])
    counts = np.diff(np.r_[starts, len(distinct)])
    return list(zip(distinct[starts].tolist(), counts.tolist(), strict=True))


def panes_of(found: Iterable[Sequence[int]]) -> NDArray[np.int64]:
    """The panes of stretches, each once, ascending."""
    parts = [np.arange(first, first + count, dtype=np.int64) for first, count in found]
    return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))


def full_ends(
    panes: NDArray[np.int64], window: Window, after: int, until: int
) -> NDArray[np.int64]:
    """The ends in ``(after, until]`` of the windows that hold one of these panes, ascending."""
    begins = np.unique(panes) * window.width
    firsts = ((begins - window.size) // window.every + 1) * window.every + window.size
    steps = np.arange(-(-window.size // window.every), dtype=np.int64) * window.every
    ends = firsts[:, np.newaxis] + steps
    inside = (ends <= begins[:, np.newaxis] + window.size) & (ends > after) & (ends <= until)
    return np.unique(ends[inside])
