"""The rules of a pipeline as the oracle needs them: syntax trees of every expression, and names.

From the plan come only names and hashes of meaning, which are no semantics: a rule's identity, what
a key without a name is called, and what the condition's measures are called in rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any

from tests.oracle.incidents import Timers
from tests.oracle.labels import ClassifyRule
from tests.oracle.looking import Allow, outside, referable, text_of
from tests.oracle.references import Reference

from tailrace.config import Alert, Classify, Loaded, PipelineConfig, Record
from tailrace.expr.aggregates import aggregates
from tailrace.expr.nodes import Aggregate, Node, Type
from tailrace.expr.parse import parse
from tailrace.expr.render import rendered_name
from tailrace.expr.scope import Scope
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Rule


@dataclass(frozen=True)
class WindowRule:
    identity: str
    name: str
    alert: bool
    keys: tuple[tuple[str, Node], ...]
    where: Node | None
    size: int
    every: int
    when: Node | None
    select: tuple[tuple[str, Node], ...]
    shown: tuple[tuple[str, Aggregate], ...]
    timers: Timers
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    ordered: bool = False
    grain: int = 0
    allow: tuple[Allow, ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """References that list keys, with the column of each that every key field is found in."""
    limited: bool = False
    kind: Alert | None = None
    """As it was written, if it is leaky, first_seen, absent_for or a sequence."""
    own: tuple[Node, ...] = ()
    """The expressions of these."""

    @property
    def width(self) -> int:
        return self.grain if self.ordered else gcd(self.size, self.every)

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        nodes = [node for _, node in self.select] + ([self.when] if self.when else [])
        return tuple(dict.fromkeys(each for node in nodes for each in aggregates(node)))


@dataclass(frozen=True)
class EventRule:
    identity: str
    name: str
    where: Node | None
    when: Node
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    allow: tuple[Allow, ...] = ()


@dataclass(frozen=True)
class Rules:
    config: PipelineConfig
    columns: Mapping[str, Type]
    derived: tuple[tuple[str, Node], ...]
    windows: tuple[WindowRule, ...]
    events: tuple[EventRule, ...]
    classifications: tuple[ClassifyRule, ...]

    @property
    def singly(self) -> tuple[EventRule | ClassifyRule, ...]:
        """Rules that look at each event by itself."""
        return (*self.events, *self.classifications)


def read(loaded: Loaded) -> Rules:
    config = loaded.config
    plan = compile_pipeline(loaded)
    columns = {name: Type(spec.type) for name, spec in config.fields.items()}
    columns |= dict.fromkeys(config.path_fields, Type.TEXT) | columns
    if config.on_error == "classify":
        columns |= dict.fromkeys(("_raw", "_error"), Type.TEXT)
    derived = []
    references = {name: Reference(name, each) for name, each in config.references.items()}
    known = referable(references)
    for name, text in config.derive.items():
        node = parse(text, Scope(columns, references=known))
        columns[name] = node.type
        derived.append((name, node))
    windows: list[WindowRule] = []
    events: list[EventRule] = []
    classifications: list[ClassifyRule] = []
    for rule in config.rules:
        if isinstance(rule, Classify):
            labelled = next(each for each in plan.classifications if each.name == rule.name)
            scope = Scope(columns, references=known)
            labels = tuple(
                (label, tuple((code, parse(text, scope)) for code, text in conditions.items()))
                for label, conditions in rule.labels.items()
            )
            above = tuple(columns)
            classifications.append(
                ClassifyRule(labelled.identity, rule.name, labels, rule.else_, above)
            )
            columns |= dict.fromkeys((rule.name, f"{rule.name}_reasons"), Type.TEXT)
            continue
        if isinstance(rule, Alert) and rule.in_order:
            of_plan = next(each for each in plan.rules if each.name == rule.name)
            windows.append(_ordered(rule, of_plan, Scope(columns, references=known), config))
            continue
        if isinstance(rule, Alert) and rule.window is None:
            planned = next(each for each in plan.event_rules if each.name == rule.name)
            scope = Scope(columns, references=known)
            where = parse(rule.where, scope) if rule.where else None
            assert rule.when is not None
            when = parse(rule.when, scope)
            texts = rule.labels, rule.annotations
            allow = (config.allow, rule.allow)
            events.append(EventRule(planned.identity, rule.name, where, when, *texts, allow))
            continue
        assert rule.window is not None
        of_plan = next(each for each in plan.rules if each.name == rule.name)
        names = [key.name for key in of_plan.keys]
        keys = [parse(part.text, Scope(columns, references=known)) for part in rule.keys]
        types = {name: node.type for name, node in zip(names, keys, strict=True)}
        scope = Scope(columns | types, aggregates=True, keys=frozenset(names), references=known)
        measures = {each.name: each.aggregate for each in of_plan.measures}
        alert = isinstance(rule, Alert)
        windows.append(
            WindowRule(
                identity=of_plan.identity,
                name=rule.name,
                alert=alert,
                keys=tuple(zip(names, keys, strict=True)),
                where=parse(rule.where, Scope(columns, references=known)) if rule.where else None,
                size=rule.window.size,
                every=rule.window.every,
                when=parse(rule.when, scope) if rule.when else None,
                select=(
                    *((name, parse(text, scope)) for name, text in rule.select.items()),
                    *(each for each in of_plan.select if each[0] not in rule.select),
                ),
                shown=tuple((name, measures[name]) for name in of_plan.shown),
                timers=_timers(rule) if isinstance(rule, Alert) else Timers(0, 0, 0, 0, 0),
                labels=rule.labels if isinstance(rule, Alert) else {},
                annotations=rule.annotations if isinstance(rule, Alert) else {},
                ordered=rule.window.sliding,
                grain=int(rule.grain),
                allow=(config.allow, rule.allow),
                **_limits(rule, scope, references, names),
            )
        )
    return Rules(
        config,
        columns,
        tuple(derived),
        tuple(windows),
        tuple(events),
        tuple(classifications),
    )


def _ordered(rule: Alert, of_plan: Rule, scope: Scope, config: PipelineConfig) -> WindowRule:
    keys = zip(of_plan.keys, rule.keys, strict=True)
    texts: list[str] = []
    if rule.leaky is not None and rule.leaky.distinct is not None:
        texts = [rule.leaky.distinct]
    if rule.sequence is not None:
        cancel = rule.sequence.cancel
        texts = [*rule.sequence.steps.values(), *([cancel] if cancel is not None else [])]
    return WindowRule(
        identity=of_plan.identity,
        name=rule.name,
        alert=True,
        keys=tuple((key.name, parse(part.text, scope)) for key, part in keys),
        where=parse(rule.where, scope) if rule.where else None,
        size=0,
        every=0,
        when=None,
        select=(),
        shown=(),
        timers=_timers(rule),
        labels=rule.labels,
        annotations=rule.annotations,
        ordered=True,
        grain=int(rule.grain),
        allow=(config.allow, rule.allow),
        kind=rule,
        own=tuple(parse(text, scope) for text in texts),
    )


def _limits(
    rule: Alert | Record, scope: Scope, references: Mapping[str, Reference], keys: list[str]
) -> dict[str, Any]:
    """Whether windows look things up, and which references list the rule's keys."""
    texts = [*([rule.when] if rule.when else []), *rule.select.values()]
    used = outside(parse(text, scope) for text in texts)
    lists = []
    for name in sorted(used):
        reference = references[name]
        columns = {text_of(reference, column): column for column in reference.config.key}
        if keys and all(rendered_name(key) in columns for key in keys):
            lists.append((name, tuple(columns[rendered_name(key)] for key in keys)))
    return {"limited": bool(used), "lists": tuple(lists)}


def _timers(rule: Alert) -> Timers:
    instants = rule.window is None or rule.window.sliding
    return Timers(
        1 if instants or rule.window is None else rule.window.every,
        int(rule.for_),
        int(rule.keep_firing_for),
        int(rule.cooldown),
        int(rule.update_every),
    )
