"""Many cases at once in one streaming query of Spark's: a query costs seconds to start.

The cases go in step: a batch has one turn of each. Where pipelines change, all wait for each other,
and the query is started anew; where the seed says so it dies and is started again from its
checkpoint, before or after what the batch brought was committed.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import asdict, dataclass
from queue import Empty, Queue
from threading import Event
from typing import TYPE_CHECKING

from pyspark.errors import StreamingQueryException
from tests.conformance.arrivals import with_slices

from tailrace.engines.delivery import Delivery
from tailrace.engines.embedded.outcomes import Gathered, outcome_of
from tailrace.engines.spark.offering import offer
from tailrace.engines.spark.query import Query
from tailrace.engines.spark.session import ClusterSession
from tailrace.engines.turns import Turn, Turns
from tailrace.sources.inline import with_records
from tailrace.sources.memory import MemorySource
from tailrace.store.store import MEMORY, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from tailrace.engines.spark.frames import Frame
    from tailrace.engines.spark.jobs import Job
    from tailrace.testing.case import Case
    from tailrace.testing.outcome import Outcome, Variation

SHARDS = 2
"""Of each case; the query has as many shuffle partitions."""

LONGEST_SECONDS = 240
"""A batch that takes longer hangs."""


class KilledError(Exception):
    """The driver's end of a batch dies."""


class Running:
    """One case on its way."""

    def __init__(self, case: Case, variation: Variation) -> None:
        self.turns = Turns(case, variation)
        self._left: Iterator[Turn] = with_slices(self.turns)
        self.turn: Turn | None = next(self._left, None)
        self._gathered = Gathered(pipeline=self.turns.plan.name)
        self.session = ClusterSession(
            self.turns.plan,
            Store.open(MEMORY, self.turns.plan.name, salt=case.salt),
            MemorySource(self.turns.contents, bounded=False),
            Delivery({}),
            previous=None,
            observe=self._gathered.take,
        )

    def done(self) -> None:
        """The turn was taken."""
        self.turn = next(self._left, None)

    def act(self) -> None:
        """Do what a person does next; Spark hears nothing of it."""
        while self.turn is not None and self.turn.request is not None:
            self.session.act(self.turn.request)
            self.done()

    def plan(self) -> dict[str, object]:
        """The turn as a plan for Spark."""
        assert self.turn is not None
        session = self.session
        after = self.turn.decided_after(session.state, session.plan.grace)
        return {
            "before": [asdict(one) for one in self.turn.before],
            "after": [asdict(one) for one in after],
            "slices": [asdict(with_records(c.slice, c.records)) for c in self.turn.chunks],
            "notes": {},
            "maxima": session.maxima(self.turn.before),
        }

    def outcome(self) -> Outcome:
        found = outcome_of(self.session, self._gathered)
        self.session.store.close()
        return found


@dataclass
class Handed:
    """A batch handed from Spark's thread to the test's."""

    number: int
    frames: Sequence[Frame]
    done: Event
    failure: Exception | None = None


class Packed:
    """Runs cases together."""

    def __init__(self, spark: SparkSession, folder: Path, feeds: Sequence[Variation]) -> None:
        """``folder``: for the checkpoint; ``feeds``: how each case's rows are cut, in turn."""
        self._spark = spark
        self._folder = folder
        self._feeds = feeds
        self._handed: Queue[Handed] = Queue()
        self.kills = 0
        self.again = 0
        """Batches that came once more because a query was stopped too early."""

    def run(self, cases: Sequence[Case], *, seed: int = 0, kill: float = 0.0) -> list[Outcome]:
        """The outcome of each case; ``kill``: the probability that a batch dies, once each."""
        draw = random.Random(seed)
        running = [
            Running(case, self._feeds[number % len(self._feeds)])
            for number, case in enumerate(cases)
        ]
        number = 0
        query = self._start(running)
        while any(one.turn is not None for one in running):
            for one in running:
                one.act()
            moving = {
                place: one
                for place, one in enumerate(running)
                if one.turn is not None and one.turn.plan is None and not one.turn.snapshots
            }
            if not moving:
                query.stop()
                self._change(running)
                query = self._start(running)
                continue
            number += 1
            plans = {str(place): one.plan() for place, one in moving.items()}
            offer(self._folder / "plans.json", number, plans)
            if draw.random() < kill:
                query = self._die(query, running, number, committed=draw.random() < 0.5)
            self._conclude(self._take(query, running, number), running)
            for one in moving.values():
                one.done()
        query.stop()
        return [one.outcome() for one in running]

    def _start(self, running: Sequence[Running]) -> StreamingQuery:
        jobs: list[Job] = []
        for number, one in enumerate(running):
            run = f"{self._folder.name} {random.random()}"
            jobs.append(one.session.job(run, SHARDS, first=number * SHARDS, number=number))
        query = Query(
            self._spark,
            tuple(jobs),
            plans=self._folder / "plans.json",
            checkpoint=str(self._folder / "checkpoint"),
        )
        return query.start(self._hand, trigger="20 milliseconds")

    def _hand(self, number: int, frames: Sequence[Frame]) -> None:
        handed = Handed(number, frames, Event())
        self._handed.put(handed)
        assert handed.done.wait(LONGEST_SECONDS)
        if handed.failure is not None:
            raise handed.failure

    def _take(self, query: StreamingQuery, running: Sequence[Running], plan: int) -> Handed:
        """The batch of that plan.

        The one before may come again first: the query was stopped before Spark noted that it was
        done. It changes nothing then.
        """
        for _ in range(LONGEST_SECONDS):
            try:
                handed = self._handed.get(timeout=1.0)
            except Empty:
                assert query.isActive, query.exception()
                continue
            if handed.number == plan - 1:
                return handed
            assert handed.number == plan - 2
            self._conclude(handed, running)
            self.again += 1
        message = "no batch came"
        raise AssertionError(message)

    def _die(
        self, query: StreamingQuery, running: Sequence[Running], plan: int, *, committed: bool
    ) -> StreamingQuery:
        """Let the batch die in the driver, and start the query again: it comes once more."""
        self.kills += 1
        handed = self._take(query, running, plan)
        handed.failure = KilledError()
        if committed:
            self._conclude(handed, running)
        else:
            handed.done.set()
        with suppress(StreamingQueryException):
            query.awaitTermination(LONGEST_SECONDS)
        assert not query.isActive
        return self._start(running)

    def _conclude(self, handed: Handed, running: Sequence[Running]) -> None:
        by_job: dict[int, list[Frame]] = {}
        for frame in handed.frames:
            by_job.setdefault(int(frame.head["job"]), []).append(frame)
        for number, frames in by_job.items():
            running[number].session.conclude(handed.number, frames)
        handed.done.set()

    def _change(self, running: Sequence[Running]) -> None:
        for one in running:
            if one.turn is not None and one.turn.snapshots:
                one.session.use(one.turn.snapshots)
                one.done()
            elif one.turn is not None and one.turn.plan is not None:
                if one.turn.plan is not one.session.plan:
                    one.session.change(one.turn.plan)
                one.done()
