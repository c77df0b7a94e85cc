"""The empty windows of rules without a key: silence is something that they can see.

From the first window with an event on (or the rule's start, if it came later) such a rule has every
window. All empty windows have the same measures, so one of them is judged for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.time import FOREVER, ends_between, next_end
from tailrace.kernel.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Run
    from tailrace.plan.model import Partial, Window

BLOCK = 1 << 20
"""The most windows that are listed at once."""


def first_end(rows: Run | None, window: Window) -> int | None:
    """The end of the first window that holds one of these rows; None without rows."""
    if rows is None or not len(rows):
        return None
    earliest = int(rows.panes.min()) * window.width
    return next_end(earliest, window.size, window.every)


def last_end_at_input_end(greatest: int, window: Window) -> int:
    """The end of the last window that starts at or before the greatest event time."""
    return greatest // window.every * window.every + window.size


def missing_ends(
    after: int, until: int, window: Window, present: Iterable[NDArray[np.int64]]
) -> Iterator[NDArray[np.int64]]:
    """The window ends in ``(after, until]`` that aren't among ``present``, in blocks, ascending."""
    assert until < FOREVER  # noqa: S101 - the caller bounds it
    known = np.unique(np.concatenate([*present, np.empty(0, np.int64)]))
    low = after
    while low < until:
        high = min(until, next_end(low, window.size, window.every) + (BLOCK - 1) * window.every)
        ends = ends_between(low, high, window.size, window.every)
        ends = ends[~np.isin(ends, known)]
        if len(ends):
            yield ends
        low = high


def empty_totals(key: int, ends: NDArray[np.int64], partials: Iterable[Partial]) -> Totals:
    """Totals of windows without events."""
    zeros = np.zeros(len(ends), np.int64)
    columns = {partial.name: zeros for partial in partials}
    return Totals(np.full(len(ends), key, np.int64), ends, zeros, columns)
