"""All arithmetic of event time: panes, windows, lateness, watermarks (SEMANTICS 9 to 13).

Times are microseconds throughout.

A pane is named by its index: pane ``i`` of width ``w`` is ``[i * w, (i + 1) * w)``. Division
floors, so times before 1970 behave like all others. Functions take Python integers or NumPy arrays
alike where the types say so.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

NEVER = -(2**62)
"""Before every time: the watermark of a partition that has had no event."""

FOREVER = 2**62
"""After every time: the watermark once all input has ended."""


def pane_width(size: int, every: int) -> int:
    """The width of the largest slices that all windows of a rule share."""
    return gcd(size, every)


def panes_of(times: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """The pane index of each time."""
    return np.floor_divide(times, width)


def settled(times: NDArray[np.int64], before: int) -> NDArray[np.int64]:
    """Times of a run's events, those without one (``NEVER``) taking the greatest before them.

    ``before`` is the partition's maximum when the run begins; a partition begins in 1970.
    """
    if not len(times) or times.min() > NEVER:
        return times
    known = times.copy()
    if known[0] == NEVER:
        known[0] = 0 if before == NEVER else before
    running = np.maximum(np.maximum.accumulate(known), before)
    return np.where(known == NEVER, running, known)


def earlier_maximum(times: NDArray[np.int64], before: int) -> tuple[NDArray[np.int64], int]:
    """For each event of a run the maximum time before it, and the maximum after the run.

    ``before`` is the partition's maximum when the run begins, ``NEVER`` if it had no event.
    """
    if not len(times):
        return times, before
    running = np.maximum.accumulate(times)
    np.maximum(running, before, out=running)
    earlier = np.empty_like(running)
    earlier[0] = before
    earlier[1:] = running[:-1]
    return earlier, int(running[-1])


def late_mask(
    panes: NDArray[np.int64], width: int, horizon: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each event's pane ends at or before its horizon (earlier maximum - grace)."""
    mask: NDArray[np.bool_] = (panes + 1) * width <= horizon
    return mask


def next_end(after: int, size: int, every: int) -> int:
    """The first window end greater than ``after``; ends are ``k * every + size``."""
    return ((after - size) // every + 1) * every + size


def last_end(until: int, size: int, every: int) -> int:
    """The last window end at or before ``until``."""
    return (until - size) // every * every + size


def ends_between(after: int, until: int, size: int, every: int) -> NDArray[np.int64]:
    """All window ends in ``(after, until]``, ascending."""
    return np.arange(next_end(after, size, every), until + 1, every, dtype=np.int64)


def window_starts(time: int, size: int, every: int) -> list[int]:
    """The starts of all windows that contain ``time``, ascending."""
    last = time // every * every
    first = ((time - size) // every + 1) * every
    return list(range(first, last + 1, every))


def known_until(watermark: int, width: int) -> int:
    """The last instant before the panes of this width that the watermark has not passed."""
    return watermark // width * width - 1


def frontier(previous: int, maxima: Iterable[int], grace: int) -> int:
    """The watermark over live partitions: the least of (maximum - grace), never going back."""
    least = min((NEVER if m == NEVER else m - grace for m in maxima), default=NEVER)
    return max(previous, least)
