"""From what the kernel found in an epoch to what is told of it: incidents, rows for outputs.

The same for every engine, wherever its kernel ran (SEMANTICS 18 to 20).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tailrace.alerts import IncidentFold
from tailrace.engines.dispatch import Dispatch, incident_rule
from tailrace.engines.folding import fold_firings, folds_of
from tailrace.engines.held import Held
from tailrace.engines.state import RuleState
from tailrace.engines.verdicts import Verdicts
from tailrace.engines.versions import stamp, stamped
from tailrace.kernel.time import FOREVER, NEVER, known_until
from tailrace.kernel.types import JUDGED_AT, EventRows
from tailrace.plan.model import NO_START
from tailrace.store.commit import Commit, Fold, HeldDelta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tailrace.alerts.incidents import FoldResult, Revision
    from tailrace.alerts.notices import Notice
    from tailrace.alerts.verdicts import Change
    from tailrace.engines.state import EngineState
    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import EventRule, Group, Plan, Rule


@dataclass(slots=True)
class Result:
    """What an epoch changes (``commit``), and what it found, for whoever wants to see it at once.

    ``windows``: the closed windows of rules whose rows are wanted one by one, with the keys that
    their numbers mean; ``fired``: events by per-event rule, with their ids; ``archived``: events
    that had waited, with what they had waited for.
    """

    commit: Commit
    revisions: list[Revision] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    verdicts: list[Change] = field(default_factory=list)
    windows: list[tuple[RuleFirings, DenseKeys]] = field(default_factory=list)
    fired: list[tuple[EventRule, EventRows]] = field(default_factory=list)
    classified: list[tuple[Classification, EventRows]] = field(default_factory=list)
    events: int = 0
    archived: EventRows | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the kernel found in an epoch.

    ``closed``: for each group the keys that its numbers mean and the closed windows of its rules
    that fired; ``fired``: events by per-event rule; ``dead``: rows of the store's dead letters.
    """

    closed: Sequence[tuple[Group, DenseKeys, Sequence[RuleFirings]]]
    fired: dict[str, EventRows]
    archive: EventRows | None
    dead: pa.Table | None


@dataclass(slots=True)
class Told:
    """What is told of an epoch, so far; early notices may be added."""

    dispatch: Dispatch
    revisions: list[Revision] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)
    windows: list[tuple[RuleFirings, DenseKeys]] = field(default_factory=list)
    fired: list[tuple[EventRule, EventRows]] = field(default_factory=list)
    classified: list[tuple[Classification, EventRows]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    verdicts: list[Change] = field(default_factory=list)
    held: HeldDelta | None = None
    archived: EventRows | None = None

    def last_folds(self) -> tuple[Fold, ...]:
        """The last word on each place: the end of input changes a state and then forgets it."""
        return tuple({fold.place: fold for fold in self.folds}.values())


class Conclusion:
    """The incidents of a running pipeline, by rule, and what an epoch's windows do to them."""

    def __init__(self, plan: Plan, state: EngineState) -> None:
        """Start without incidents; ``load`` gives back those that the store has."""
        self._plan, self._state = plan, state
        self.verdicts = Verdicts(plan, state)
        self.held = Held()
        self.folds = {
            rule.identity: IncidentFold(incident_rule(plan, rule))
            for rule in plan.rules
            if rule.alert
        }

    def load(self, rule: Rule, states: Sequence[str]) -> None:
        """Take back the stored states of a rule's keys."""
        self.folds[rule.identity] = IncidentFold(incident_rule(self._plan, rule), folds_of(states))

    def tell(self, found: Found, *, final: bool) -> Told:
        """Fold the closed windows into incidents and make rows for the outputs.

        The state's watermark has moved already. ``final``: all input has ended.
        """
        told = Told(Dispatch(self._plan, self._state.next_seq, self._state.references))
        for group, keys, closed in found.closed:
            for firings in closed:
                rows = firings.rows
                self._state.counts.rules[firings.rule.identity].firings += len(rows.keys)
                told.dispatch.windows(rows, keys)
                told.windows.append((rows, keys))
            for rule in group.rules:
                if rule.alert:
                    mine = next((f for f in closed if f.rule is rule), None)
                    versions = stamp(self._state, rule.references)
                    _collect(rule, self._fold(rule, mine, keys, final=final), told, versions)
        self._single_events(found, told)
        self._accuse(found, told, final=final)
        if self._plan.marks or self.held.rows:
            self._hold(found.archive, told, final=final)
        elif found.archive is not None:
            told.dispatch.archive(found.archive)
        if found.dead is not None:
            told.dispatch.dead_letters(found.dead)
        return told

    def _single_events(self, found: Found, told: Told) -> None:
        """Tell of the events that rules fired for, or labelled, one by one."""
        for event_rule in self._plan.event_rules:
            fired = found.fired.get(event_rule.identity)
            if fired is not None:
                told.fired.append((event_rule, fired))
                told.dispatch.events(event_rule, fired)
        for each in self._plan.classifications:
            labelled = found.fired.get(each.identity)
            if labelled is not None:
                told.classified.append((each, labelled))
                told.dispatch.classified(each, labelled)

    def _accuse(self, found: Found, told: Told, *, final: bool) -> None:
        """Let the lists of verdicts take up what was closed."""
        if not self._plan.verdicts:
            return
        reached = self._reached(final=final)
        closed = [(keys, one) for _, keys, firings in found.closed for one in firings]
        for mine in self.verdicts.tell(closed, reached, final=final):
            told.verdicts += mine.changes
            told.folds += mine.folds
            told.dispatch.verdicts(mine.list, mine.changes)

    def _hold(self, archive: EventRows | None, told: Told, *, final: bool) -> None:
        """Archive the events of which it is known by now whether they were listed."""
        if archive is not None:
            self.held.take(archive.table)
        until = FOREVER
        if self._plan.marks and not final:
            until = self.verdicts.horizon(self._state.frontier)
        told.archived = self._judged(until)
        if told.archived is not None:
            told.dispatch.archive(told.archived)
        told.held = self.held.delta(until)

    def judge_held(self) -> tuple[EventRows | None, HeldDelta]:
        """Judge all events that wait by what is known now; none is left.

        Another pipeline may have no such archive, or fields of other types.
        """
        events = self._judged(FOREVER)
        return events, replace(self.held.delta(FOREVER), anew=True)

    def _judged(self, until: int) -> EventRows | None:
        events = self.held.release(until)
        if events is None:
            return None
        marked = self.verdicts.marked(events, events[JUDGED_AT].to_numpy())
        return EventRows(marked.drop_columns([JUDGED_AT]))

    def _reached(self, *, final: bool) -> int:
        """The watermark; at the end of all input the greatest event time."""
        frontier = self._state.frontier
        return max(self._state.greatest_time(), frontier) if final else frontier

    def _fold(
        self, rule: Rule, firings: RuleFirings | None, keys: DenseKeys, *, final: bool
    ) -> list[FoldResult]:
        fold = self.folds[rule.identity]
        given = fold_firings(firings, keys, rule) if firings is not None else None
        if not final:
            return [fold.advance(given, judged_until(rule, self._state.frontier))]
        last = self._reached(final=True)
        return [fold.advance(given, last), fold.finish(last)]


def judged_until(rule: Rule, watermark: int) -> int:
    """The instant up to which all is known of what a rule says."""
    if rule.ordered is None:
        return watermark
    return known_until(watermark, rule.window.width)


def first_rules(plan: Plan, state: EngineState) -> None:
    """Make every rule of a plan known: new ones start after all events read so far."""
    start = state.greatest_time()
    for rule in plan.every_rule:
        state.rules.setdefault(
            rule.identity, RuleState(rule.name, NO_START if start == NEVER else start + 1)
        )


def _collect(
    rule: Rule, results: list[FoldResult], told: Told, versions: Mapping[str, str]
) -> None:
    for result in results:
        revisions = stamped(result.revisions, versions)
        told.revisions.extend(revisions)
        told.dispatch.revisions(rule, revisions)
        told.folds.extend(
            Fold(rule.identity, kept.place, kept.to_json()) for kept in result.changed
        )
        told.folds.extend(Fold(rule.identity, place, None) for place in result.forgotten)
