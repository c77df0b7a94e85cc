"""Real time: lines are let go when they arrive by their own times, none before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tailrace.generate.options import SECOND_US
from tailrace.generate.stream import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST_WAIT_US = 5_000
"""Lines that arrive within this time go out together: a fast run must not wake for each."""
LONGEST_WAIT_US = 50_000
"""A wish to stop is heard within this time."""


class Clock(Protocol):
    """Time that passes, from any origin."""

    def now_us(self) -> int:
        """The time."""

    def wait_us(self, duration_us: int) -> None:
        """Let time pass."""


class MonotonicClock:
    """The machine's own."""

    def now_us(self) -> int:
        """Microseconds of the monotonic clock."""
        return time.monotonic_ns() // 1000

    def wait_us(self, duration_us: int) -> None:
        """Sleep."""
        time.sleep(duration_us / SECOND_US)


def paced(
    blocks: Iterable[Block], lead_us: int, clock: Clock, stopped: Callable[[], bool]
) -> Iterator[Block]:
    """Cut blocks into pieces and yield each when it is due, or some milliseconds after.

    The traffic's time is the clock's plus `lead_us`. Ends early once `stopped`. A consumer that is
    slower than the traffic gets bigger pieces, and waits for none.
    """
    for block in blocks:
        ends, told = _ends(block.lines), _ends(block.truth)
        sent = 0
        while sent < len(ends):
            if stopped():
                return
            due_us = clock.now_us() + lead_us
            upto = int(np.searchsorted(block.arrivals_us, due_us, side="right"))
            if upto == sent:
                wait_us = int(block.arrivals_us[sent]) - due_us
                clock.wait_us(min(max(wait_us, SHORTEST_WAIT_US), LONGEST_WAIT_US))
                continue
            rows = slice(sent, upto)
            lines = _cut(block.lines, ends, rows)
            truth = _cut(block.truth, told, rows) if block.truth else b""
            yield Block(lines, block.arrivals_us[rows], block.faults[rows], truth)
            sent = upto
            if sent < len(ends):
                clock.wait_us(SHORTEST_WAIT_US)


def _ends(lines: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == ord("\n")) + 1


def _cut(lines: bytes, ends: NDArray[np.int64], rows: slice) -> bytes:
    begin = int(ends[rows.start - 1]) if rows.start else 0
    return lines[begin : int(ends[rows.stop - 1])]
