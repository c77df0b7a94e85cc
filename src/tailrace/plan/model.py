"""The frozen plan that every engine runs.

What a pipeline file means once all names and types are settled.

Times and durations are int64 microseconds. Building a plan lives in ``compile``; nothing here
computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tailrace.expr.nodes import Type
from tailrace.plan.classify import Classification
from tailrace.plan.identity import BUCKETS

if TYPE_CHECKING:
    from tailrace.config import PipelineConfig
    from tailrace.expr.early import Early
    from tailrace.expr.nodes import Aggregate, Node
    from tailrace.plan.ordered import Ordered
    from tailrace.plan.references import Join, Reference
    from tailrace.plan.verdicts import Marked, VerdictList

CHANGES = "changes"
"""The term of a partial that counts events by the one before: it needs each event, in order."""

NO_START = -(2**62)
"""The start of a rule that has been there from the beginning: before every window."""


class PartialKind(StrEnum):
    """How the partials of one measure are kept, and so how two of them merge."""

    COUNT = "count"
    """int64, added."""
    SUM = "sum"
    """128-bit integer, added."""
    LEAST = "least"
    """The smaller one stays."""
    GREATEST = "greatest"
    """The greater one stays."""
    DISTINCT = "distinct"
    """A set of 64-bit salted hashes, in rows of their own."""
    BUCKETS = "buckets"
    """Counts by quantile bucket, in rows of their own."""
    VALUE = "value"
    """One event's or key's own value, of rules that see events in order: never merged."""

    @property
    def additive(self) -> bool:
        """Whether partials can be added and taken away again."""
        return self in (PartialKind.COUNT, PartialKind.SUM)

    @property
    def sided(self) -> bool:
        """Whether partials are several rows for a key and pane."""
        return self in (PartialKind.DISTINCT, PartialKind.BUCKETS)


@dataclass(frozen=True, slots=True)
class Partial:
    """One column of pane partials.

    ``name`` is a hash of its meaning, so that equal partials of different rules are one.
    ``expression`` is what is accumulated for rows where ``where`` holds; ``term`` says which term
    of a deviation this is (``sum`` otherwise). ``bounded``: decoding has refused doubles that are
    too large to be summed.
    """

    name: str
    kind: PartialKind
    expression: Node | None
    where: Node | None
    term: str = "sum"
    type: Type | None = None
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate under its output name, and the partials that it is finished from."""

    name: str
    aggregate: Aggregate
    partials: tuple[Partial, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One field of a rule's ``by``."""

    name: str
    node: Node


@dataclass(frozen=True, slots=True)
class Window:
    """``size`` and ``every`` in microseconds; ``width`` is that of its panes, gcd(size, every)."""

    size: int
    every: int
    width: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over windows.

    ``when`` and ``select`` are at window level: their aggregates have become columns named after
    measures. ``shown`` are the measures that an output row carries beside those of ``select``, in
    order. ``ordered``: what it is if it sees events in order; its window then has the size that its
    rows show, and panes as wide as its grain. ``joins``: the references that its windows are
    matched with; ``references``: the names of all that it looks things up in.
    """

    identity: str
    name: str
    alert: bool
    keys: tuple[Key, ...]
    where: Node | None
    window: Window
    measures: tuple[Measure, ...]
    when: Node | None
    when_text: str | None
    select: tuple[tuple[str, Node], ...]
    shown: tuple[str, ...]
    early: Early | None
    for_: int
    keep_firing_for: int
    cooldown: int
    update_every: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    to: tuple[str, ...]
    ordered: Ordered | None = None
    joins: tuple[Join, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def by_event(self) -> bool:
        """Whether its group keeps each event as a row of its own."""
        return self.ordered is not None or self.compares

    @property
    def compares(self) -> bool:
        """Whether a measure of it compares an event with the one before."""
        return any(p.term == CHANGES for m in self.measures for p in m.partials)

    @property
    def placed(self) -> bool:
        """Whether order matters among events of equal time."""
        return self.compares or (self.ordered is not None and self.ordered.placed)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the values of an output row, in order.

        Those selected, then the condition's own measures, or those of an ordered rule.
        """
        own = self.ordered.measures if self.ordered is not None else ()
        return (*(name for name, _ in self.select), *self.shown, *(name for name, _ in own))


@dataclass(frozen=True, slots=True)
class EventRule:
    """A rule without a window: judged for each event by itself."""

    identity: str
    name: str
    where: Node | None
    when: Node
    when_text: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    to: tuple[str, ...]
    references: tuple[str, ...] = ()


AnyRule = Rule | EventRule | Classification


@dataclass(frozen=True, slots=True)
class Derived:
    """A field computed from others, for each event."""

    name: str
    node: Node


@dataclass(frozen=True, slots=True)
class Dedup:
    """Events with equal ``by`` within ``within`` microseconds of an earlier one are duplicates."""

    by: tuple[str, ...]
    within: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What keeps state bounded whatever keys an attacker chooses."""

    max_keys: int
    max_distinct: int

    @property
    def keys_per_bucket(self) -> int:
        """The most keys that one hash bucket of a pane keeps."""
        return -(-self.max_keys // BUCKETS)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a pipeline file means.

    ``config`` is what it was compiled from (sources, outputs, store); ``text`` is the file as it
    was written, with references to the environment unresolved, so that it can be kept.
    """

    name: str
    config: PipelineConfig
    text: str
    fields: Mapping[str, Type]
    derived: tuple[Derived, ...]
    columns: Mapping[str, Type]
    grace: int
    idle_after: int
    dedup: Dedup | None
    rules: tuple[Rule, ...]
    event_rules: tuple[EventRule, ...]
    bounds: Bounds
    archive: tuple[str, ...]
    explain_retain: int
    references: tuple[Reference, ...] = ()
    """Those that events are matched with."""
    verdicts: tuple[VerdictList, ...] = ()
    marks: tuple[Marked, ...] = ()
    """Fields of archived events that say who was listed."""
    classifications: tuple[Classification, ...] = ()

    @property
    def archived(self) -> Mapping[str, Type]:
        """The columns of archived events."""
        return {**self.columns, **dict.fromkeys((m.name for m in self.marks), Type.BOOLEAN)}

    @property
    def row_rules(self) -> tuple[EventRule | Classification, ...]:
        """Rules that look at each event by itself."""
        return (*self.event_rules, *self.classifications)

    def rule(self, name: str) -> AnyRule | None:
        """The rule of that name."""
        return next((rule for rule in self.every_rule if rule.name == name), None)

    @property
    def every_rule(self) -> tuple[AnyRule, ...]:
        """All rules, those over windows first."""
        return (*self.rules, *self.row_rules)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules with the same key, filter, pane width and start share one set of partials.

    ``identity`` names the group's state; ``partials`` is the union of what its rules need.
    """

    identity: str
    keys: tuple[Key, ...]
    where: Node | None
    width: int
    start: int
    partials: tuple[Partial, ...]
    rules: tuple[Rule, ...]

    @property
    def ordered(self) -> Ordered | None:
        """What its only rule is, if that sees events in order."""
        return self.rules[0].ordered

    @property
    def sides(self) -> tuple[Partial, ...]:
        """The partials that are kept in rows of their own."""
        return tuple(p for p in self.partials if p.kind.sided)

    @property
    def plain(self) -> tuple[Partial, ...]:
        """The partials that are one value for a key and pane."""
        return tuple(p for p in self.partials if not p.kind.sided)

    @property
    def reach(self) -> int:
        """The longest window, in microseconds."""
        return max(rule.window.size for rule in self.rules)
