"""How a pipeline will be computed: fields, groups, panes, partials; no secrets, no paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.config import (
    CaptureSource,
    FileSource,
    HttpSource,
    KafkaSource,
    PcapSource,
    StdinSource,
)
from tailrace.config.units import render_duration
from tailrace.engines.explain.windows import written
from tailrace.expr.render import render
from tailrace.plan.grouping import group_rules
from tailrace.plan.model import PartialKind
from tailrace.plan.ordered_words import described, details

if TYPE_CHECKING:
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import EventRule, Group, Partial, Plan, Rule

Json = dict[str, object]

_DEVIATION = ("first", "aa", "ab", "bb")


@dataclass(frozen=True, slots=True)
class PartialTold:
    """One column of partials: what is kept and for which rules."""

    kept: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleTold:
    """A rule over windows. ``early``: None if it has no condition; ``why``: why not early.

    ``panes`` and ``windows_per_event`` are 0 for a rule that sees events in order.
    """

    name: str
    kind: str
    identity: str
    window: str
    panes: int
    windows_per_event: int
    condition: str | None
    early: bool | None
    why: str
    timers: dict[str, str]
    selected: dict[str, str]
    options: dict[str, str]
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupTold:
    """Rules that share one set of partials by key and pane."""

    identity: str
    key: tuple[str, ...]
    where: str | None
    pane: str
    kept: str
    partials: tuple[PartialTold, ...]
    rules: tuple[RuleTold, ...]


@dataclass(frozen=True, slots=True)
class EventRuleTold:
    """A rule that judges each event by itself."""

    name: str
    identity: str
    where: str | None
    condition: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassificationTold:
    """A rule that labels each event: conditions by label and code."""

    name: str
    identity: str
    labels: dict[str, dict[str, str]]
    otherwise: str
    to: tuple[str, ...]
    to_label: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PlanTold:
    """A pipeline's plan for people."""

    name: str
    source: str
    time: str
    fields: dict[str, str]
    derived: dict[str, str]
    dedup: str | None
    groups: tuple[GroupTold, ...]
    event_rules: tuple[EventRuleTold, ...]
    classifications: tuple[ClassificationTold, ...]
    archive: tuple[str, ...]
    bounds: dict[str, str]


def tell_plan(plan: Plan) -> PlanTold:
    """The plan as it would run on a new store."""
    groups = group_rules(plan.rules, {})
    config = plan.config
    field = config.time.field
    time = field if isinstance(field, str) else ".".join(field)
    dedup = plan.dedup
    return PlanTold(
        name=plan.name,
        source=_source(plan),
        time=f"{time} ({config.time.format}), grace {render_duration(plan.grace)}",
        fields={name: str(type_) for name, type_ in plan.fields.items()},
        derived={derived.name: render(derived.node) for derived in plan.derived},
        dedup=f"{', '.join(dedup.by)} within {render_duration(dedup.within)}" if dedup else None,
        groups=tuple(_group(plan, group) for group in groups),
        event_rules=tuple(_event_rule(rule) for rule in plan.event_rules),
        classifications=tuple(_classification(rule) for rule in plan.classifications),
        archive=plan.archive,
        bounds={
            "limits.max_keys": f"{plan.bounds.max_keys:,} keys a group and pane",
            "limits.max_distinct": f"{plan.bounds.max_distinct:,} values a key and window",
            "explain.retain": f"{render_duration(plan.explain_retain)} after windows close",
        },
    )


def _source(plan: Plan) -> str:
    source = plan.config.source
    if isinstance(source, StdinSource):
        return "standard input"
    if isinstance(source, HttpSource):
        return f"http {source.listen}{source.path}"
    if isinstance(source, KafkaSource):
        return f"kafka {', '.join(source.topics)} at {source.bootstrap}"
    if isinstance(source, CaptureSource):
        return f"capture {', '.join(source.interfaces)}"
    if isinstance(source, PcapSource):
        return f"pcap {', '.join(source.paths)}"
    paths = source.paths if isinstance(source, FileSource) else (source.path,)
    return f"{source.kind} {', '.join(paths)}{', followed' if source.follow else ''}"


def _group(plan: Plan, group: Group) -> GroupTold:
    users: dict[str, list[str]] = {}
    for rule in group.rules:
        for name in dict.fromkeys(p.name for m in rule.measures for p in m.partials):
            users.setdefault(name, []).append(rule.name)
    everyone = tuple(rule.name for rule in group.rules)
    partials = tuple(
        PartialTold(_partial(p), tuple(users.get(p.name, everyone))) for p in group.partials
    )
    reach = group.reach if group.ordered is None else group.ordered.reach
    kept = reach + plan.explain_retain
    return GroupTold(
        identity=group.identity,
        key=tuple(
            key.name if render(key.node) == key.name else f"{key.name} = {render(key.node)}"
            for key in group.keys
        ),
        where=render(group.where) if group.where is not None else None,
        pane=render_duration(group.width),
        kept=render_duration(kept),
        partials=(PartialTold("accepted events", everyone), *partials),
        rules=tuple(_rule(rule) for rule in group.rules),
    )


def _partial(partial: Partial) -> str:
    if partial.kind is PartialKind.VALUE:
        of = partial.name if partial.expression is None else render(partial.expression)
        return f"{of} of each event"
    what = "events" if partial.expression is None else render(partial.expression)
    term = f" (term {partial.term} of a deviation)" if partial.term in _DEVIATION else ""
    where = f" where {render(partial.where)}" if partial.where is not None else ""
    return f"{partial.kind} of {what}{term}{where}"


def _rule(rule: Rule) -> RuleTold:
    window = rule.window
    if rule.ordered is not None:
        shown, panes, each = described(rule.ordered), 0, 0
    else:
        every = "" if window.every == window.size else f" every {render_duration(window.every)}"
        shown = render_duration(window.size) + every
        panes, each = window.size // window.width, -(-window.size // window.every)
    timers = {
        "for": rule.for_,
        "keep_firing_for": rule.keep_firing_for,
        "cooldown": rule.cooldown,
        "update_every": rule.update_every,
    }
    early, why = None, ""
    if rule.alert and rule.early is not None:
        early, why = rule.early.ok, rule.early.why
        if early and rule.for_:
            early, why = False, f"it must hold for {render_duration(rule.for_)}"
    return RuleTold(
        name=rule.name,
        kind="alert" if rule.alert else "record",
        identity=rule.identity,
        window=shown,
        panes=panes,
        windows_per_event=each,
        condition=rule.when_text,
        early=early,
        why=why,
        timers={name: render_duration(length) for name, length in timers.items() if length},
        selected={name: written(rule, node) for name, node in rule.select},
        options=details(rule.ordered) if rule.ordered is not None else {},
        to=rule.to,
    )


def _event_rule(rule: EventRule) -> EventRuleTold:
    where = render(rule.where) if rule.where is not None else None
    return EventRuleTold(rule.name, rule.identity, where, rule.when_text, rule.to)


def _classification(rule: Classification) -> ClassificationTold:
    labels = {
        label.name: {code: render(node) for code, node in label.conditions} for label in rule.labels
    }
    return ClassificationTold(
        rule.name, rule.identity, labels, rule.otherwise, rule.to, dict(rule.to_label)
    )
