"""The rules of a pipeline as the oracle needs them: syntax trees of every expression, and names.

From the plan come only names and hashes of meaning, which are no semantics: a rule's identity, what
a key without a name is called, and what the condition's measures are called in rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

from tests.oracle.incidents import Timers

from tailrace.config import Alert, Loaded, PipelineConfig
from tailrace.expr.aggregates import aggregates
from tailrace.expr.nodes import Aggregate, Node, Type
from tailrace.expr.parse import parse
from tailrace.expr.scope import Scope
from tailrace.plan.compile import compile_pipeline


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

    @property
    def width(self) -> int:
        return gcd(self.size, self.every)

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


@dataclass(frozen=True)
class Rules:
    config: PipelineConfig
    derived: tuple[tuple[str, Node], ...]
    windows: tuple[WindowRule, ...]
    events: tuple[EventRule, ...]


def read(loaded: Loaded) -> Rules:
    config = loaded.config
    plan = compile_pipeline(loaded)
    columns = {name: Type(spec.type) for name, spec in config.fields.items()}
    columns |= dict.fromkeys(config.path_fields, Type.TEXT) | columns
    derived = []
    for name, text in config.derive.items():
        node = parse(text, Scope(columns))
        columns[name] = node.type
        derived.append((name, node))
    windows: list[WindowRule] = []
    events: list[EventRule] = []
    for rule in config.rules:
        if isinstance(rule, Alert) and rule.window is None:
            planned = next(each for each in plan.event_rules if each.name == rule.name)
            where = parse(rule.where, Scope(columns)) if rule.where else None
            when = parse(rule.when, Scope(columns))
            texts = rule.labels, rule.annotations
            events.append(EventRule(planned.identity, rule.name, where, when, *texts))
            continue
        assert rule.window is not None
        of_plan = next(each for each in plan.rules if each.name == rule.name)
        names = [key.name for key in of_plan.keys]
        keys = [parse(part.text, Scope(columns)) for part in rule.keys]
        types = {name: node.type for name, node in zip(names, keys, strict=True)}
        scope = Scope(columns | types, aggregates=True, keys=frozenset(names))
        measures = {each.name: each.aggregate for each in of_plan.measures}
        alert = isinstance(rule, Alert)
        windows.append(
            WindowRule(
                identity=of_plan.identity,
                name=rule.name,
                alert=alert,
                keys=tuple(zip(names, keys, strict=True)),
                where=parse(rule.where, Scope(columns)) if rule.where else None,
                size=rule.window.size,
                every=rule.window.every,
                when=parse(rule.when, scope) if rule.when else None,
                select=tuple((name, parse(text, scope)) for name, text in rule.select.items()),
                shown=tuple((name, measures[name]) for name in of_plan.shown),
                timers=_timers(rule) if isinstance(rule, Alert) else Timers(0, 0, 0, 0, 0),
                labels=rule.labels if isinstance(rule, Alert) else {},
                annotations=rule.annotations if isinstance(rule, Alert) else {},
            )
        )
    return Rules(config, tuple(derived), tuple(windows), tuple(events))


def _timers(rule: Alert) -> Timers:
    assert rule.window is not None
    return Timers(
        rule.window.every,
        int(rule.for_),
        int(rule.keep_firing_for),
        int(rule.cooldown),
        int(rule.update_every),
    )
