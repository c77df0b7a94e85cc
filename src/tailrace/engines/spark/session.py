"""A pipeline whose kernel Spark runs: the driver's store, incidents and deliveries.

No Spark here and no threads: the loop (``engine``) and tests hand over the frames of each batch.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tailrace.engines.concluding import Result
from tailrace.engines.session import BaseSession
from tailrace.engines.spark.jobs import Job, for_workers
from tailrace.engines.spark.joining import Joining
from tailrace.engines.tables import check_tables
from tailrace.engines.versions import reference_rows
from tailrace.engines.watermark import decide
from tailrace.store.commit import Commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tailrace.engines.delivery import Delivery
    from tailrace.engines.epoch import Decision
    from tailrace.engines.references.keeper import Loaded
    from tailrace.engines.spark.frames import Frame
    from tailrace.plan.model import Plan
    from tailrace.reference.snapshot import Snapshot
    from tailrace.sources.types import Input
    from tailrace.store.store import Store


class ClusterSession(BaseSession):
    """One run of a pipeline on a cluster."""

    processor: Joining

    def __init__(
        self,
        plan: Plan,
        store: Store,
        source: Input,
        delivery: Delivery,
        *,
        previous: Plan | None,
        on_commit: Callable[[str], None] = lambda _: None,
        observe: Callable[[Result], None] = lambda _: None,
    ) -> None:
        """Take up what the store holds, by the plan that it fits (``previous``, if there is one).

        A changed ``plan`` is taken up by ``adopt``, once no batch is left that was begun before.
        """
        self.source = source
        super().__init__(
            plan, store, delivery, previous=previous, on_commit=on_commit, observe=observe
        )
        self.processor = self._joining()
        self._on_commit("opened")

    def _joining(self) -> Joining:
        joining = Joining(self.plan, self.state)
        for rule in self.plan.rules:
            if rule.alert:
                joining.load_fold(rule, self.store.folds(rule.identity))
        self.load_verdicts(joining.conclusion)
        return joining

    def _take_up(self) -> None:
        self.processor = self._joining()

    def change(self, plan: Plan, loaded: Loaded | None = None) -> Result:
        """Take up a changed pipeline; its new rules begin after all events read so far.

        ``loaded``: see ``adopt``.
        """
        check_tables(self.store, plan)
        return self.adopt(plan, loaded)

    def use(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Let other versions of references be in force, between two batches."""
        decisions = self.decided(snapshots)
        if not decisions:
            return
        kept = dict(self.state.references)
        for decision in decisions:
            decide(self.state, decision, self.plan.grace)
        self.state.epoch += 1
        commit = Commit(
            epoch=self.state.epoch,
            state=self.state.to_json(),
            decisions=tuple((one.kind.value, one.body) for one in decisions),
            references=reference_rows(snapshots),
            kept_references=kept,
        )
        self._observe(Result(commit))
        self.commit(commit)

    def job(
        self, run: str, shards: int, *, first: int = 0, number: int = 0, accept_loss: bool = False
    ) -> Job:
        """What workers need to know, now."""
        return Job(
            run=run,
            plan=for_workers(self.plan),
            salt=self.store.salt,
            starts=dict(self.processor.starts),
            shards=shards,
            first=first,
            number=number,
            store=self.store.identity,
            accept_loss=accept_loss,
            snapshots={
                name: self.contents(name, version)
                for name, version in self.versions(self.plan).items()
            },
        )

    def maxima(self, before: Iterable[Decision]) -> dict[str, int] | None:
        """The greatest event time of each partition, where slices must know it; else None.

        With ``on_error: classify`` an event without a time of its own takes that. ``before``:
        decided before the slices, in order; who appears or returns comes to the watermark.
        """
        if self.plan.config.on_error != "classify":
            return None
        partitions = {name: replace(one) for name, one in self.state.partitions.items()}
        then = replace(self.state, partitions=partitions)
        for decision in before:
            decide(then, decision, self.plan.grace)
        return {name: partition.maximum for name, partition in partitions.items()}

    def conclude(self, batch: int, frames: Sequence[Frame]) -> Result | None:
        """Commit a batch; None if it was committed before, and so changes nothing."""
        if batch <= self.state.batch:
            return None
        started = time.perf_counter()
        result = self.processor.run(batch, frames)
        self.times.kernel += time.perf_counter() - started
        self._observe(result)
        self.commit(result.commit)
        return result
