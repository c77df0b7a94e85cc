"""The steps of a case as turns of an engine: what it reads and what was decided, cut as asked."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.alerts.verdicts import Act
from tailrace.engines.acting import Request
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.errors import TableError
from tailrace.formats.records import Records
from tailrace.plan.compile import compile_pipeline
from tailrace.reference.build import build
from tailrace.sources.types import Chunk, Slice
from tailrace.testing.case import (
    Appear,
    CaseFileError,
    Clock,
    End,
    Idle,
    Manual,
    Reload,
    Return,
    Rows,
    TableRows,
)
from tailrace.testing.layout import layout_of, loaded
from tailrace.testing.records import records
from tailrace.testing.tables import raw_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tailrace.engines.state import EngineState
    from tailrace.plan.model import Plan
    from tailrace.reference.snapshot import Snapshot
    from tailrace.testing.case import Case, Step
    from tailrace.testing.outcome import Variation
    from tailrace.testing.records import Record


@dataclass(frozen=True)
class Turn:
    """What an engine does at a time; ``clock``: microseconds since all partitions are idle.

    ``plan``: a changed pipeline is taken up, and nothing else.
    """

    chunks: tuple[Chunk, ...] = ()
    before: tuple[Decision, ...] = ()
    after: tuple[Decision, ...] = ()
    clock: int | None = None
    plan: Plan | None = None
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    """Versions of references that are in force from here on."""
    request: Request | None = None
    """A person's act, and nothing else."""

    def decided_after(self, state: EngineState, grace: int) -> list[Decision]:
        """The decisions after the chunks; the clock's depends on the state so far."""
        after = list(self.after)
        if self.clock is not None:
            value = state.greatest_time() + self.clock - grace
            after.append(Decision(DecisionKind.CLOCK, value=value))
        return after


class Turns:
    """A case's turns, and the plan and contents that they begin with."""

    def __init__(self, case: Case, variation: Variation) -> None:
        """PipelineError if the case's pipeline is wrong."""
        self._case, self._variation = case, variation
        self._written = records(case, layout_of(case))
        self._random = random.Random(variation.seed)  # noqa: S311 - cuts, no secrets
        self._since_idle = 0
        self.plan = self.compile(case.pipeline_text)
        self._config = self.plan.config
        self.contents: dict[str, bytes] = dict.fromkeys(case.partitions, b"")
        for written in self._written.values():
            for record in written:
                self.contents[record.partition] = (
                    self.contents.get(record.partition, b"") + record.data + b"\n"
                )

    def compile(self, text: str) -> Plan:
        """A pipeline of the case."""
        return compile_pipeline(loaded(self._case, text))

    def __iter__(self) -> Iterator[Turn]:
        """The turns, one after the other; the time since idle is kept between them."""
        case = self._case
        first = [
            Decision(DecisionKind.APPEARED, p) for p in case.partitions if p not in case.appearing
        ]
        if first:
            yield Turn(before=tuple(first))
        waiting: list[Record] = []
        for index, step in enumerate(case.steps):
            if isinstance(step, Rows):
                waiting += self._written[index]
                self._since_idle = 0
                continue
            yield from self._polls(waiting)
            waiting = []
            yield self._decision(step)
        yield from self._polls(waiting)

    def _decision(self, step: Step) -> Turn:  # noqa: PLR0911 - one case a step
        match step:
            case Appear():
                return Turn(before=(Decision(DecisionKind.APPEARED, step.partition),))
            case Return():
                self._since_idle = 0
                return Turn(before=(Decision(DecisionKind.RETURNED, step.partition),))
            case Idle():
                return Turn(after=(Decision(DecisionKind.IDLE, step.partition),))
            case Clock():
                self._since_idle += step.micros
                return Turn(clock=self._since_idle)
            case Reload():
                self._config = self.compile(step.pipeline_text).config
                return Turn(plan=self.compile(step.pipeline_text))
            case Manual():
                act = Act(step.act)
                return Turn(request=Request(act, step.list, step.key, step.lasts))
            case TableRows():
                return Turn(snapshots=self._loaded(step))
            case End():
                return Turn(after=(Decision(DecisionKind.FINAL),))
            case _:
                message = f"no turn for {step}"
                raise AssertionError(message)

    def _loaded(self, step: TableRows) -> dict[str, Snapshot]:
        """The version that a step loads; nothing if it is refused, or no reference is meant."""
        config = self._config.references.get(step.reference)
        if config is None:
            raise CaseFileError(
                f"the pipeline has no reference '{step.reference}'", where=step.where
            )
        try:
            raw = raw_table(step, config, self._case.start)
            return {step.reference: build(step.reference, config, raw).snapshot}
        except TableError:
            return {}

    def _polls(self, waiting: Sequence[Record]) -> Iterator[Turn]:
        start = 0
        longest = self.plan.config.limits.max_record_bytes
        while start < len(waiting):
            size = self._variation.records
            if size is None:
                size = len(waiting)
            elif size == 0:
                size = self._random.randint(1, max(1, min(len(waiting), 12)))
            yield Turn(chunks=tuple(_chunks(waiting[start : start + size], longest)))
            start += size


def _chunks(part: Sequence[Record], longest: int) -> Iterator[Chunk]:
    """Records as chunks: one for each partition, cut where arrival times begin or end.

    Of a record longer than ``longest`` bytes a source keeps the first of them.
    """
    by_partition: dict[str, list[Record]] = defaultdict(list)
    for record in part:
        by_partition[record.partition].append(record)
    for partition, mine in by_partition.items():
        for known, run in groupby(mine, key=lambda record: record.arrival is not None):
            found = list(run)
            oversize = np.array([len(record.data) > longest for record in found])
            lines = [
                record.data[:longest] if cut else record.data + b"\n"
                for record, cut in zip(found, oversize.tolist(), strict=True)
            ]
            offsets = np.zeros(len(found) + 1, np.int32)
            np.cumsum([len(line) for line in lines], out=offsets[1:])
            arrival = np.array([record.arrival for record in found], np.int64) if known else None
            positions = np.array([record.position for record in found], np.int64)
            end = found[-1].position + len(found[-1].data) + 1
            piece = Slice(partition, 0, found[0].position, end, {"position": end})
            data = pa.py_buffer(b"".join(lines))
            yield Chunk(piece, Records(data, offsets, positions, arrival, oversize))
