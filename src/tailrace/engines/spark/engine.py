"""The loop on the driver: plans for Spark, and the commit of what each batch brings.

Spark calls back in a thread of its own; that thread only hands the batch over and waits. All work
on the store is this loop's. A batch takes one plan (decisions, slices of files); messages of Kafka
come by Spark's own connector, with a plan or without.
"""

from __future__ import annotations

import queue
import time
from dataclasses import asdict, dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Any

from tailrace.config import KafkaSource
from tailrace.engines.delivery import ENDED_PATIENCE_SECONDS, STOPPED_PATIENCE_SECONDS
from tailrace.engines.due import next_due
from tailrace.engines.embedded.engine import DROPPED, TICK_SECONDS
from tailrace.engines.embedded.liveness import LivenessClock
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.spark.executors import Executors
from tailrace.engines.spark.failures import failed
from tailrace.engines.spark.inputs import PLAN_BYTES, KafkaInput, PlannedInput
from tailrace.engines.spark.mapping import PLAN
from tailrace.engines.spark.planned import offer
from tailrace.engines.spark.progress import told
from tailrace.engines.spark.query import ends_of
from tailrace.engines.state import Liveness
from tailrace.errors import StoreError, TailraceError
from tailrace.sources.reader import nothing
from tailrace.sources.types import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql.streaming.query import StreamingQuery

    from tailrace.engines.concluding import Result
    from tailrace.engines.running import Reloaded
    from tailrace.engines.spark.cluster import Cluster
    from tailrace.engines.spark.frames import Frame
    from tailrace.engines.spark.session import ClusterSession
    from tailrace.engines.status import SparkStatus
    from tailrace.sources.types import Note, Poll


@dataclass(slots=True)
class _Batch:
    """A batch on its way from Spark's thread to the loop; ``failure`` is raised in the former."""

    number: int
    frames: Sequence[Frame]
    done: Event = field(default_factory=Event)
    failure: BaseException | None = None


@dataclass(slots=True)
class _Plan:
    """What is gathered for the next plan."""

    polls: list[tuple[Poll, float]] = field(default_factory=list)
    bytes: int = 0


class StoppedError(Exception):
    """Tells Spark's thread that its batch isn't wanted now; it runs again at the next start."""


class SparkEngine:
    """Runs a session on a cluster until its input ends or ``stop`` is called."""

    def __init__(
        self,
        session: ClusterSession,
        cluster: Cluster,
        *,
        listen: Callable[[Result | None, tuple[Note, ...]], None] = lambda _result, _notes: None,
    ) -> None:
        """The running thread calls ``listen`` after each batch, and every quarter of a second."""
        self.session = session
        self._cluster = cluster
        self._executors = Executors(cluster.spark)
        self._listen = listen
        self._stop = False
        self._reload: Callable[[], Reloaded] | None = None
        self.reload_error: TailraceError | None = None
        self._liveness = LivenessClock(session.plan.idle_after, session.plan.grace)
        self._batches: queue.Queue[_Batch] = queue.Queue()
        self._query: StreamingQuery | None = None
        self._next = _Plan()
        self._offered: int | None = None
        self._refused = False
        self._progress: SparkStatus | None = None

    def stop(self) -> None:
        """Ask the loop to end after the batch that is under way."""
        self._stop = True

    def reload(self, load: Callable[[], Reloaded]) -> None:
        """Ask the loop to take up what ``load`` gives, between two batches."""
        self._reload = load

    def run(self) -> bool:
        """Run; True if the input was read to its end, False if the run was stopped before."""
        session, source = self.session, self._cluster.input
        if session.state.finished:
            if not source.bounded:
                raise StoreError(
                    f"{session.store.path}: this input was read to its end and its windows are"
                    " closed",
                    hint="name another store.path and checkpoint",
                )
            session.settle(ENDED_PATIENCE_SECONDS, give_up=lambda: self._stop)
            return True
        try:
            self._finish_begun()
            self._open()
            ended = self._read_kafka() if isinstance(source, KafkaInput) else self._read_planned()
        finally:
            self._end_query()
        if ended:
            session.settle(ENDED_PATIENCE_SECONDS, give_up=lambda: self._stop)
        else:
            session.settle(STOPPED_PATIENCE_SECONDS)
        return ended

    def progress(self) -> SparkStatus | None:
        """What Spark tells of its last batch; None before the first."""
        if self._query is not None:
            self._progress = told(self._query.lastProgress) or self._progress
        return self._progress

    # -- ways to run -------------------------------------------------------------------------------

    def _finish_begun(self) -> None:
        """Conclude a batch that was planned and not committed, by the pipeline it was begun with.

        Then take up the pipeline file, if it has changed.
        """
        cluster, session = self._cluster, self.session
        begun = cluster.begun
        if begun is not None and not begun.done:
            self._query = cluster.start(session, self._hand_over, once=True, final=begun.final)
            while not self._stop and (self._query.isActive or not self._batches.empty()):
                self._take_batch(TICK_SECONDS)
                self._idle()
            self._raise_failure()
            self._end_query()
        if cluster.wanted is not None and not self._stop:
            session.change(cluster.wanted)
            cluster.wanted = None
            self._liveness = LivenessClock(session.plan.idle_after, session.plan.grace)

    def _open(self) -> None:
        source = self._cluster.input
        if isinstance(source, PlannedInput):
            running = {
                name
                for name, partition in self.session.state.partitions.items()
                if partition.liveness is not Liveness.ENDED
            }
            source.open(self.session.positions(), running)
        elif isinstance(source, KafkaInput):
            source.open()

    def _read_planned(self) -> bool:
        """Plan slices of files until they end, or for ever."""
        source = self._cluster.input
        self._query = self._cluster.start(self.session, self._hand_over)
        while not self._stop:
            self._take_reload()
            self._take_batch(0.0 if self._offered is None else 0.05)
            if self._offered is None and source.ended and not self._next.polls:
                break
            busy = self._look()
            if self._offered is None and not self._blocked():
                self._offer(self._next_plan())
            if not busy and self._offered is None and not source.ended:
                source.wait(TICK_SECONDS)
            self._idle()
        if self._stop or not source.ended:
            return self._stopped()
        self._offer({"before": [], "after": [Decision(DecisionKind.FINAL)], "slices": []})
        return self._until_finished()

    def _read_kafka(self) -> bool:
        """Let Spark read topics: for ever, or as far as they reached when it began."""
        source = self._cluster.input
        assert isinstance(source, KafkaInput)  # noqa: S101 - the caller looked
        if source.bounded:
            self._look()
            self._offer(self._next_plan())
            self._query = self._cluster.start(self.session, self._hand_over, available_now=True)
            while not self._stop and (self._query.isActive or not self._batches.empty()):
                self._take_batch(TICK_SECONDS)
                self._idle()
            self._end_query()
            if self._stop:
                return self._stopped()
            live = [
                Decision(DecisionKind.ENDED, name)
                for name, partition in self.session.state.partitions.items()
                if partition.liveness is not Liveness.ENDED
            ]
            self._offer(
                {"before": [], "after": [*live, Decision(DecisionKind.FINAL)], "slices": []}
            )
            self._query = self._cluster.start(
                self.session, self._hand_over, available_now=True, final=True
            )
            return self._until_finished()
        self._query = self._cluster.start(self.session, self._hand_over)
        while not self._stop:
            self._take_reload()
            self._take_batch(TICK_SECONDS)
            # Progress is told of batches that are done, so all of it is committed.
            source.planned = ends_of(self._query) or source.planned
            self._look()
            if self._offered is None:
                self._offer(self._next_plan())
            self._idle()
        return self._stopped()

    def _until_finished(self) -> bool:
        while not self._stop and not self.session.state.finished:
            self._take_batch(TICK_SECONDS)
            self._idle()
        return self.session.state.finished or self._stopped()

    def _stopped(self) -> bool:
        self._refused = True
        return False

    # -- plans -------------------------------------------------------------------------------------

    def _look(self) -> bool:
        """Look at the input, unless enough is gathered; whether there was something to read."""
        if self._next.bytes >= PLAN_BYTES or self._cluster.input.ended:
            return True
        poll = self._cluster.input.look(self.session.state)
        if poll.chunks or poll.appeared or poll.at_end or poll.ended or poll.notes:
            self._next.bytes += sum(len(chunk.records.data) for chunk in poll.chunks)
            bare = tuple(Chunk(chunk.slice, nothing()) for chunk in poll.chunks)
            self._next.polls.append((replace(poll, chunks=bare), time.monotonic()))
            if poll.notes:
                self._listen(None, poll.notes)
        return bool(poll.chunks)

    def _next_plan(self) -> dict[str, Any]:
        """What was gathered, with the decisions that it asks for."""
        gathered, self._next = self._next, _Plan()
        state, liveness = self.session.state, self._liveness
        before: dict[tuple[DecisionKind, str], Decision] = {}
        after: list[Decision] = []
        notes: dict[str, int] = {}
        slices = []
        for poll, at in gathered.polls:
            liveness.observe(poll, at)
            for decision in liveness.before(poll, state):
                before.setdefault((decision.kind, decision.subject), decision)
            dropped = [note.partition for note in poll.notes if note.code == DROPPED]
            after += [
                Decision(DecisionKind.ENDED, name)
                for name in (*poll.ended, *dropped)
                if name not in state.partitions
                or state.partitions[name].liveness is not Liveness.ENDED
            ]
            for note in poll.notes:
                notes[note.code] = notes.get(note.code, 0) + note.count
            slices += [asdict(chunk.slice) for chunk in poll.chunks]
        if not self._cluster.input.bounded:
            after += liveness.idle(state)
            clock = liveness.clock(state)
            if clock is not None and (before or after or self._stirs(clock)):
                after.append(clock)
            self.session.clock = liveness.watermark(state)
        return {"before": list(before.values()), "after": after, "slices": slices, "notes": notes}

    def _stirs(self, clock: Decision) -> bool:
        due = next_due(self.session.processor)
        return due is not None and clock.value is not None and due <= clock.value

    def _offer(self, plan: dict[str, Any]) -> None:
        """Give Spark a plan, unless there is nothing in it."""
        if not (plan["before"] or plan["after"] or plan["slices"]):
            return
        self._offered = self._cluster.number + 1
        body = {
            "before": [asdict(one) for one in plan["before"]],
            "after": [asdict(one) for one in plan["after"]],
            "slices": plan["slices"],
            "notes": plan.get("notes", {}),
        }
        offer(self._cluster.plans, self._offered, {"0": body})

    # -- batches -----------------------------------------------------------------------------------

    def _hand_over(self, number: int, frames: Sequence[Frame]) -> None:
        """Called by Spark: wait until the loop has committed the batch."""
        batch = _Batch(number, frames)
        if self._refused:
            raise StoppedError
        self._batches.put(batch)
        while not batch.done.wait(1.0):
            if self._refused:
                raise StoppedError
        if batch.failure is not None:
            raise batch.failure

    def _take_batch(self, seconds: float) -> None:
        """Commit a batch if one comes; the query's error is raised here."""
        started = time.perf_counter()
        try:
            batch = self._batches.get(timeout=seconds) if seconds else self._batches.get_nowait()
        except queue.Empty:
            self.session.times.wait += time.perf_counter() - started
            self._raise_failure()
            return
        self.session.times.wait += time.perf_counter() - started
        try:
            result = self.session.conclude(batch.number, batch.frames)
        except BaseException as error:
            batch.failure = error
            batch.done.set()
            raise
        for frame in batch.frames:
            if frame.head["kind"] == PLAN:
                self._cluster.number = max(self._cluster.number, int(frame.head["number"]))
        if self._offered is not None and self._cluster.number >= self._offered:
            self._offered = None
        batch.done.set()
        self._listen(result, ())

    def _raise_failure(self) -> None:
        query = self._query
        if query is None or query.isActive:
            return
        error = query.exception()
        if error is not None and not self._refused:
            kafka = self.session.plan.config.source
            topics = kafka.topics if isinstance(kafka, KafkaSource) else ()
            raise failed("Spark has stopped the query", error, topics) from error

    def _idle(self) -> None:
        self.session.settle()
        note = self._executors.note()
        self._listen(None, () if note is None else (note,))

    def _blocked(self) -> bool:
        """Back-pressure: nothing is planned while more than the bound waits for outputs."""
        delivery = self.session.delivery
        if delivery.full:
            delivery.run(now=True)
        return delivery.full

    def _take_reload(self) -> None:
        """Between two batches: end the query, take up the changed file, start it again."""
        if self._reload is None or self._offered is not None:
            return
        load, self._reload = self._reload, None
        try:
            reloaded = load()
            self.session.take_up_outputs(reloaded.plan, reloaded.outputs)
        except TailraceError as error:
            self.reload_error = error
            self._listen(None, ())
            return
        self.reload_error = None
        self._end_query()
        self._cluster.wanted = reloaded.plan
        self._cluster.look_again()
        self._finish_begun()
        self._query = self._cluster.start(self.session, self._hand_over)
        self._listen(None, ())

    def _end_query(self) -> None:
        """Stop the query; a batch that it has under way runs again at the next start."""
        query, self._query = self._query, None
        if query is None:
            return
        self._refused = True
        try:
            query.stop()
        finally:
            self._refused = False
            self._batches = queue.Queue()
