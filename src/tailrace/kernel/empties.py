"""The empty windows of rules without a key: silence is something that they can see.

From the first window with an event on (or the rule's start, if it came later) such a rule has every
window, up to ``MOST`` empty ones in a row: one wrong clock must not make windows for a thousand
years. All empty windows have the same measures, so one of them is judged for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.expr.nodes import Type
from tailrace.kernel.time import last_end, next_end
from tailrace.kernel.totals import Totals
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Run
    from tailrace.plan.model import Partial, Window

MOST = 100_000
"""The most empty windows in a row; those beyond are left out and counted."""


def first_end(rows: Run | None, window: Window) -> int | None:
    """The end of the first window that holds one of these rows; None without rows."""
    if rows is None or not len(rows):
        return None
    earliest = int(rows.panes.min()) * window.width
    return next_end(earliest, window.size, window.every)


def last_end_at_input_end(greatest: int, window: Window) -> int:
    """The end of the last window that starts at or before the greatest event time."""
    return greatest // window.every * window.every + window.size


def empty_ends(
    last_full: int, after: int, until: int, window: Window, full: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int]:
    """The ends of the empty windows in ``(after, until]``, ascending, and how many are left out.

    ``last_full``: the end of the last window with an event at or before ``after`` (or the end after
    which the rule began); ``full``: the ends of those in ``(after, until]``, ascending.
    """
    every = window.every
    earliest = next_end(after, window.size, every)
    bounds = np.concatenate([np.array([last_full], np.int64), full])
    beyond = last_end(until, window.size, every) + every
    following = np.concatenate([full, np.array([beyond], np.int64)])
    found: list[NDArray[np.int64]] = []
    left_out = 0
    for index in np.flatnonzero(following - bounds > every).tolist():
        most = int(bounds[index]) + MOST * every
        first = max(int(bounds[index]) + every, earliest)
        last = int(following[index]) - every
        found.append(np.arange(first, min(last, most) + 1, every, dtype=np.int64))
        left_out += max(0, (last - max(most, first - every)) // every)
    return (np.concatenate(found) if found else np.empty(0, np.int64)), left_out


def empty_totals(
    key: int | NDArray[np.int64], ends: NDArray[np.int64], partials: Iterable[Partial]
) -> Totals:
    """Totals of windows without events: of one key, or of a key for each end."""
    zeros = np.zeros(len(ends), np.int64)
    texts = np.full(len(ends), "", np.object_)
    columns = {partial.name: texts if _of_text(partial) else zeros for partial in partials}
    keys = np.array(np.broadcast_to(key, ends.shape), np.int64)
    return Totals(keys, ends, zeros, columns)


def _of_text(partial: Partial) -> bool:
    """Whether the partial's values are texts: the least or the greatest one."""
    extreme = partial.kind in {PartialKind.LEAST, PartialKind.GREATEST}
    return extreme and partial.type is Type.TEXT
