"""A plan over history: the embedded engine in memory, nothing delivered, everything heard."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tailrace.backtest.history import History, Incident, RuleHistory
from tailrace.backtest.progress import Progress
from tailrace.backtest.reading import HistoryDecoder, Settling, Span, Witness, may_be_untimed
from tailrace.backtest.series import all_series, watched
from tailrace.backtest.thresholds import COPY
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import open_session
from tailrace.expr.nodes import Column, Type
from tailrace.kernel.time import FOREVER, NEVER
from tailrace.plan.model import EventRule
from tailrace.store.store import MEMORY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailrace.alerts.incidents import Revision
    from tailrace.backtest.progress import Told
    from tailrace.backtest.series import Watched
    from tailrace.engines.concluding import Result
    from tailrace.engines.embedded.intake import Intake, Reader
    from tailrace.engines.embedded.session import Session
    from tailrace.engines.state import EngineState
    from tailrace.plan.model import Plan, Rule
    from tailrace.sources.types import Source


def run(
    plan: Plan,
    source: Source,
    *,
    copies: Sequence[Rule] = (),
    begin: int = NEVER,
    end: int = FOREVER,
    progress: Told | None = None,
) -> History:
    """Run a plan and copies of its rules over a source that ends, once.

    ``begin`` and ``end``: events outside ``[begin, end)`` are as if they weren't there. Raises
    SourceError; the source is closed in any case.
    """

    def heard(result: Result) -> None:
        listener.take(result)
        if progress is not None:
            progress(_progress(session.state, source))

    beside = watched(plan)
    judged = silent(plan, (*copies, *(one.copy for one in beside)))
    witness = Witness(_fields(plan))
    span = Span(witness, begin, end)
    listener = _Listener(beside)
    session = open_session(
        judged, MEMORY, source=source, outputs={}, early_notices=False, observe=heard
    )
    started = time.monotonic()
    try:
        _HistoryEngine(session, span).run()
        seconds = time.monotonic() - started
        found = _history(plan, copies, session.state, listener, witness, seconds)
        found.series = all_series(beside)
        return found
    finally:
        session.close()


def _progress(state: EngineState, source: Source) -> Progress:
    totals = source.totals()
    share = totals[0] / totals[1] if totals is not None and totals[1] else None
    return Progress(state.counts.read, state.reached, share)


class _HistoryEngine(Engine):
    """An engine for which only the events of a span are there."""

    def __init__(self, session: Session, span: Span) -> None:
        super().__init__(session, lambda plan: HistoryDecoder(plan, span))
        self._settling = Settling(span) if may_be_untimed(session.plan) else None

    def _gather(self, reader: Reader, intake: Intake | None) -> list[Intake]:
        taken = super()._gather(reader, intake)
        settling = self._settling
        if settling is None:
            return taken
        return [
            replace(one, decoded=tuple(map(settling.kept, one.poll.chunks, one.decoded)))
            for one in taken
        ]


def silent(plan: Plan, copies: Sequence[Rule] = ()) -> Plan:
    """The plan with copies of rules beside its own, and without outputs."""
    return replace(
        plan,
        config=plan.config.model_copy(update={"outputs": {}}),
        rules=tuple(replace(rule, to=()) for rule in (*plan.rules, *copies)),
        event_rules=tuple(replace(rule, to=()) for rule in plan.event_rules),
        archive=(),
    )


class _Listener:
    """Keeps incidents by fingerprint, times of single alerts by rule, windows that are watched."""

    def __init__(self, beside: Sequence[Watched]) -> None:
        self._watched = {one.copy.identity: one for one in beside}
        self.incidents: dict[str, Incident] = {}
        self.instants: dict[str, list[NDArray[np.int64]]] = {}

    def take(self, result: Result) -> None:
        """Hear an epoch."""
        for revision in result.revisions:
            self._follow(revision)
        for firings, _ in result.windows:
            one = self._watched.get(firings.rule.identity)
            if one is not None:
                one.parts.append(firings)
        for rule, rows in result.fired:
            times = rows.table["_time"].to_numpy()
            self.instants.setdefault(rule.identity, []).append(times)

    def _follow(self, revision: Revision) -> None:
        known = self.incidents.get(revision.fingerprint)
        if known is None:
            known = self.incidents[revision.fingerprint] = Incident(
                revision.rule,
                revision.key,
                revision.started_at - (revision.end - revision.start),
                revision.opened_at,
                revision.last_firing_at,
            )
        known.last_firing_at = revision.last_firing_at
        known.resolved_at = revision.resolved_at


def _fields(plan: Plan) -> list[str]:
    """Declared fields that alone are in the key of an alert."""
    nodes = [key.node for rule in plan.rules if rule.alert for key in rule.keys]
    names = [node.name for node in nodes if isinstance(node, Column) and node.type is not Type.TIME]
    return [name for name in dict.fromkeys(names) if name in plan.fields]


def _history(
    plan: Plan,
    copies: Sequence[Rule],
    state: EngineState,
    listener: _Listener,
    witness: Witness,
    seconds: float,
) -> History:
    by_rule: dict[str, list[Incident]] = {}
    for incident in listener.incidents.values():
        by_rule.setdefault(incident.rule, []).append(incident)
    counts = state.counts

    def found(rule: Rule | EventRule, copy_of: str | None = None) -> RuleHistory:
        account = counts.rules[rule.identity]
        events = isinstance(rule, EventRule)
        instants = [np.empty(0, np.int64), *listener.instants.get(rule.identity, [])]
        incidents = by_rule.get(rule.name, [])
        incidents.sort(key=lambda incident: (incident.opened_at, str(incident.key)))
        return RuleHistory(
            rule.name,
            () if isinstance(rule, EventRule) else tuple(key.name for key in rule.keys),
            incidents,
            account.firings,
            account.errors,
            np.sort(np.concatenate(instants)),
            judges_events=events,
            copy_of=copy_of,
        )

    order = {rule.name: place for place, rule in enumerate(plan.config.rules)}
    alerts: list[Rule | EventRule] = [rule for rule in plan.rules if rule.alert]
    alerts = sorted([*alerts, *plan.event_rules], key=lambda rule: order[rule.name])
    return History(
        pipeline=plan.name,
        rules=[found(rule) for rule in alerts],
        copies={rule.identity: found(rule, rule.name.partition(COPY)[0]) for rule in copies},
        read=counts.read,
        events=counts.events,
        dead=counts.dead,
        blank=counts.blank,
        outside=witness.outside,
        begins=None if witness.begins == FOREVER else witness.begins,
        ends=None if witness.ends == NEVER else witness.ends,
        seconds=seconds,
        populations=witness.populations(),
    )
