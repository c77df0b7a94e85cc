"""Rows that workers write themselves: many, and by ids, so that once more changes nothing.

Windows of ``record`` rules, labelled and archived events for OpenSearch go out where they arise
(SEMANTICS 26). What can't be written now, or is refused, goes to the driver's outbox as all other
rows do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.engines.shapes import shapes_of
from tailrace.errors import OutputError
from tailrace.outputs import OutboxBatch, OutputContext, make_output
from tailrace.outputs.batches import made

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailrace.engines.dispatch import Dispatch
    from tailrace.engines.spark.jobs import Job
    from tailrace.outputs import Output
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import Plan, Rule

KINDS = frozenset({"opensearch"})
"""Outputs that know a row by its id alone; the others keep account of batches as well.

Where the file chooses the ids, rows may have one id, of which the last is to stay: there the order
counts, and the driver delivers.
"""

LEAVE_SECONDS = 30.0
"""A server that failed isn't asked again by this worker for so long: a batch has many slices."""

LEFT = "left "
"""Begins the names of tables with rows that the driver must deliver: then a number, an output."""


@dataclass(slots=True)
class Written:
    """What became of rows: how many each output has taken; what is left for the driver."""

    rows: dict[str, int] = field(default_factory=dict)
    left: list[tuple[str, pa.Table]] = field(default_factory=list)

    def tables(self) -> dict[str, pa.Table]:
        """What is left, as tables of a frame."""
        return {f"{LEFT}{i} {name}": rows for i, (name, rows) in enumerate(self.left)}


class DirectWriter:
    """A worker's own connections to outputs; they are opened when there is something to write."""

    def __init__(self, plan: Plan, store_id: str) -> None:
        """``plan``: its outputs are those that are written directly."""
        self._plan = plan
        self._store_id = store_id
        self._open: dict[str, Output] = {}
        self._seq = 0
        self._left_until: dict[str, float] = {}

    def write(self, dispatch: Dispatch) -> Written:
        """Write what was dispatched; nothing is raised, what fails is left."""
        written = Written()
        for _, name, later in dispatch.batches()[0]:
            rows = made(later)
            if time.monotonic() < self._left_until.get(name, 0.0):
                written.left.append((name, rows))
                continue
            try:
                refused = self._deliver(name, rows)
            except OutputError:
                self._close(name)
                self._left_until[name] = time.monotonic() + LEAVE_SECONDS
                written.left.append((name, rows))
                continue
            written.rows[name] = written.rows.get(name, 0) + rows.num_rows - len(refused)
            if refused:
                written.left.append((name, rows.take(pa.array(refused))))
        return written

    def _deliver(self, name: str, rows: pa.Table) -> list[int]:
        if name not in self._open:
            context = OutputContext(self._plan.name, self._store_id, shapes_of(self._plan, name))
            output = make_output(name, self._plan.config.outputs[name], context)
            output.open(None)
            self._open[name] = output
        self._seq += 1
        receipt = self._open[name].deliver(OutboxBatch(self._seq, rows))
        return [one.row for one in receipt.refused]

    def close(self) -> None:
        """Give back all connections."""
        for name in list(self._open):
            self._close(name)

    def _close(self, name: str) -> None:
        output = self._open.pop(name, None)
        if output is not None:
            output.close()


_writers: dict[tuple[str, int], DirectWriter] = {}


def writer_of(job: Job) -> DirectWriter:
    """This worker process's writer for a job."""
    name = (job.run, job.number)
    if name not in _writers:
        for other in [other for other in _writers if other[0] != job.run]:
            _writers.pop(other).close()
        _writers[name] = DirectWriter(job.plan, job.store)
    return _writers[name]


def direct_outputs(plan: Plan) -> frozenset[str]:
    """The outputs that workers write to."""
    targets = {name: output.target for name, output in plan.config.outputs.items()}
    return frozenset(
        name for name, target in targets.items() if target.kind in KINDS and not target.templates
    )


def travels(rule: Rule, direct: frozenset[str]) -> bool:
    """Whether the driver must have the closed windows of a rule: for incidents, or its outbox."""
    return rule.alert or not rule.to or not direct.issuperset(rule.to)


def labels_travel(rule: Classification, direct: frozenset[str]) -> bool:
    """Whether the driver must have the events that a rule labelled."""
    return not rule.outputs or not direct.issuperset(rule.outputs)


def for_driver(names: Iterable[str], direct: frozenset[str]) -> tuple[str, ...]:
    """The outputs that are left to the driver."""
    return tuple(name for name in names if name not in direct)


def drivers_plan(plan: Plan, direct: frozenset[str]) -> Plan:
    """The plan as the driver dispatches by it: without what workers write."""
    return replace(
        plan,
        rules=tuple(
            rule if rule.alert else replace(rule, to=for_driver(rule.to, direct))
            for rule in plan.rules
        ),
        classifications=tuple(
            replace(
                rule,
                to=for_driver(rule.to, direct),
                to_label={label: for_driver(to, direct) for label, to in rule.to_label.items()},
            )
            for rule in plan.classifications
        ),
        archive=plan.archive if plan.marks else for_driver(plan.archive, direct),
    )
