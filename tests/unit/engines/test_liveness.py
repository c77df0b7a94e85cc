"""Who is idle, and what the clock says then: only confirmed time counts."""

import pytest

from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.liveness import LivenessClock
from tailrace.engines.state import EngineState, Liveness, PartitionState
from tailrace.sources.types import Poll

SECOND = 1_000_000
AT_END = Poll(at_end=("p",))
SILENT = Poll()


def idle_after(polls: list[tuple[float, Poll]]) -> bool:
    clock = LivenessClock(idle_after=10 * SECOND, grace=0)
    for at, poll in polls:
        clock.observe(poll, at)
    state = EngineState(partitions={"p": PartitionState(maximum=0)})
    return clock.idle(state) == [Decision(DecisionKind.IDLE, "p")]


@pytest.mark.parametrize(
    ("polls", "idle"),
    [
        pytest.param([(at, AT_END) for at in range(11)], True, id="confirmed all the time"),
        pytest.param([(at, AT_END) for at in range(10)], False, id="not long enough"),
        pytest.param([(0, AT_END)], False, id="one poll, however long it waits to be taken"),
        pytest.param([(0, AT_END), (60, AT_END)], False, id="no polls between"),
        pytest.param(
            [(at, SILENT if at == 5 else AT_END) for at in range(12)], False, id="not confirmed"
        ),
    ],
)
def test_idle(polls: list[tuple[float, Poll]], idle: bool) -> None:
    assert idle_after(polls) is idle


def test_the_clock_goes_as_far_as_polls_have_confirmed() -> None:
    clock = LivenessClock(idle_after=10 * SECOND, grace=SECOND)
    state = EngineState(
        frontier=0,
        partitions={"p": PartitionState(maximum=5 * SECOND, liveness=Liveness.IDLE)},
    )
    for at in (100.0, 103.0, 106.0):
        clock.observe(AT_END, at)
    assert clock.clock(state) == Decision(DecisionKind.CLOCK, value=10 * SECOND)
