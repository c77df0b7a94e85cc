"""The Spark engine's mapper, reducer and driver without Spark, for the whole corpus in seconds.

What Spark would do is done here in the worst way that it may: slices are mapped in any order,
shards get their frames in any order and move from one worker to another, and batches run twice, the
state that the first time left being thrown away.
"""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from tests.conformance.arrivals import with_slices

from tailrace.engines.delivery import Delivery
from tailrace.engines.embedded.outcomes import Gathered, outcome_of
from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.keeping import Keeping
from tailrace.engines.spark.mapping import PLAN, Place, SliceMapper
from tailrace.engines.spark.session import ClusterSession
from tailrace.engines.turns import Turn, Turns
from tailrace.kernel.time import NEVER
from tailrace.sources.memory import MemorySource
from tailrace.store.store import MEMORY, Store

if TYPE_CHECKING:
    from tailrace.engines.spark.jobs import Job
    from tailrace.testing.case import Case
    from tailrace.testing.outcome import Outcome, Variation

MOST_SHARDS = 5
WORKERS = 2


class MemoryBlobs(dict[str, bytes]):
    """Blobs of one shard."""

    def put(self, name: str, data: bytes) -> None:
        self[name] = data

    def drop(self, name: str) -> None:
        del self[name]


class Sharded:
    """Runs one case."""

    def __init__(self, case: Case, variation: Variation) -> None:
        self._turns = Turns(case, variation)
        self._random = random.Random(variation.seed)
        self._gathered = Gathered(pipeline=self._turns.plan.name)
        plan = self._turns.plan
        store = Store.open(MEMORY, plan.name, salt=case.salt)
        self.session = ClusterSession(
            plan,
            store,
            MemorySource(self._turns.contents, bounded=False),
            Delivery({}),
            previous=None,
            observe=self._gathered.take,
        )
        self._shards = self._random.randint(1, MOST_SHARDS)
        self._blobs = [MemoryBlobs() for _ in range(self._shards)]
        self._job = self._made()

    def _made(self) -> Job:
        job = self.session.job("test", self._shards)
        self._mapper = SliceMapper(job)
        self._workers = [Keeping() for _ in range(WORKERS)]
        return job

    def outcome(self) -> Outcome:
        for turn in with_slices(self._turns):
            if turn.snapshots:
                self.session.use(turn.snapshots)
                self._job = self._made()
            elif turn.request is not None:
                self.session.act(turn.request)
            elif turn.plan is None:
                self._turn(turn)
            elif turn.plan is not self.session.plan:
                self.session.change(turn.plan)
                self._job = self._made()
        outcome = outcome_of(self.session, self._gathered)
        self.session.store.close()
        return outcome

    def _turn(self, turn: Turn) -> None:
        plan = self.session.plan
        after = turn.decided_after(self.session.state, plan.grace)
        head = {
            "kind": PLAN,
            "before": [asdict(one) for one in turn.before],
            "after": [asdict(one) for one in after],
            "notes": {},
        }
        mapped = [(shard, Frame(head).pack()) for shard in range(self._shards)]
        chunks = list(enumerate(turn.chunks))
        self._random.shuffle(chunks)
        maxima = self.session.maxima(turn.before)
        if maxima is not None:
            chunks.sort(key=lambda one: (one[1].slice.partition, one[0]))
        last = None
        for order, chunk in chunks:
            name = chunk.slice.partition
            before = None if maxima is None or name == last else maxima.get(name, NEVER)
            last = name
            self._mapper.begin()
            mapped += self._mapper.frames(Place(chunk.slice, order, before), chunk.records)
        self._random.shuffle(mapped)
        batch = self.session.state.batch + 1
        found = [
            Frame.unpack(out)
            for shard in range(self._shards)
            for out in self._reduce(shard, [data for to, data in mapped if to == shard])
        ]
        self._random.shuffle(found)
        self.session.conclude(batch, found)

    def _reduce(self, shard: int, payloads: list[bytes]) -> list[bytes]:
        if self._random.random() < 0.3:
            # It runs once and dies: what it wrote goes, what its worker keeps stays.
            thrown_away = MemoryBlobs(self._blobs[shard])
            list(self._worker.run(self._job, shard, payloads, thrown_away))
        return list(self._worker.run(self._job, shard, payloads, self._blobs[shard]))

    @property
    def _worker(self) -> Keeping:
        return self._random.choice(self._workers)


def without_notices(outcome: Outcome) -> Outcome:
    """The outcome as an engine without early notices has it."""
    return replace(
        outcome,
        notices=(),
        revisions=tuple(replace(revision, notices=()) for revision in outcome.revisions),
    )
