"""The loop on the driver: plans for Spark, and the commit of what each batch brings.

Spark calls back in a thread of its own; that thread only hands the batch over and waits. All work
on the store is this loop's. A batch takes one plan (decisions, slices of files); messages of Kafka
come by Spark's own connector, with a plan or without.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tailrace.config import KafkaSource
from tailrace.engines.delivery import ENDED_PATIENCE_SECONDS, STOPPED_PATIENCE_SECONDS
from tailrace.engines.running import TICK_SECONDS
from tailrace.engines.spark.clocked import ClockedActs
from tailrace.engines.spark.executors import Executors
from tailrace.engines.spark.failures import failed
from tailrace.engines.spark.handing import Handover
from tailrace.engines.spark.inputs import KafkaInput, PlannedInput
from tailrace.engines.spark.mapping import PLAN
from tailrace.engines.spark.offering import offer
from tailrace.engines.spark.planning import Planned, Planner
from tailrace.engines.spark.progress import NO_BATCH, told
from tailrace.engines.spark.query import ends_of
from tailrace.engines.state import Liveness
from tailrace.errors import StoreError, TailraceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.streaming.query import StreamingQuery

    from tailrace.engines.concluding import Result
    from tailrace.engines.references.keeper import Loaded, News
    from tailrace.engines.running import Reloaded
    from tailrace.engines.spark.cluster import Cluster
    from tailrace.engines.spark.handing import Batch
    from tailrace.engines.spark.session import ClusterSession
    from tailrace.engines.status import SparkStatus
    from tailrace.sources.types import Note

STOP_SECONDS = 10.0
"""How long a stop waits for the batch under way; after that it runs again at the next start."""

PLANNED_TICK_SECONDS = 0.05
"""While a batch reads files the next slices are looked for this often."""


class SparkEngine:
    """Runs a session on a cluster until its input ends or ``stop`` is called."""

    def __init__(
        self,
        session: ClusterSession,
        cluster: Cluster,
        *,
        listen: Callable[[Result | None, tuple[Note, ...]], None] = lambda _result, _notes: None,
    ) -> None:
        """The running thread calls ``listen`` after each batch, and several times a second."""
        self.session = session
        self._cluster = cluster
        self._executors = Executors(cluster.spark)
        self._listen = listen
        self._stop = False
        self._reload: Callable[[], Reloaded] | None = None
        self.reload_error: TailraceError | None = None
        self._planner = Planner(session, cluster.input)
        self._acts = ClockedActs(session, self._planner)
        self._handover = Handover()
        self._query: StreamingQuery | None = None
        self._offered: int | None = None
        self._progress = NO_BATCH

    def stop(self) -> None:
        """Ask the loop to end after the batch that is under way."""
        self._stop = True

    def reload(self, load: Callable[[], Reloaded]) -> None:
        """Ask the loop to take up what ``load`` gives, between two batches."""
        self._reload = load

    def run(self) -> bool:
        """Run; True if the input was read to its end, False if the run was stopped before."""
        session, source = self.session, self._cluster.input
        ended = False
        try:
            self._finish_begun()
            ended = self._finished()
            if not ended:
                self._begin_references()
            if not ended and not self._stop:
                self._open()
                kafka = isinstance(source, KafkaInput)
                ended = self._read_kafka(source) if kafka else self._read_planned()  # type: ignore[arg-type]  # it is one
            if not ended:
                self._take_last()
        except BaseException:
            # What ended the run is told, not what its end may bring.
            with suppress(Exception):
                self._end_query()
            raise
        self._end_query()
        if ended:
            session.settle(ENDED_PATIENCE_SECONDS, give_up=lambda: self._stop)
        else:
            session.settle(STOPPED_PATIENCE_SECONDS)
        return ended

    def progress(self) -> SparkStatus:
        """What Spark tells of its last batch."""
        if self._query is not None:
            self._progress = told(self._query.lastProgress) or self._progress
        return self._progress

    # -- ways to run -------------------------------------------------------------------------------

    def _finish_begun(self, loaded: Loaded | None = None) -> None:
        """Conclude a batch that was planned and not committed, by the pipeline it was begun with.

        Then take up the pipeline file, if it has changed, with its references: ``loaded``, or they
        are loaded here; TableError, and nothing is taken up, if one can't be.
        """
        cluster, session = self._cluster, self.session
        begun = cluster.begun
        if begun is not None and not begun.done:
            self._start(once=True, final=begun.final)
            self._until_query_ends()
            self._end_query()
        if cluster.wanted is not None and not self._stop:
            if loaded is None:
                loaded = session.load_references(cluster.wanted)
            session.change(cluster.wanted, loaded)
            cluster.wanted = None
            self._planner.begin_anew()

    def _finished(self) -> bool:
        """Whether the input was read to its end; StoreError if more of it is to be read now."""
        if not self.session.state.finished:
            return False
        if not self._cluster.input.bounded:
            raise StoreError(
                f"{self.session.store.path}: this input was read to its end and its windows are"
                " closed",
                hint="name another store.path and checkpoint",
            )
        return True

    def _open(self) -> None:
        source, state = self._cluster.input, self.session.state
        if isinstance(source, PlannedInput):
            running = {
                name
                for name, partition in state.partitions.items()
                if partition.liveness is not Liveness.ENDED
            }
            source.open(self.session.positions(), running)
        elif isinstance(source, KafkaInput):
            source.open(self.session.positions())

    def _read_planned(self) -> bool:
        """Plan slices of files until they end, or for ever."""
        source = self._cluster.input
        self._start()
        while not self._stop:
            self._take_reload()
            self._take_references()
            self._take_acts()
            self._take_batch(0.0 if self._offered is None else PLANNED_TICK_SECONDS)
            if self._offered is None and source.ended and not self._planner.waiting:
                break
            blocked = self._blocked()
            busy = not blocked and self._look()
            while busy and self._offered is None and not self._planner.full and not self._stop:
                # A backlog: a batch has a price, and its slices are read side by side.
                busy = self._look()
            if not blocked:
                self._plan()
            if not busy and self._offered is None and not source.ended:
                source.wait(TICK_SECONDS)
            self._idle()
        if self._stop:
            return False
        self._offer(self._planner.final())
        return self._until_finished()

    def _read_kafka(self, source: KafkaInput) -> bool:
        """Let Spark read topics: for ever, or as far as they reached when it began."""
        # Before the first batch: all partitions hold the watermark, those without messages too.
        self._look()
        self._offer(self._planner.plan())
        if source.bounded:
            self._start(available_now=True)
            self._until_query_ends()
            self._end_query()
            if self._stop:
                return False
            self._offered = None
            self._offer(self._planner.final())
            self._start(available_now=True, final=True)
            return self._until_finished()
        self._start()
        while not self._stop:
            self._take_reload()
            self._take_references()
            self._take_acts()
            self._take_batch(TICK_SECONDS)
            if self._query is not None:
                # Progress is told of batches that are done, so all of it is committed.
                source.planned = ends_of(self._query) or source.planned
            self._look()
            self._plan()
            self._idle()
        return False

    def _until_query_ends(self) -> None:
        """Take the batches of a query that ends by itself."""
        while not self._stop and (self._active() or not self._handover.empty):
            self._take_batch(TICK_SECONDS)
            self._do_acts()
            self._idle()
        if not self._stop:
            self._raise_failure()

    def _until_finished(self) -> bool:
        while not self._stop and not self.session.state.finished:
            if not self._active() and self._handover.empty:
                self._raise_failure()
                raise TailraceError(
                    "Spark has ended the query before the end of the input",
                    hint="run again to go on from the last batch that was committed",
                )
            self._take_batch(TICK_SECONDS)
            self._do_acts()
            self._idle()
        return self.session.state.finished

    def _take_last(self) -> None:
        """At a stop: give the batch under way some time to come."""
        deadline = time.monotonic() + STOP_SECONDS
        while self._query is not None and time.monotonic() < deadline:
            if not self._active() or not self._query.status["isTriggerActive"]:
                return
            if self._take_batch(TICK_SECONDS):
                return

    # -- plans -------------------------------------------------------------------------------------

    def _look(self) -> bool:
        busy, notes = self._planner.look()
        if notes:
            self._listen(None, notes)
        return busy

    def _plan(self) -> None:
        """Offer the next plan if the last one was taken.

        Not when the pipeline or a reference is to change, which only can be between two plans.
        """
        changes = self._reload is not None or self.session.references.waiting
        if self._offered is None and not changes:
            self._offer(self._planner.plan())

    def _offer(self, plan: Planned) -> None:
        """Give Spark a plan, unless there is nothing in it."""
        if plan:
            self._offered = self._cluster.number + 1
            offer(self._cluster.plans, self._offered, {"0": plan.to_json()})

    # -- batches -----------------------------------------------------------------------------------

    def _start(
        self, *, available_now: bool = False, once: bool = False, final: bool = False
    ) -> None:
        self._handover = Handover()
        self._query = self._cluster.start(
            self.session, self._handover, available_now=available_now, once=once, final=final
        )

    def _active(self) -> bool:
        return self._query is not None and self._query.isActive

    def _take_batch(self, seconds: float) -> bool:
        """Commit a batch if one comes; the query's error is raised here."""
        started = time.perf_counter()
        batch = self._handover.take(seconds)
        self.session.times.wait += time.perf_counter() - started
        if batch is None:
            self._raise_failure()
            return False
        try:
            result = self._conclude(batch)
        except BaseException as error:
            batch.failure = error
            raise
        finally:
            batch.done.set()
        self._listen(result, ())
        return True

    def _conclude(self, batch: Batch) -> Result | None:
        result = self.session.conclude(batch.number, batch.frames)
        for frame in batch.frames:
            if frame.head["kind"] == PLAN:
                self._cluster.number = max(self._cluster.number, int(frame.head["number"]))
        if self._offered is not None and self._cluster.number >= self._offered:
            self._offered = None
        # Spark plans no further batch while it waits for this one.
        while self._blocked() and not self._stop:
            self._do_acts()
            self._idle()
            time.sleep(TICK_SECONDS)
        return result

    def _raise_failure(self) -> None:
        query = self._query
        if query is None or query.isActive:
            return
        error = query.exception()
        if error is not None:
            kafka = self.session.plan.config.source
            topics = kafka.topics if isinstance(kafka, KafkaSource) else ()
            raise failed("Spark has stopped the query", error, topics) from error

    def _idle(self) -> None:
        self.session.settle()
        note = self._executors.note()
        self._listen(None, () if note is None else (note,))

    def _blocked(self) -> bool:
        """Back-pressure: no batch follows while more than the bound waits for outputs."""
        delivery = self.session.delivery
        if delivery.full:
            delivery.run(now=True)
        return delivery.full

    def _begin_references(self) -> None:
        """Load all references before anything is read; TableError if one has no version then."""
        session = self.session
        if session.plan.config.references:
            references = session.plan.config.references
            self._use(session.references.begin(references, session.versions(session.plan)))
            session.references.start()

    def _use(self, news: News) -> None:
        """Versions that were loaded are in force from the next query on."""
        self.session.use(news.snapshots)
        self._tell(news)

    def _tell(self, news: News) -> None:
        """Notes are told at once, and counted with the next plan."""
        if news.notes:
            self._planner.count(news.notes)
            self._listen(None, tuple(news.notes))

    def _take_references(self) -> None:
        """Between two batches: versions that were loaded end the query, and start another."""
        if not self.session.plan.config.references:
            return
        if self._offered is not None:
            self._tell(self.session.references.failures())
            return
        news = self.session.references.take(self.session.state.references)
        if news.snapshots:
            self._end_query()
            self._cluster.look_again()
            self._finish_begun()
            self._use(news)
            self._start()
        elif news:
            self._use(news)

    def _take_acts(self) -> None:
        for result in self._acts.take(offered=self._offered is not None):
            self._listen(result, ())

    def _do_acts(self) -> None:
        for result in self._acts.now():
            self._listen(result, ())

    def _take_reload(self) -> None:
        """Between two batches: end the query, take up the changed file, start it again."""
        if self._reload is None or self._offered is not None:
            return
        load, self._reload = self._reload, None
        try:
            reloaded = load()
            loaded = self.session.load_references(reloaded.plan)
            self.session.take_up_outputs(reloaded.plan, reloaded.outputs)
        except TailraceError as error:
            self.reload_error = error
            self._listen(None, ())
            return
        self.reload_error = None
        self._end_query()
        self._cluster.wanted = reloaded.plan
        self._cluster.look_again()
        self._finish_begun(loaded)
        self.session.references.start()
        self._start()
        self._listen(None, ())

    def _end_query(self) -> None:
        """Stop the query; a batch that it has under way runs again at the next start."""
        query, self._query = self._query, None
        self._handover.refuse()
        if query is None:
            return
        try:
            query.stop()
        except Exception as error:
            # Py4J's errors have no common base with those of PySpark.
            if self._stop:
                return  # a batch waits for something that is away; the process ends all the same
            raise failed("Spark doesn't end the query", error) from error
