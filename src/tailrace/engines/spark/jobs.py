"""What workers need to know of a pipeline: its plan without secrets, and how its state is split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tailrace.config.operation import DeadLetterSettings
from tailrace.engines.epoch import Decision
from tailrace.engines.spark.direct import direct_outputs
from tailrace.engines.state import EngineState, Liveness
from tailrace.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Job:
    """One pipeline of a query; travels to the workers.

    ``run``: names the query's run, so that what a worker keeps of another is not taken for it.
    ``starts``: each rule's start by identity. ``number``: its place among the jobs of the query, of
    which there is one but in tests. ``first``: the number of its first shard among those of all
    jobs, of which it has ``shards``. ``store``: the store's id.
    """

    run: str
    plan: Plan
    salt: str
    starts: Mapping[str, int]
    shards: int
    first: int = 0
    number: int = 0
    store: str = ""

    @property
    def direct(self) -> frozenset[str]:
        """The outputs that workers write to."""
        return frozenset(self.plan.config.outputs)


def for_workers(plan: Plan) -> Plan:
    """The plan without what only the driver uses: its outputs, with the passwords in them."""
    direct = direct_outputs(plan)
    mine = {name: output for name, output in plan.config.outputs.items() if name in direct}
    bare = plan.config.model_copy(
        update={"outputs": mine, "web": None, "dead_letters": DeadLetterSettings()}
    )
    return replace(plan, config=bare, text="")


def arrivals(state: EngineState, names: list[str]) -> list[Decision]:
    """What is decided by the mere coming of slices of these partitions: they appear or return."""
    from tailrace.engines.epoch import DecisionKind

    found = []
    for name in dict.fromkeys(names):
        known = state.partitions.get(name)
        if known is None:
            found.append(Decision(DecisionKind.APPEARED, name))
        elif known.liveness is not Liveness.LIVE:
            found.append(Decision(DecisionKind.RETURNED, name))
    return found
