"""Partitions and the watermark of the whole pipeline: decisions applied to a state, in order.

Both engines call these with the same decisions (SEMANTICS 3, 10 and 11); who takes them, and when,
is each engine's own business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.engines.epoch import DecisionKind
from tailrace.engines.state import Liveness, PartitionState
from tailrace.kernel import time as event_time
from tailrace.kernel.time import NEVER

if TYPE_CHECKING:
    from tailrace.engines.epoch import Decision
    from tailrace.engines.state import EngineState


def decide(state: EngineState, decision: Decision, grace: int) -> None:
    """Apply one decision; ``grace`` in microseconds."""
    match decision.kind:
        case DecisionKind.APPEARED | DecisionKind.RETURNED:
            partition = state.partitions.setdefault(decision.subject, PartitionState())
            partition.liveness = Liveness.LIVE
            start = state.frontier if decision.value is None else decision.value
            if start != NEVER:
                partition.maximum = max(partition.maximum, start + grace)
        case DecisionKind.ENDED:
            state.partitions[decision.subject].liveness = Liveness.ENDED
        case DecisionKind.IDLE:
            state.partitions[decision.subject].liveness = Liveness.IDLE
        case DecisionKind.CLOCK:
            assert decision.value is not None  # noqa: S101 - a clock decision has its watermark
            state.frontier = max(state.frontier, decision.value)
        case DecisionKind.RULE_START:
            assert decision.value is not None  # noqa: S101 - a start has its time
            state.rules[decision.subject].start = decision.value
        case DecisionKind.REFERENCE:
            assert decision.version is not None  # noqa: S101 - it is what was decided
            state.references[decision.subject] = decision.version
        case DecisionKind.FINAL:
            # The same however the last partitions ended: together or one after another.
            greatest = state.greatest_time()
            if greatest != NEVER:
                state.frontier = max(state.frontier, greatest - grace)


def advance(state: EngineState, grace: int) -> None:
    """Move the watermark to what the live partitions have had; it never goes back."""
    live = [p.maximum for p in state.partitions.values() if p.liveness is Liveness.LIVE]
    if not live and any(p.liveness is Liveness.IDLE for p in state.partitions.values()):
        # From now on the clock leads on, beginning at the greatest event time.
        live = [greatest] if (greatest := state.greatest_time()) != NEVER else []
    state.frontier = event_time.frontier(state.frontier, live, grace)
    begin(state)


def begin(state: EngineState) -> None:
    """Fix when event time began, once there is a watermark."""
    if state.begun is None and state.frontier != NEVER:
        firsts = [p.first for p in state.partitions.values() if p.first is not None]
        state.begun = min(firsts, default=None)
