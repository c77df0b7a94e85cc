"""The driver's loop, with a query that a test plays."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.sharded import MemoryBlobs

from tailrace.alerts.verdicts import Act
from tailrace.config import loads
from tailrace.engines.acting import Request
from tailrace.engines.delivery import Delivery
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.spark.checkpoint import Begun, Mark, taken_up
from tailrace.engines.spark.engine import SparkEngine
from tailrace.engines.spark.executors import Executors
from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.handing import Batch, Handover, StoppedError
from tailrace.engines.spark.inputs import KafkaInput
from tailrace.engines.spark.keeping import Keeping
from tailrace.engines.spark.mapping import PLAN
from tailrace.engines.spark.session import ClusterSession
from tailrace.engines.state import EngineState, Liveness, PartitionState
from tailrace.errors import StoreError, TailraceError
from tailrace.plan.compile import compile_pipeline
from tailrace.sources.memory import MemorySource
from tailrace.sources.types import Poll
from tailrace.store.store import MEMORY, Store

TEXT = """
name: t
source: {stdin: {}}
time: {field: t, grace: 0s}
fields: {k: text}
rules:
  - {record: seen, by: k, window: 10s, select: {n: count(*)}}
"""


@dataclass
class Query:
    """One that has ended, with an error or without."""

    error: Exception | None = None
    isActive: bool = False  # noqa: N815 - Spark's name
    lastProgress: None = None  # noqa: N815 - as above

    def exception(self) -> Exception | None:
        return self.error

    def stop(self) -> None: ...


class Topics(KafkaInput):
    """Bounded topics without a broker."""

    def __init__(self) -> None:
        self.bounded = True

    def open(self, positions: object) -> None: ...

    def look(self, state: EngineState) -> Poll:
        del state
        return Poll()

    def close(self) -> None: ...


@dataclass
class Cluster:
    """Starts the queries that a test has written."""

    plans: Path
    queries: list[Query]
    input: Any = field(default_factory=Topics)
    begun: Begun | None = None
    wanted: None = None
    number: int = 0
    spark: None = None
    started: list[dict[str, bool]] = field(default_factory=list)

    def start(
        self, session: ClusterSession, conclude: Callable[[int, Sequence[Frame]], None], **how: bool
    ) -> Query:
        del session, conclude
        self.started.append(how)
        return self.queries.pop(0)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> ClusterSession:
    monkeypatch.setattr(Executors, "__init__", lambda *_: None)
    monkeypatch.setattr(Executors, "note", lambda _: None)
    plan = compile_pipeline(loads(TEXT, "p.yaml"))
    return ClusterSession(
        plan, Store.open(MEMORY, "t"), MemorySource({}), Delivery({}), previous=None
    )


def test_a_query_that_failed_is_not_the_end_of_the_input(
    session: ClusterSession, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path / "plans.json", [Query(RuntimeError("a task has died"))])
    engine = SparkEngine(session, cluster)  # type: ignore[arg-type]  # as far as it is used
    with pytest.raises(TailraceError, match="a task has died"):
        engine.run()
    assert not session.state.finished
    assert [how["final"] for how in cluster.started] == [False]


def test_a_query_that_ends_too_early_is_an_error(session: ClusterSession, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "plans.json", [Query(), Query()])
    engine = SparkEngine(session, cluster)  # type: ignore[arg-type]  # as above
    with pytest.raises(TailraceError, match="before the end of the input"):
        engine.run()


def test_input_that_was_finished_is_not_read_on(session: ClusterSession, tmp_path: Path) -> None:
    session.state.finished = True
    cluster = Cluster(tmp_path / "plans.json", [])
    assert SparkEngine(session, cluster).run()  # type: ignore[arg-type]  # as above
    cluster.input.bounded = False
    with pytest.raises(StoreError, match="read to its end"):
        SparkEngine(session, cluster).run()  # type: ignore[arg-type]  # as above


def test_a_batch_of_a_query_that_has_ended_is_refused() -> None:
    handover = Handover()
    handover.refuse()
    with pytest.raises(StoppedError):
        handover(1, [])
    assert handover.take(0.0) is None


SECOND = 1_000_000
LISTED = f"""{TEXT}  - {{alert: many, by: k, window: 10s, when: count(*) > 5}}
verdicts: {{bots: {{from: [many], for: 1m}}}}
"""


def played(session: ClusterSession, plan: dict[str, Any], number: int) -> Batch:
    """The batch of a plan without slices, as one shard and the driver find it."""
    body = {"kind": PLAN, "job": 0, "number": number, **plan}
    told = list(Keeping().run(session.job("r", 1), 0, [Frame(body).pack()], MemoryBlobs()))
    return Batch(session.state.batch + 1, [Frame.unpack(one) for one in told])


def test_an_act_holds_from_the_clock_on_and_waits_for_it_once(
    session: ClusterSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.change(compile_pipeline(loads(LISTED, "p.yaml")))
    session.state.partitions["p"] = PartitionState(100 * SECOND, Liveness.IDLE)
    at = [1000 * SECOND]
    monkeypatch.setattr("tailrace.engines.liveness.LivenessClock.watermark", lambda *_: at[0])
    cluster = Cluster(tmp_path / "plans.json", [])
    cluster.input.bounded = False
    engine = SparkEngine(session, cluster)  # type: ignore[arg-type]  # as above
    future: Future[Any] = Future()
    asked = Request(Act.BAN, "bots", ("k",), lasts=10 * SECOND)
    session.acts._waiting.append((asked, future))

    engine._take_acts()
    engine._take_acts()
    assert not future.done(), "no plan has the clock yet"
    engine._plan()
    offered = json.loads(cluster.plans.read_bytes())
    assert offered["plans"]["0"]["after"] == [
        asdict(Decision(DecisionKind.CLOCK, value=1000 * SECOND))
    ]
    engine._take_acts()
    assert not future.done(), "its batch is under way"
    at[0] += 5 * SECOND
    engine._conclude(played(session, offered["plans"]["0"], offered["number"]))
    engine._take_acts()
    (change,) = future.result(0).verdicts
    assert (change.at, change.until) == (1000 * SECOND + 1, 1010 * SECOND + 1)
    kinds = [kind for _, kind, _ in session.store.decisions()]
    assert kinds[-2:] == ["clock", "manual"]


@dataclass
class Checkpoint:
    """A checkpoint as it stands."""

    known: Mark | None
    last: Begun | None = None
    path: str = "here"

    def mark(self) -> Mark | None:
        return self.known

    def begun(self) -> Begun | None:
        return self.last

    def make(self, pipeline: str, store: str, shards: int) -> Mark:
        return Mark(1, "made", pipeline, store, shards)


MINE = Mark(1, "id", "t", "store", 2)


@pytest.mark.parametrize(
    ("known", "begun", "state", "refused"),
    [
        (None, None, EngineState(), None),
        (MINE, None, EngineState(), None),
        (MINE, Begun(5, True, 1, False), EngineState(epoch=6, batch=5, checkpoint="id"), None),
        (MINE, Begun(6, False, 1, False), EngineState(epoch=6, batch=5, checkpoint="id"), None),
        (MINE, Begun(5, False, 1, False), EngineState(epoch=6, batch=5, checkpoint="id"), None),
        (MINE, Begun(4, True, 1, False), EngineState(epoch=6, batch=5, checkpoint="id"), "older"),
        (MINE, Begun(6, True, 1, False), EngineState(epoch=6, batch=5, checkpoint="id"), "newer"),
        (MINE, Begun(10, False, 1, False), EngineState(epoch=6, batch=5, checkpoint="id"), "newer"),
        (MINE, None, EngineState(epoch=3), "embedded engine"),
        (None, None, EngineState(epoch=3), "embedded engine"),
        (None, None, EngineState(epoch=3, checkpoint="id"), "not at here"),
        (MINE, None, EngineState(epoch=3, checkpoint="other"), "an earlier checkpoint"),
        (Mark(1, "id", "t", "theirs", 2), None, EngineState(), "another store"),
    ],
)
def test_checkpoint_and_store_must_fit(
    known: Mark | None, begun: Begun | None, state: EngineState, refused: str | None
) -> None:
    def look() -> Mark:
        return taken_up(
            Checkpoint(known, begun),  # type: ignore[arg-type]  # as far as it is used
            state,
            pipeline="t",
            store="store",
            store_path="s.duckdb",
            shards=2,
        )

    if refused is None:
        assert look().store == "store"
        return
    with pytest.raises(StoreError, match=refused):
        look()
