"""The embedded engine as rule tests and the conformance corpus run it: steps in, an outcome out.

Decisions come from the case instead of the clock, and polls are cut as the variation says;
everything else is the engine that users run, on a store file where the case dies and is started
again.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.config import loads
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.embedded.outcomes import Gathered, outcome_of
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.formats.records import Records
from tailrace.plan.compile import compile_pipeline
from tailrace.sources.memory import MemorySource
from tailrace.sources.types import Chunk, Slice
from tailrace.store.store import MEMORY
from tailrace.testing.case import Appear, Clock, End, Idle, Reload, Return, Rows
from tailrace.testing.layout import layout_of
from tailrace.testing.outcome import WHOLE
from tailrace.testing.records import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailrace.engines.embedded.session import Session
    from tailrace.formats.decoder import Decoder
    from tailrace.plan.model import Plan
    from tailrace.testing.case import Case, Step
    from tailrace.testing.outcome import Outcome, Variation
    from tailrace.testing.records import Record

KEPT_DECODERS = 8
"""Each has a DuckDB connection of its own, and some megabytes."""


class Killed(BaseException):
    """Raised at a commit point by a variation; nothing may catch it."""


@dataclass
class EmbeddedEngine:
    """Runs cases on the embedded engine. ``commit_points`` is how many the last run had."""

    commit_points: int = field(default=0, init=False)
    _decoders: dict[str, Decoder] = field(default_factory=dict, init=False, repr=False)

    def decoder(self, plan: Plan) -> Decoder:
        """A decoder for the plan; opening one costs more than most cases, so a few are kept."""
        if plan.text not in self._decoders:
            if len(self._decoders) >= KEPT_DECODERS:
                del self._decoders[next(iter(self._decoders))]
            self._decoders[plan.text] = make_decoder(plan)
        return self._decoders[plan.text]

    def run(self, case: Case, variation: Variation = WHOLE) -> Outcome:
        """Feed the steps in order; PipelineError if the case's pipeline is wrong."""
        if variation.kill is None:
            return _Run(case, variation, MEMORY, self).outcome()
        with tempfile.TemporaryDirectory(prefix="tailrace-case-") as folder:
            return _Run(case, variation, str(Path(folder) / "store.duckdb"), self).outcome()


def embedded_engine() -> EmbeddedEngine:
    """The engine that rule tests run on."""
    return EmbeddedEngine()


class _Run:
    def __init__(
        self, case: Case, variation: Variation, store: str, engine: EmbeddedEngine
    ) -> None:
        self._engine = engine
        self._case, self._variation, self._store = case, variation, store
        self._written = records(case, layout_of(case))
        self._contents: dict[str, bytes] = {}
        for written in self._written.values():
            for record in written:
                self._contents[record.partition] = (
                    self._contents.get(record.partition, b"") + record.data + b"\n"
                )
        self._random = random.Random(variation.seed)  # noqa: S311 - cuts, no secrets
        self._points = 0
        self._killed = False
        self._gathered = Gathered()
        self._plan = self._compile(case.pipeline_text)
        self._gathered.pipeline = self._plan.name
        self._since_idle = 0

    def _compile(self, text: str) -> Plan:
        case = self._case
        return compile_pipeline(loads(text, case.pipeline_file, env=os.environ, sets=case.sets))

    def _point(self, name: str) -> None:
        del name
        self._points += 1
        if self._variation.kill is not None and self._points - 1 == self._variation.kill:
            raise Killed

    def _open(self) -> Session:
        source = MemorySource(
            dict.fromkeys(self._case.partitions, b"") | self._contents, bounded=False
        )
        return open_session(
            self._plan,
            self._store,
            source=source,
            outputs={},
            salt=self._case.salt,
            early_notices=True,
            on_commit=self._point,
            observe=self._gathered.take,
        )

    def outcome(self) -> Outcome:
        session = self._start()
        for turn in self._turns():
            session = self._do(session, turn)
        result = outcome_of(session, self._gathered)
        self._engine.commit_points = self._points
        session.store.close()
        return result

    def _start(self) -> Session:
        try:
            return self._open()
        except Killed:
            self._killed = True
            return self._open()

    def _do(self, session: Session, turn: _Turn) -> Session:
        """One turn; after a death the engine is started again.

        And the turn is done unless it was committed.
        """
        epoch = session.state.epoch
        wanted = turn.plan if turn.plan is not None else session.plan
        try:
            self._turn(session, turn)
        except Killed:
            self._killed = True
            session.store.close()
            self._plan = wanted
            session = self._open()
            if session.state.epoch == epoch:
                self._turn(session, turn)
        self._plan = wanted
        return session

    def _turn(self, session: Session, turn: _Turn) -> None:
        if turn.plan is not None:
            if session.plan is not turn.plan:
                session.adopt(turn.plan)
            return
        decoder = self._engine.decoder(session.plan)
        work = [(chunk, decoder.decode(chunk.records, chunk.slice.fields)) for chunk in turn.chunks]
        after = list(turn.after)
        if turn.clock is not None:
            value = session.state.greatest_time() + turn.clock - session.plan.grace
            after.append(Decision(DecisionKind.CLOCK, value=value))
        session.turn(work, turn.before, after)

    def _turns(self) -> Iterator[_Turn]:
        case = self._case
        first = [
            Decision(DecisionKind.APPEARED, p) for p in case.partitions if p not in case.appearing
        ]
        if first:
            yield _Turn(before=tuple(first))
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

    def _decision(self, step: Step) -> _Turn:
        match step:
            case Appear():
                return _Turn(before=(Decision(DecisionKind.APPEARED, step.partition),))
            case Return():
                self._since_idle = 0
                return _Turn(before=(Decision(DecisionKind.RETURNED, step.partition),))
            case Idle():
                return _Turn(after=(Decision(DecisionKind.IDLE, step.partition),))
            case Clock():
                self._since_idle += step.micros
                return _Turn(clock=self._since_idle)
            case Reload():
                return _Turn(plan=self._compile(step.pipeline_text))
            case End():
                return _Turn(after=(Decision(DecisionKind.FINAL),))
            case _:
                message = f"no turn for {step}"
                raise AssertionError(message)

    def _polls(self, waiting: Sequence[Record]) -> Iterator[_Turn]:
        start = 0
        longest = self._plan.config.limits.max_record_bytes
        while start < len(waiting):
            size = self._variation.records
            if size is None:
                size = len(waiting)
            elif size == 0:
                size = self._random.randint(1, max(1, min(len(waiting), 12)))
            yield _Turn(chunks=tuple(_chunks(waiting[start : start + size], longest)))
            start += size


@dataclass(frozen=True)
class _Turn:
    chunks: tuple[Chunk, ...] = ()
    before: tuple[Decision, ...] = ()
    after: tuple[Decision, ...] = ()
    clock: int | None = None
    plan: Plan | None = None


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
