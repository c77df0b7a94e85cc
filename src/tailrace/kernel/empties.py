"""Which windows of a rule have no event, and how many of them are judged after the last that has.

Silence is something that rules without a key can see, and those that compare listed keys with
limits. From the first window with an event on (or the rule's start, if it came later; or where
event time begins) such a rule has every window, up to ``MOST`` empty ones in a row: one wrong clock
must not make windows for a thousand years. An event of any key ends such a row.
"""

from __future__ import annotations

from dataclasses import dataclass
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

MOST_OF_ALL = 1_000_000
"""The most of them of all listed keys together, but one of each in any case."""


def most_of(keys: int) -> int:
    """How many empty windows in a row so many listed keys have."""
    return min(MOST, max(1, MOST_OF_ALL // max(1, keys)))


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


@dataclass(frozen=True, slots=True)
class Gaps:
    """All windows from one on, but for the empty ones beyond ``MOST``.

    ``ends``: theirs, ascending; ``full``: the ends of those with an event, the last before being
    the first; ``left_out``: how many are left out.
    """

    ends: NDArray[np.int64]
    full: NDArray[np.int64]
    every: int
    left_out: int

    @classmethod
    def between(
        cls, last_full: int, after: int, until: int, window: Window, full: NDArray[np.int64]
    ) -> Gaps:
        """As ``empty_ends``, with the windows that have events."""
        empty, left_out = empty_ends(last_full, after, until, window, full)
        bounds = np.concatenate([np.array([last_full], np.int64), full])
        return cls(np.union1d(empty, full), bounds, window.every, left_out)

    def distances(self, ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many windows after the last one with an event each ends; 0: it has one."""
        last = self.full[np.searchsorted(self.full, ends, side="right") - 1]
        found: NDArray[np.int64] = (ends - last) // self.every
        return found


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
