"""The oracle itself: a case in, an outcome out, one record and one decision after another."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.oracle import identity
from tests.oracle.decode import DeadError, Event, decode
from tests.oracle.evaluate import FAILED, Row, connected, evaluate, plain
from tests.oracle.frontier import Frontier
from tests.oracle.incidents import Event as IncidentEvent
from tests.oracle.incidents import Firing, Life
from tests.oracle.labels import ClassifyRule, labelled
from tests.oracle.looking import Asked, is_listed
from tests.oracle.looking import Row as LookingRow
from tests.oracle.ordered import OrderedState, Stretch, order_of_partition
from tests.oracle.references import Reference
from tests.oracle.rules import EventRule, Rules, WindowRule, read
from tests.oracle.templates import fill
from tests.oracle.verdicts import Accused, Lists
from tests.oracle.windows import Closed, Key, WindowState

from tailrace.testing.case import (
    Appear,
    Case,
    Clock,
    End,
    Idle,
    Manual,
    Reload,
    Return,
    Rows,
    Step,
    TableRows,
)
from tailrace.testing.layout import layout_of, loaded
from tailrace.testing.outcome import (
    WHOLE,
    Archived,
    Counts,
    DeadLetter,
    EventAlert,
    Instant,
    Outcome,
    Revision,
    RuleCounts,
    Value,
    Variation,
    Window,
)
from tailrace.testing.records import Record, records


class Oracle:
    """An engine for the runner; the variation means nothing to it, since it knows no batches."""

    def run(self, case: Case, variation: Variation = WHOLE) -> Outcome:  # noqa: ARG002
        written = records(case, layout_of(case))
        world = World(case)
        for index, step in enumerate(case.steps):
            world.step(step, written.get(index, ()))
        return world.outcome()


@dataclass
class EventCounts:
    filtered: int = 0
    accepted: int = 0
    errors: int = 0


@dataclass
class World:
    """Everything that has happened so far."""

    case: Case
    rules: Rules = field(init=False)
    frontier: Frontier = field(init=False)
    states: dict[str, WindowState] = field(default_factory=dict)
    lives: dict[tuple[str, Key], Life] = field(default_factory=dict)
    event_counts: defaultdict[str, EventCounts] = field(
        default_factory=lambda: defaultdict(EventCounts)
    )
    seen: defaultdict[str, list[tuple[int, tuple[Value, ...]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    references: dict[str, Reference] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    dead: list[DeadLetter] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    events: list[EventAlert] = field(default_factory=list)
    lists: Lists = field(default_factory=Lists)

    def __post_init__(self) -> None:
        self.rules = self._read(self.case.pipeline_text)
        self.frontier = Frontier(int(self.rules.config.time.grace))
        for name in self.case.partitions:
            if name not in self.case.appearing:
                self.frontier.comes(name)
        self._start_rules()

    def _read(self, text: str) -> Rules:
        rules = read(loaded(self.case, text))
        for name, config in rules.config.references.items():
            self.references.setdefault(name, Reference(name, config)).config = config
        return rules

    def _start_rules(self) -> None:
        """New rules see nothing of what was read before: their first window begins after it."""
        maximum = self.frontier.maximum
        start = None if maximum is None else maximum + 1
        limits = self.rules.config.limits
        self.lists.take_up(self.rules)
        for rule in self.rules.windows:
            if rule.identity in self.states:
                self.states[rule.identity].rule = rule
                continue
            kind = OrderedState if rule.ordered else WindowState
            self.states[rule.identity] = kind(
                rule, limits.max_keys, limits.max_distinct, self.case.salt, start
            )

    # Steps

    def step(self, step: Step, written: tuple[Record, ...]) -> None:  # noqa: C901 (kinds)
        match step:
            case Rows():
                for record in written:
                    self._record(record)
            case Appear() | Return():
                self.frontier.comes(step.partition)
            case Idle():
                self.frontier.idle(step.partition)
            case Clock():
                self.frontier.since_idle += step.micros
            case TableRows():
                self.references[step.reference].load(step, self.case.start)
            case Manual():
                self.lists.act(step)
            case Reload():
                self._reload(step.pipeline_text)
            case End():
                self._end()
                return
        self.frontier.advance()
        for state in self.states.values():
            watermark = self._watermark(state)
            if watermark is not None:
                self._close(state, watermark, self.frontier.reached)

        self.lists.known_until(self._judged_until(), final=False)

    def _judged_until(self) -> int | None:
        """How far all accusing rules have come: before its start there is nothing of a rule."""
        reached = self.frontier.reached
        names = {name for each in self.rules.config.verdicts.values() for name in each.from_}
        known = [reached]
        for state in self.states.values():
            if state.rule.name in names and state.rule.ordered and reached is not None:
                until = reached // state.rule.width * state.rule.width - 1
                known.append(until if state.start is None else max(until, state.start - 1))
        return None if reached is None else min(each for each in known if each is not None)

    def _watermark(self, state: WindowState) -> int | None:
        """The rule's W: the frontier, down to its panes."""
        reached = self.frontier.reached
        return None if reached is None else reached // state.rule.width * state.rule.width

    def _close(self, state: WindowState, watermark: int | None, timers: int | None) -> None:
        """Close windows up to the watermark (None: all), fold them, then tell the incidents W."""
        if isinstance(state, OrderedState):
            known = timers if watermark is None else watermark - 1
            if known is not None:
                self._become_known(state, known)
            return
        last = self.frontier.maximum
        state.begun, state.references = self.frontier.begun, self.references
        if watermark is not None:
            last = watermark - state.rule.size
        for closed in state.close(watermark, last):
            self._closed(state.rule, closed)
        for (rule, key), life in self.lives.items():
            if rule == state.rule.identity and timers is not None:
                life.watermark(timers)
                self._publish(state.rule, key, life)

    def _become_known(self, state: OrderedState, known: int) -> None:
        """Fold what holds up to an instant, then tell the incidents of it."""
        state.begun = self.frontier.begun
        rule = state.rule
        for key, stretch in state.news(known):
            if stretch.told:
                self._row(rule, key, stretch.start_of(stretch.first), stretch)
            assert stretch.last is not None
            lasting = rule.kind is None or rule.kind.absent_for is not None
            self.lists.accuse(
                rule,
                key,
                Accused(
                    rule.name,
                    stretch.first,
                    stretch.last,
                    stretch.last + lasting,
                    stretch.told,
                    stretch.values,
                ),
            )
            if rule.alert:

                def at(instant: int, stretch: Stretch = stretch) -> Firing:
                    start = stretch.start_of(instant)
                    return Firing(start, instant, stretch.values, stretch.flags)

                life = self.lives.setdefault((rule.identity, key), Life(rule.timers))
                assert stretch.last is not None
                life.during(stretch.first, stretch.last, at)
                self._publish(rule, key, life)
        for (identity_, key), life in self.lives.items():
            if identity_ == rule.identity:
                life.watermark(known)
                self._publish(rule, key, life)

    def _row(self, rule: WindowRule, values: Key, start: int, stretch: Stretch) -> None:
        end = stretch.first
        key = {name: value for (name, _), value in zip(rule.keys, values, strict=True)}
        row_id = identity.digest(rule.identity, *values, Instant(start), Instant(end))
        self.windows.append(
            Window(row_id, rule.name, start, end, key, stretch.values, stretch.flags)
        )

    def _closed(self, rule: WindowRule, closed: Closed) -> None:
        if not closed.holds:
            return
        key = {name: value for (name, _), value in zip(rule.keys, closed.key, strict=True)}
        start, end = Instant(closed.start), Instant(closed.end)
        row_id = identity.digest(rule.identity, *closed.key, start, end)
        window = Window(
            row_id, rule.name, closed.start, closed.end, key, closed.values, closed.flags
        )
        self.windows.append(window)
        if rule.alert:
            life = self.lives.setdefault((rule.identity, closed.key), Life(rule.timers))
            life.fires(Firing(closed.start, closed.end, closed.values, closed.flags))
            self._publish(rule, closed.key, life)
            at = closed.end
            accused = Accused(rule.name, at, at, at, firing=True, measures=closed.values)
            self.lists.accuse(rule, closed.key, accused)

    def _reload(self, text: str) -> None:
        self.rules = self._read(text)
        kept = {rule.identity for rule in self.rules.windows}
        for identity_ in [each for each in self.states if each not in kept]:
            state = self.states.pop(identity_)
            reached = self.frontier.reached
            for (rule, key), life in self.lives.items():
                if rule == identity_ and reached is not None:
                    life.removed(reached)
                    self._publish(state.rule, key, life)
        events = {rule.identity for rule in self.rules.singly}
        for gone in [each for each in self.event_counts if each not in events]:
            del self.event_counts[gone]
        self._start_rules()

    def _end(self) -> None:
        """Close every window; timers advance to the greatest event time only."""
        if self.frontier.maximum is not None:
            self.frontier.begin()
        reached, maximum = self.frontier.reached, self.frontier.maximum
        known = [each for each in (reached, maximum) if each is not None]
        timers = max(known, default=None)
        for state in self.states.values():
            self._close(state, None, timers)
            for (rule, key), life in self.lives.items():
                if rule == state.rule.identity:
                    life.input_ended()
                    self._publish(state.rule, key, life)
        self.lists.known_until(timers, final=True)

    # Records

    def _record(self, record: Record) -> None:
        config = self.rules.config
        self.counts = replace(self.counts, read=self.counts.read + 1)
        try:
            greatest = self.frontier.partitions[record.partition].maximum or 0
            event = decode(record.data, config, record.arrival, greatest)
        except DeadError as error:
            self.counts = replace(self.counts, dead=self.counts.dead + 1)
            self.dead.append(DeadLetter(record.partition, record.position, error.code, error.field))
            return
        if event is None:
            self.counts = replace(self.counts, blank=self.counts.blank + 1)
            return
        self.counts = replace(self.counts, events=self.counts.events + 1)
        self._event(record, event)

    def _event(self, record: Record, event: Event) -> None:
        row = LookingRow(event.values, Asked(self.references, self.rules.columns, event.time))
        for name, node in self.rules.derived:
            row[name] = evaluate(node, row)
        duplicate = self._duplicate(record.partition, event)
        classified = [
            self._label(rule, record, event.time, row, duplicate)
            for rule in self.rules.classifications
        ]
        threshold = self.frontier.threshold(record.partition)
        for state in self.states.values():
            place = (order_of_partition(record.partition), record.position)
            state.judge(event.time, row, duplicate, threshold, place)
        for rule in self.rules.events:
            self._judge(rule, record, event.time, row, duplicate)
        self.events += [each for each in classified if not duplicate]
        fields = {name: plain(value) for name, value in row.items()}
        archived = Archived(record.partition, record.position, event.time, fields)
        self.lists.archive(archived, max(event.time, threshold or event.time))
        self.frontier.read(record.partition, event.time)

    def _label(
        self, rule: ClassifyRule, record: Record, time: int, row: LookingRow, duplicate: bool
    ) -> EventAlert:
        """Give the row its label and reasons; what the rule sends of it."""
        found = labelled(rule, row)
        counts = self.event_counts[rule.identity]
        counts.filtered += duplicate
        counts.accepted += not duplicate
        counts.errors += not duplicate and found.failed
        own = {rule.name: found.label, f"{rule.name}_reasons": found.reasons}
        row.update(own)
        fields = {name: plain(row[name]) for name in (*rule.above, *own)}
        row_id = identity.digest(rule.identity, record.partition, 0, record.position)
        place = record.partition, record.position
        return EventAlert(row_id, rule.name, *place, time, fields)

    def _duplicate(self, partition: str, event: Event) -> bool:
        dedup = self.rules.config.dedup
        if dedup is None:
            return False
        values = tuple(event.values[name] for name in dedup.by)
        earlier = list(self.seen[partition])
        self.seen[partition].append((event.time, values))
        threshold = self.frontier.threshold(partition)
        if None in values or (threshold is not None and event.time < threshold - dedup.within):
            return False
        return any(
            values == others and abs(event.time - time) <= dedup.within for time, others in earlier
        )

    def _judge(self, rule: EventRule, record: Record, time: int, row: Row, duplicate: bool) -> None:
        counts = self.event_counts[rule.identity]
        passes = True if rule.where is None else evaluate(rule.where, row)
        if isinstance(row, LookingRow) and is_listed(rule.allow, row):
            passes = connected("and", passes, False)
        if duplicate or passes is not True:
            counts.filtered += 1
            counts.errors += not duplicate and passes is FAILED
            return
        counts.accepted += 1
        holds = evaluate(rule.when, row)
        counts.errors += holds is FAILED
        if holds is not True:
            return
        fields = {name: plain(value) for name, value in row.items()}
        known = {**fields, "rule": rule.name, "pipeline": self.rules.config.name,
                 "time": Instant(time), "start": Instant(time), "end": Instant(time)}  # fmt: skip
        labels = {name: fill(text, known) for name, text in rule.labels.items()}
        annotations = {n: fill(text, {**known, **labels}) for n, text in rule.annotations.items()}
        self.events.append(
            EventAlert(
                identity.digest(rule.identity, record.partition, 0, record.position),
                rule.name,
                record.partition,
                record.position,
                time,
                fields,
                labels,
                annotations,
            )
        )

    # Results

    def _publish(self, rule: WindowRule, key: Key, life: Life) -> None:
        for event in life.events:
            self.revisions.append(self._revision(rule, key, event))
        life.events.clear()

    def _revision(self, rule: WindowRule, key: Key, event: IncidentEvent) -> Revision:
        firing = event.firing
        name = self.rules.config.name
        fingerprint = identity.digest(name, rule.identity, *key, Instant(event.first_start))
        keys = {part: value for (part, _), value in zip(rule.keys, key, strict=True)}
        known: Mapping[str, Value] = {
            "rule": rule.name,
            "pipeline": name,
            "start": Instant(firing.start),
            "end": Instant(firing.end),
            **keys,
            **firing.measures,
        }
        labels = {part: fill(text, known) for part, text in rule.labels.items()}
        annotations = {p: fill(text, {**known, **labels}) for p, text in rule.annotations.items()}
        return Revision(
            id=identity.digest(fingerprint, event.number),
            fingerprint=fingerprint,
            revision=event.number,
            state="resolved" if event.reason in {"resolved", "rule_removed"} else "firing",
            reason=event.reason,
            pipeline=name,
            rule=rule.name,
            key=keys,
            measures=firing.measures,
            start=firing.start,
            end=firing.end,
            started_at=event.started_at,
            opened_at=event.opened_at,
            last_firing_at=event.last_firing_at,
            resolved_at=event.resolved_at,
            labels=labels,
            annotations=annotations,
            flags=firing.flags,
        )

    def outcome(self) -> Outcome:
        rules = {state.rule.name: state.counts() for state in self.states.values()}
        for rule in self.rules.singly:
            each = self.event_counts[rule.identity]
            rules[rule.name] = RuleCounts(each.filtered, 0, 0, each.accepted, each.errors)
        return Outcome(
            tuple(self.revisions),
            tuple(self.windows),
            tuple(self.events),
            tuple(self.dead),
            self.counts,
            rules,
            verdicts=tuple(self.lists.changes),
            archived=tuple(self.lists.archived),
        )
