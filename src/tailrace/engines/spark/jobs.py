"""What workers need to know of a pipeline: its plan, and how its state is split."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tailrace.config import HttpSource, KafkaSource
from tailrace.config.operation import DeadLetterSettings
from tailrace.config.references import without_place
from tailrace.config.source import AnySource
from tailrace.config.spark import SparkSettings
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.spark.direct import direct_outputs
from tailrace.engines.state import EngineState, Liveness
from tailrace.kernel.lookups import Lookups
from tailrace.plan.model import Plan
from tailrace.plan.references import shape_of
from tailrace.reference.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Job:
    """One pipeline of a query; travels to the workers.

    ``run``: names the query's run, so that what a worker keeps of another is not taken for it.
    ``starts``: each rule's start by identity. ``number``: its place among the jobs of the query, of
    which there is one but in tests. ``first``: the number of its first shard among those of all
    jobs, of which it has ``shards``. ``store``: the store's id. ``accept_loss``: slices that are
    gone are left out, and counted. ``snapshots``: the versions of references in force, by name.
    """

    run: str
    plan: Plan
    salt: str
    starts: Mapping[str, int]
    shards: int
    first: int = 0
    number: int = 0
    store: str = ""
    accept_loss: bool = False
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)

    def lookups(self) -> Lookups:
        """The versions in force, as the kernel looks things up in them."""
        known = Lookups()
        for name, snapshot in self.snapshots.items():
            known.use(shape_of(name, self.plan.config.references[name]), snapshot)
        return known

    @property
    def versions(self) -> dict[str, str]:
        """The versions in force, by reference."""
        return {name: snapshot.version for name, snapshot in self.snapshots.items()}

    @property
    def direct(self) -> frozenset[str]:
        """The outputs that workers write to."""
        return frozenset(self.plan.config.outputs)


def for_workers(plan: Plan) -> Plan:
    """The plan without what only the driver uses, and so without nearly all passwords.

    Outputs that workers write to themselves are in it as they are.
    """
    direct = direct_outputs(plan)
    mine = {name: output for name, output in plan.config.outputs.items() if name in direct}
    bare = plan.config.model_copy(
        update={
            "outputs": mine,
            "web": None,
            "dead_letters": DeadLetterSettings(),
            "spark": SparkSettings(),
            "source": _without_secrets(plan.config.source),
            "references": {n: without_place(r) for n, r in plan.config.references.items()},
        }
    )
    return replace(plan, config=bare, text="")


def _without_secrets(source: AnySource) -> AnySource:
    if isinstance(source, KafkaSource):
        # Messages are read by Spark's connector, which has its options from the driver.
        return source.model_copy(update={"options": {}})
    if isinstance(source, HttpSource):
        return source.model_copy(update={"token": None})
    return source


def standing(after: Iterable[Decision], partitions: Container[str]) -> list[Decision]:
    """Those decisions that still hold beside slices of ``partitions`` in the same batch.

    Messages may come between a plan and its batch: then it isn't quiet any more, the clock doesn't
    lead, and a partition with a slice isn't idle.
    """
    busy = bool(partitions)
    return [
        one
        for one in after
        if not (one.kind is DecisionKind.CLOCK and busy)
        and not (one.kind is DecisionKind.IDLE and one.subject in partitions)
    ]


def arrivals(state: EngineState, names: list[str]) -> list[Decision]:
    """What is decided by the mere coming of slices of these partitions: they appear or return."""
    found = []
    for name in dict.fromkeys(names):
        known = state.partitions.get(name)
        if known is None:
            found.append(Decision(DecisionKind.APPEARED, name))
        elif known.liveness is not Liveness.LIVE:
            found.append(Decision(DecisionKind.RETURNED, name))
    return found
