"""The embedded engine as rule tests and the conformance corpus run it: steps in, an outcome out.

Decisions come from the case instead of the clock, and polls are cut as the variation says;
everything else is the engine that users run, on a store file where the case dies and is started
again.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.engines.embedded.opening import open_session
from tailrace.engines.embedded.outcomes import Gathered, outcome_of
from tailrace.engines.turns import Turn, Turns
from tailrace.formats.build import decode_spec
from tailrace.formats.decoder import Decoder
from tailrace.formats.spec import JsonFormat, PlainFormat
from tailrace.kernel.words import encoded
from tailrace.sources.memory import MemorySource
from tailrace.store.store import MEMORY
from tailrace.testing.outcome import WHOLE

if TYPE_CHECKING:
    from tailrace.engines.embedded.session import Session
    from tailrace.formats.spec import DecodeSpec
    from tailrace.plan.model import Plan
    from tailrace.testing.case import Case
    from tailrace.testing.outcome import Outcome, Variation

KEPT_DECODERS = 24
"""Each has a DuckDB connection of its own, and some megabytes."""


class Killed(BaseException):
    """Raised at a commit point by a variation; nothing may catch it."""


@dataclass
class EmbeddedEngine:
    """Runs cases on the embedded engine. ``commit_points`` is how many the last run had."""

    commit_points: int = field(default=0, init=False)
    _decoders: dict[DecodeSpec, Decoder] = field(default_factory=dict, init=False, repr=False)

    def decoder(self, plan: Plan) -> Decoder:
        """A decoder for the plan; opening one costs more than most cases, so a few are kept."""
        spec = decode_spec(plan.config)
        if isinstance(spec.format, PlainFormat):
            # One value can't have a time, or a key: in a case, records are JSON that has them all.
            spec = replace(spec, format=JsonFormat())
        if spec not in self._decoders:
            if len(self._decoders) >= KEPT_DECODERS:
                del self._decoders[next(iter(self._decoders))]
            self._decoders[spec] = Decoder(spec)
        return self._decoders[spec]

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
        self._turns = Turns(case, variation)
        self._points = 0
        self._killed = False
        self._gathered = Gathered()
        self._plan = self._turns.plan
        self._gathered.pipeline = self._plan.name

    def _point(self, name: str) -> None:
        del name
        self._points += 1
        if self._variation.kill is not None and self._points - 1 == self._variation.kill:
            raise Killed

    def _open(self) -> Session:
        longest = self._plan.config.limits.max_record_bytes
        source = MemorySource(self._turns.contents, bounded=False, max_record_bytes=longest)
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
        for turn in self._turns:
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

    def _do(self, session: Session, turn: Turn) -> Session:
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

    def _turn(self, session: Session, turn: Turn) -> None:
        if turn.plan is not None:
            if session.plan is not turn.plan:
                session.adopt(turn.plan)
            return
        if turn.request is not None:
            session.act(turn.request)
            return
        decoder = self._engine.decoder(session.plan)
        texts = session.processor.mapper.texts
        work = [
            (chunk, encoded(decoder.decode(chunk.records, chunk.slice.fields), texts))
            for chunk in turn.chunks
        ]
        after = turn.decided_after(session.state, session.plan.grace)
        session.turn(work, turn.before, after, snapshots=turn.snapshots)
