"""What the driver plans between batches, and what of it holds beside messages that came since."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tailrace.config import loads
from tailrace.engines.delivery import Delivery
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.spark.jobs import for_workers, standing
from tailrace.engines.spark.planning import Planner
from tailrace.engines.spark.session import ClusterSession
from tailrace.engines.state import EngineState, Liveness, PartitionState
from tailrace.formats.records import Records
from tailrace.plan.compile import compile_pipeline
from tailrace.sources.memory import MemorySource
from tailrace.sources.types import Chunk, Note, Poll, Slice
from tailrace.store.store import MEMORY, Store

SECOND = 1_000_000
TEXT = """
name: t
source: {stdin: {}}
time: {field: t, grace: 0s, idle_after: 5s}
fields: {k: text}
rules:
  - {record: seen, by: k, window: 10s, select: {n: count(*)}}
"""


@dataclass
class Source:
    """Gives out polls that a test has written."""

    polls: list[Poll] = field(default_factory=list)
    bounded: bool = False
    ended: bool = False
    plan_bytes: int = 1000

    def look(self, state: EngineState) -> Poll:
        del state
        return self.polls.pop(0) if self.polls else Poll()

    def wait(self, seconds: float) -> None: ...

    def totals(self) -> None: ...

    def close(self) -> None: ...


def chunk(partition: str) -> Chunk:
    records = Records(pa.py_buffer(b"{}\n"), np.array([0, 3], np.int32), np.array([0], np.int64))
    return Chunk(Slice(partition, 0, 0, 3, {}), records)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock."""
    at = [100.0]
    monkeypatch.setattr("tailrace.engines.spark.planning.time.monotonic", lambda: at[0])
    return at


@pytest.fixture
def session() -> ClusterSession:
    plan = compile_pipeline(loads(TEXT, "p.yaml"))
    store = Store.open(MEMORY, "t")
    found = ClusterSession(plan, store, MemorySource({}), Delivery({}), previous=None)
    found.state.partitions["p"] = PartitionState(100 * SECOND, Liveness.LIVE)
    found.state.partitions["q"] = PartitionState(100 * SECOND, Liveness.LIVE)
    return found


def quiet(planner: Planner, source: Source, now: list[float], *names: str) -> None:
    """Six seconds in which these partitions are at their ends."""
    for _ in range(7):
        source.polls.append(Poll(at_end=names))
        planner.look()
        now[0] += 1.0


def test_a_partition_that_is_quiet_is_idle(session: ClusterSession, now: list[float]) -> None:
    source = Source()
    planner = Planner(session, source)
    quiet(planner, source, now, "p")
    assert planner.plan().after == (Decision(DecisionKind.IDLE, "p"),)


def test_the_clock_comes_before_what_is_new(session: ClusterSession, now: list[float]) -> None:
    source = Source()
    planner = Planner(session, source)
    for partition in session.state.partitions.values():
        partition.liveness = Liveness.IDLE
    quiet(planner, source, now, "p", "q")
    planner.plan()
    quiet(planner, source, now, "p", "q")
    source.polls.append(Poll(chunks=(chunk("r"),), appeared=("r",)))
    planner.look()
    plan = planner.plan()
    kinds = [one.kind for one in plan.before]
    assert kinds == [DecisionKind.CLOCK, DecisionKind.APPEARED]
    assert plan.before[0].value is not None
    assert plan.before[0].value > 100 * SECOND
    assert not any(one.kind is DecisionKind.CLOCK for one in plan.after)


def test_the_clock_is_told_where_a_person_waits_for_it(
    session: ClusterSession, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tailrace.engines.spark.planning.stirs", lambda *_: False)
    source = Source()
    planner = Planner(session, source)
    assert not planner.ask_for_clock(), "nobody is idle: it doesn't lead"
    for partition in session.state.partitions.values():
        partition.liveness = Liveness.IDLE
    quiet(planner, source, now, "p", "q")
    assert not planner.plan(), "nothing would come of it"
    assert planner.ask_for_clock()
    assert planner.plan().after == (Decision(DecisionKind.CLOCK, value=106 * SECOND),)
    assert not planner.asked
    assert not planner.plan(), "once is enough"
    session.state.frontier = 106 * SECOND
    assert not planner.ask_for_clock(), "it is where all are"
    quiet(planner, source, now, "p", "q")
    assert not planner.plan(), "nothing would come of it"
    assert planner.ask_for_clock()
    source.bounded = True
    assert not planner.ask_for_clock(), "bounded input has no clock"


def test_decisions_that_were_overtaken_do_not_hold() -> None:
    after = [
        Decision(DecisionKind.IDLE, "p"),
        Decision(DecisionKind.IDLE, "q"),
        Decision(DecisionKind.CLOCK, value=5),
        Decision(DecisionKind.ENDED, "q"),
    ]
    assert standing(after, set()) == after
    assert standing(after, {"q"}) == [after[0], after[3]]


def test_notes_wait_for_a_plan_and_come_alone_at_last(
    session: ClusterSession, now: list[float]
) -> None:
    source = Source()
    planner = Planner(session, source)
    for _ in range(3):
        source.polls.append(Poll(notes=(Note("broker_down", "", "down"),)))
        planner.look()
    assert planner.plan().notes == {"broker_down": 3}
    source.polls.append(Poll(notes=(Note("broker_back", "", "back"),)))
    planner.look()
    assert not planner.plan()
    now[0] += 10.0
    assert planner.plan().notes == {"broker_back": 1}
    assert not planner.plan()


def test_gathering_stops_at_the_size_of_a_plan(session: ClusterSession, now: list[float]) -> None:
    del now
    source = Source(plan_bytes=5)
    planner = Planner(session, source)
    source.polls += [Poll(chunks=(chunk("p"),)) for _ in range(5)]
    for _ in range(5):
        assert planner.look()[0]
    assert len(source.polls) == 3
    assert len(planner.plan().slices) == 2


def test_nothing_secret_goes_to_workers() -> None:
    text = """
name: t
source:
  kafka:
    brokers: localhost:9092
    topics: [a]
    options: {sasl.username: me, sasl.password: s3cret-1}
time: {field: t, grace: 0s}
fields: {k: text}
archive: {to: [bus]}
outputs:
  bus: {kafka: {brokers: "localhost:9092", topic: b, options: {sasl.password: s3cret-2}}}
web: {token: s3cret-3}
spark: {conf: {spark.hadoop.fs.s3a.secret.key: s3cret-4}}
"""
    plan = compile_pipeline(loads(text, "p.yaml"))
    import pickle

    assert b"s3cret" in pickle.dumps(plan)
    assert b"s3cret" not in pickle.dumps(for_workers(plan))


def test_a_carried_plan_is_small(tmp_path: Path) -> None:
    from tailrace.engines.spark.inputs import CARRIED_BYTES, PLAN_BYTES, PlannedInput

    del tmp_path
    assert PlannedInput(MemorySource({}), carried=True).plan_bytes == CARRIED_BYTES
    assert PlannedInput(MemorySource({}), carried=False).plan_bytes == PLAN_BYTES


def test_slices_know_of_what_is_decided_before_them(now: list[float]) -> None:
    del now
    plan = compile_pipeline(loads(TEXT + "on_error: classify\n", "p.yaml"))
    session = ClusterSession(
        plan, Store.open(MEMORY, "t"), MemorySource({}), Delivery({}), previous=None
    )
    session.state.partitions = {
        "p": PartitionState(32 * SECOND),
        "q": PartitionState(SECOND, Liveness.IDLE),
    }
    session.state.frontier = 32 * SECOND
    source = Source([Poll(chunks=(chunk("q"), chunk("r")), appeared=("r",))])
    planner = Planner(session, source)
    planner.look()
    planned = planner.plan()
    kinds = {(one.kind, one.subject) for one in planned.before}
    assert kinds == {(DecisionKind.RETURNED, "q"), (DecisionKind.APPEARED, "r")}
    assert planned.maxima == dict.fromkeys("pqr", 32 * SECOND)
    assert session.state.partitions["q"] == PartitionState(SECOND, Liveness.IDLE)
    assert "r" not in session.state.partitions
