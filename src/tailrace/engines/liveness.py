"""Which partitions are idle, by the monotonic clock (SEMANTICS 10 and 11), as decisions.

A partition is idle after ``idle_after`` during which every poll confirmed that its end was reached.
Anything else (new records, a poll that could not confirm, polls that failed to come because the
source hung or outputs held everything up, a restart) starts the time anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.state import Liveness
from tailrace.kernel.time import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailrace.engines.state import EngineState
    from tailrace.sources.types import Poll

MICROSECONDS = 1_000_000

CLOCK_STEP = MICROSECONDS
"""While all partitions are idle the watermark follows the clock in steps of at least this."""


DROPPED = "partition_dropped"
"""The source's note of a stored partition that it no longer reads: nothing waits for it."""

PAUSE_SECONDS = 5.0
"""Polls further apart than this leave open what happened between them."""


@dataclass(slots=True)
class _Quiet:
    """From when to when a partition's end was confirmed, in monotonic seconds."""

    since: float
    until: float


def over(poll: Poll) -> set[str]:
    """Partitions of which nothing more comes: read to their end, or not read any more."""
    return {*poll.ended, *(note.partition for note in poll.notes if note.code == DROPPED)}


class LivenessClock:
    """Turns polls and their times (monotonic seconds) into decisions.

    The present moment plays no part: a poll that waits to be taken says nothing of the time since.
    """

    def __init__(self, idle_after: int, grace: int) -> None:
        """``idle_after`` and ``grace`` in microseconds."""
        self._idle_after = idle_after
        self._grace = grace
        self._quiet: dict[str, _Quiet] = {}

    def observe(self, poll: Poll, at: float) -> None:
        """Take note of a poll: who had records, whose end was confirmed."""
        busy = {chunk.slice.partition for chunk in poll.chunks}
        confirmed = set(poll.at_end)
        for partition, quiet in list(self._quiet.items()):
            paused = at - quiet.until > PAUSE_SECONDS
            if partition in busy or partition not in confirmed or paused:
                del self._quiet[partition]
        for partition in confirmed - busy:
            self._quiet.setdefault(partition, _Quiet(at, at)).until = at

    def decisions(
        self, polls: Iterable[tuple[Poll, float]], state: EngineState, *, follows: bool
    ) -> tuple[list[Decision], list[Decision]]:
        """What to decide before and after the slices of these polls, each with its time.

        ``follows``: the input goes on, so that partitions can be idle.
        """
        before: dict[tuple[DecisionKind, str], Decision] = {}
        after: list[Decision] = []
        for poll, at in polls:
            self.observe(poll, at)
            for decision in self.before(poll, state):
                before.setdefault((decision.kind, decision.subject), decision)
            after += [
                Decision(DecisionKind.ENDED, name)
                for name in sorted(over(poll))
                if name not in state.partitions
                or state.partitions[name].liveness is not Liveness.ENDED
            ]
        if follows:
            after += self.idle(state)
        return list(before.values()), after

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

    def idle(self, state: EngineState) -> list[Decision]:
        """Partitions that are idle."""
        limit = self._idle_after / MICROSECONDS
        return [
            Decision(DecisionKind.IDLE, name)
            for name, quiet in self._quiet.items()
            if quiet.until - quiet.since >= limit
            and name in state.partitions
            and state.partitions[name].liveness is Liveness.LIVE
        ]

    def clock(self, state: EngineState) -> Decision | None:
        """The watermark by the clock, if all partitions are idle and it has moved far enough."""
        watermark = self.watermark(state)
        if watermark is None or watermark < state.frontier + CLOCK_STEP:
            return None
        return Decision(DecisionKind.CLOCK, value=watermark)

    def watermark(self, state: EngineState) -> int | None:
        """The watermark by the clock while all partitions are idle."""
        if not state.partitions or any(
            p.liveness is Liveness.LIVE for p in state.partitions.values()
        ):
            return None
        greatest = state.greatest_time()
        idle = [name for name, p in state.partitions.items() if p.liveness is Liveness.IDLE]
        if greatest == NEVER or not idle or any(name not in self._quiet for name in idle):
            return None
        passed = min(self._quiet[name].until - self._quiet[name].since for name in idle)
        return greatest + int(passed * MICROSECONDS) - self._grace
