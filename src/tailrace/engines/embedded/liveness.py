"""Which partitions are idle, by the monotonic clock (SEMANTICS 10 and 11).

What it decides becomes a decision.

A partition is idle after ``idle_after`` during which every poll confirmed that its end was reached.
Anything else (new records, a poll that could not confirm, a restart) starts the time anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.state import Liveness
from tailrace.kernel.time import NEVER

if TYPE_CHECKING:
    from tailrace.engines.state import EngineState
    from tailrace.sources.types import Poll

MICROSECONDS = 1_000_000

CLOCK_STEP = MICROSECONDS
"""While all partitions are idle the watermark follows the clock in steps of at least this."""


class LivenessClock:
    """Turns polls and the time into decisions. Times are monotonic seconds."""

    def __init__(self, idle_after: int, grace: int) -> None:
        """``idle_after`` and ``grace`` in microseconds."""
        self._idle_after = idle_after
        self._grace = grace
        self._quiet: dict[str, float] = {}
        self._touched: float | None = None

    def observe(self, poll: Poll, at: float) -> None:
        """Take note of a poll: who had records, whose end was confirmed."""
        busy = {chunk.slice.partition for chunk in poll.chunks}
        confirmed = set(poll.at_end)
        if busy:
            self._touched = at
        for partition in list(self._quiet):
            if partition in busy or partition not in confirmed:
                del self._quiet[partition]
        for partition in confirmed - busy:
            self._quiet.setdefault(partition, at)

    def before(self, poll: Poll, state: EngineState) -> list[Decision]:
        """Decisions that come before the slices of a poll: partitions that appear or return."""
        decisions = [
            Decision(DecisionKind.APPEARED, name)
            for name in poll.appeared
            if name not in state.partitions
        ]
        for name in dict.fromkeys(chunk.slice.partition for chunk in poll.chunks):
            known = state.partitions.get(name)
            if known is None:
                if name not in poll.appeared:
                    decisions.append(Decision(DecisionKind.APPEARED, name))
            elif known.liveness is not Liveness.LIVE:
                decisions.append(Decision(DecisionKind.RETURNED, name))
        return decisions

    def idle(self, state: EngineState, now: float) -> list[Decision]:
        """Partitions that are idle by now."""
        limit = self._idle_after / MICROSECONDS
        return [
            Decision(DecisionKind.IDLE, name)
            for name, since in self._quiet.items()
            if now - since >= limit
            and name in state.partitions
            and state.partitions[name].liveness is Liveness.LIVE
        ]

    def clock(self, state: EngineState, now: float) -> Decision | None:
        """The watermark by the clock, if all partitions are idle and it has moved far enough."""
        if not state.partitions or any(
            p.liveness is Liveness.LIVE for p in state.partitions.values()
        ):
            return None
        greatest = state.greatest_time()
        idle = [name for name, p in state.partitions.items() if p.liveness is Liveness.IDLE]
        if greatest == NEVER or not idle or any(name not in self._quiet for name in idle):
            return None
        since = max(self._quiet[name] for name in idle)
        watermark = greatest + int((now - since) * MICROSECONDS) - self._grace
        if watermark < state.frontier + CLOCK_STEP:
            return None
        return Decision(DecisionKind.CLOCK, value=watermark)
