"""From a pipeline file to a plan.

Every expression parsed and typed, every problem reported with its place.
"""

from __future__ import annotations

import json
import os
from math import gcd
from typing import TYPE_CHECKING

from tailrace.config import Alert, Classify, loads
from tailrace.config.event import ERROR, RAW
from tailrace.config.loading import examine, read_text
from tailrace.errors import PipelineError, Problem
from tailrace.expr.aggregates import aggregates, replace_aggregates
from tailrace.expr.early import early
from tailrace.expr.names import measure_name
from tailrace.expr.nodes import Aggregate, Column, Type
from tailrace.expr.render import render
from tailrace.expr.scope import Scope
from tailrace.plan.allowing import listed, without
from tailrace.plan.classify import Classification, compile_classify, labels_read
from tailrace.plan.columns import column_names
from tailrace.plan.compile_ordered import compile_ordered
from tailrace.plan.identity import digest
from tailrace.plan.model import (
    CHANGES,
    Bounds,
    Dedup,
    Derived,
    EventRule,
    Key,
    Measure,
    Plan,
    Rule,
    Window,
)
from tailrace.plan.ordered import Sliding
from tailrace.plan.partials import partials_of
from tailrace.plan.problems import Problems
from tailrace.plan.references import References, aggregated, limits_shown
from tailrace.plan.row_words import check_row_templates
from tailrace.plan.verdicts import compile_marks, compile_verdicts

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from pathlib import Path

    from tailrace.config import Loaded, PipelineConfig, Record
    from tailrace.config.allow import AllowedOrValues
    from tailrace.expr.nodes import Node
    from tailrace.plan.problems import Path as Place

KEY_TYPES = frozenset({Type.TEXT, Type.INTEGER, Type.BOOLEAN, Type.TIME})

_ALWAYS_IN_TEMPLATES = ("rule", "pipeline", "start", "end")


def compile_pipeline(loaded: Loaded) -> Plan:
    """The plan of a pipeline file; PipelineError with all problems, by position."""
    problems = Problems(loaded.positions)
    compiler = _Compiler(loaded.config, problems)
    plan = compiler.plan(
        json.dumps(
            {
                "file": loaded.file,
                "text": loaded.text,
                "sets": list(loaded.sets),
                "env": loaded.meaning_env,
            }
        )
    )
    if problems.found:
        raise PipelineError(problems=tuple(_redacted(problems, loaded)))
    return plan


def compile_file(
    path: Path, *, env: Mapping[str, str] | None = None, sets: Sequence[str] = ()
) -> Plan:
    """The plan of the pipeline file at ``path``; PipelineError with every problem found."""
    return check_file(path, env=env, sets=sets)[1]


def check_file(
    path: Path, *, env: Mapping[str, str] | None = None, sets: Sequence[str] = ()
) -> tuple[Loaded, Plan]:
    """The pipeline file at ``path`` as it was read, and its plan.

    PipelineError with every problem found: those of its structure, and those of the expressions
    that can be checked all the same.
    """
    examined = examine(read_text(path), str(path), env=env, sets=sets)
    if examined.loaded is not None:
        return examined.loaded, compile_pipeline(examined.loaded)
    found = list(examined.problems)
    if examined.rest is not None:
        problems = Problems(examined.rest.positions, examined.doubtful)
        _Compiler(examined.rest.config, problems).plan("")
        told = {(problem.where, problem.message) for problem in found}
        found += [p for p in _redacted(problems, examined.rest) if (p.where, p.message) not in told]
    raise PipelineError(problems=tuple(sorted(found, key=_place)))


def _redacted(problems: Problems, loaded: Loaded) -> list[Problem]:
    """The problems in the order of their places, without secrets."""
    redact = loaded.redact
    ordered = sorted(problems.found, key=_place)
    return [
        Problem(redact(p.message), p.where, None if p.hint is None else redact(p.hint))
        for p in ordered
    ]


def _place(problem: Problem) -> tuple[int, int]:
    where = problem.where
    return (where.line or 0, where.column or 0) if where else (0, 0)


def compile_text(kept: str, env: Mapping[str, str] | None = None) -> Plan:
    """The plan of a text that ``Plan.text`` kept.

    What rules mean is as it was then; places and credentials are of today's environment.
    """
    body = json.loads(kept)
    today = dict(os.environ if env is None else env)
    then = {name: value for name, value in body["env"].items() if value is not None}
    merged = {n: v for n, v in today.items() if n not in body["env"]} | then
    return compile_pipeline(loads(body["text"], body["file"], env=merged, sets=body["sets"]))


class _Compiler:
    def __init__(self, config: PipelineConfig, problems: Problems) -> None:
        self._config = config
        self._problems = problems
        self._references = References(config.references, problems)
        self._allowed: tuple[Node, ...] = ()
        self._classified: list[Classification] = []
        self._fields = {name: Type(spec.type) for name, spec in config.fields.items()}
        self._fields |= {name: Type.TEXT for name in config.path_fields if name not in self._fields}
        if config.on_error == "classify":
            self._fields |= dict.fromkeys((RAW, ERROR), Type.TEXT)
        # Whoever uses a field that is wrong itself has no mistake of his own.
        doubtful = dict.fromkeys(problems.doubtful, Type.NULL)
        self._columns: dict[str, Type] = {**self._fields, **doubtful}
        self._nonnegative = {
            name for name, spec in config.fields.items() if spec.min is not None and spec.min >= 0
        }

    def plan(self, text: str) -> Plan:
        config = self._config
        derived = tuple(self._derived())
        dedup = self._dedup()
        events = self._event_meaning(derived)
        self._allowed = self._listed(config.allow, ("allow",))
        rules: list[Rule] = []
        event_rules: list[EventRule] = []
        for index, rule in enumerate(config.rules):
            path: Place = ("rules", index)
            if isinstance(rule, Classify):
                self._classified += self._classification(rule, path, events)
                continue
            if isinstance(rule, Alert) and rule.in_order:
                rules += self._ordered_rule(rule, path, events)
                continue
            if isinstance(rule, Alert) and rule.window is None:
                event_rule = self._event_rule(rule, path, events)
                if event_rule is not None:
                    event_rules.append(event_rule)
                continue
            compiled = self._window_rule(rule, path, events)
            if compiled is not None:
                rules.append(compiled)
        lists = compile_verdicts(config, rules, self._problems)
        marks = compile_marks(config, lists, self._columns, self._problems)
        columns = self._columns
        check_row_templates(
            self._problems, config, rules, event_rules, columns, lists, self._classified
        )
        return Plan(
            name=config.name,
            config=config,
            text=text,
            fields=self._fields,
            derived=derived,
            columns=self._columns,
            grace=int(config.time.grace),
            idle_after=int(config.time.idle_after),
            dedup=dedup,
            rules=tuple(rules),
            event_rules=tuple(event_rules),
            bounds=Bounds(config.limits.max_keys, config.limits.max_distinct),
            archive=tuple(config.archive.to) if config.archive is not None else (),
            explain_retain=int(config.explain.retain),
            references=tuple(self._references.matched.values()),
            verdicts=lists,
            marks=marks,
            classifications=tuple(self._classified),
        )

    def _listed(self, allow: Mapping[str, AllowedOrValues], path: Place) -> tuple[Node, ...]:
        return listed(allow, path, self._columns, self._references, self._problems)

    @property
    def _row_scope(self) -> Scope:
        """What expressions see of one event."""
        return Scope(self._columns, references=self._references.of_rows)

    def _where(self, rule: Alert | Record, path: Place) -> tuple[Node | None, bool]:
        """The rule's condition on events, without those of allow-lists; False if it is wrong."""
        where = None
        if rule.where:
            where = self._condition((*path, "where"), rule.where, self._row_scope)
        allowed = (*self._allowed, *self._listed(rule.allow, (*path, "allow")))
        return without(where, allowed), where is not None or not rule.where

    def _derived(self) -> Iterable[Derived]:
        for name, text in self._config.derive.items():
            node = self._problems.parse(("derive", name), text, self._row_scope)
            self._references.match_rows([node], self._columns)
            if name in self._fields:
                self._problems.add(("derive", name), f"{name!r} is a field already")
            elif node is not None and name not in self._problems.doubtful:
                self._columns[name] = node.type
                self._references.derive(name, node)
                yield Derived(name, node)
            else:
                # Its own problem is noted; those who use it shall not all complain.
                self._problems.doubtful.add(name)
                self._columns[name] = Type.NULL

    def _dedup(self) -> Dedup | None:
        dedup = self._config.dedup
        if dedup is None:
            return None
        for index, name in enumerate(dedup.by):
            if name not in self._fields:
                hint = f"declared are {', '.join(self._fields)}"
                self._problems.add(("dedup", "by", index), f"there is no field {name!r}", hint)
        return Dedup(tuple(dedup.by), int(dedup.within))

    def _event_meaning(self, derived: Iterable[Derived]) -> str:
        """A hash of all that says what an event is: a change of it changes every rule."""
        config = self._config
        parts = [
            repr(config.format),
            repr(
                (
                    config.time.field,
                    config.time.format,
                    config.time.zone,
                    int(config.time.grace),
                    config.time.year,
                )
            ),
            *(f"{name}: {spec!r}" for name, spec in config.fields.items()),
            *(f"{d.name} = {render(d.node)}" for d in derived),
            *self._meaning_of(self._references.used(d.node for d in derived)),
            repr(config.dedup),
            *([config.on_error] if config.on_error != "dead_letter" else ()),
            repr((config.limits.max_keys, config.limits.max_distinct)),
        ]
        return digest(*parts)

    def _labels(self, nodes: Iterable[Node | None]) -> tuple[str, ...]:
        """The classifications that a rule's nodes over events read, once these are matched."""
        return labels_read(nodes, self._references.matched, self._classified)

    def _meaning_of(self, references: tuple[str, ...]) -> tuple[str, ...]:
        """What lookups mean, where there are any."""
        meaning = self._references.meaning(references)
        return () if meaning is None else (meaning,)

    def _classification(self, rule: Classify, path: Place, meaning: str) -> list[Classification]:
        """The rule, if nothing is wrong with it; its fields are there for those below."""

        def condition(place: Place, text: str) -> Node | None:
            return self._condition(place, text, self._row_scope)

        compiled = compile_classify(rule, path, meaning, self._columns, condition, self._problems)
        if compiled is None:
            self._problems.doubtful |= {rule.name, rule.reasons}
            self._columns |= dict.fromkeys((rule.name, rule.reasons), Type.NULL)
            return []
        nodes = tuple(compiled.nodes)
        self._references.match_rows(nodes, self._columns)
        used = (*self._meaning_of(self._references.used(nodes)), *self._labels(nodes))
        for name in (rule.name, rule.reasons):
            self._references.derive(name, *nodes)
            self._columns[name] = Type.TEXT
        return [compiled if not used else compiled.meaning_also(*used)]

    def _event_rule(self, rule: Alert, path: Place, meaning: str) -> EventRule | None:
        assert rule.when is not None  # noqa: S101 - the model asks for it
        scope = self._row_scope
        when = self._condition((*path, "when"), rule.when, scope)
        where, right = self._where(rule, path)
        known = (*self._columns, *_ALWAYS_IN_TEMPLATES, "time")
        self._templates(rule, path, known)
        if when is None or not right:
            return None
        self._references.match_rows([when, where], self._columns)
        references = self._references.used([when, where])
        identity = digest(
            meaning,
            "event",
            rule.name,
            render(when),
            render(where) if where else None,
            *self._meaning_of(references),
            *self._labels([when, where]),
        )
        return EventRule(
            identity,
            rule.name,
            where,
            when,
            rule.when,
            dict(rule.labels),
            dict(rule.annotations),
            tuple(rule.to),
            references,
        )

    def _window_rule(self, rule: Alert | Record, path: Place, meaning: str) -> Rule | None:
        assert rule.window is not None  # noqa: S101 - the caller asked
        size, every = rule.window.size, rule.window.every
        ordered = Sliding(size) if rule.window.sliding else None
        if ordered is not None:
            window = Window(size, 1, int(rule.grain))
        else:
            window = Window(size, every, gcd(size, every))
        keys = self._keys(rule, path, self._row_scope)
        where, right = self._where(rule, path)
        key_types = {key.name: key.node.type for key in keys}
        scope = self._window_scope(key_types, ordered=ordered is not None)
        when = self._condition((*path, "when"), rule.when, scope) if rule.when else None
        select: list[tuple[str, Node]] = []
        for name, text in rule.select.items():
            node = self._problems.parse((*path, "select", name), text, scope)
            if node is not None:
                select.append((name, node))
        given = (len(rule.keys), len(rule.select), bool(rule.when))
        if not right or given != (len(keys), len(select), when is not None):
            return None
        measures, replaced, shown = _measures(
            when, select, taken={*key_types, *(n for n, _ in select)}, declared=self._fields
        )
        inside = [where, *(key.node for key in keys), *aggregated(measures)]
        self._references.match_rows(inside, self._columns)
        outer = [node for node in (when, *(node for _, node in select)) if node is not None]
        over = [replace_aggregates(node, replaced) for node in outer]
        limits = limits_shown(when, taken={*key_types, *replaced.values(), *rule.select})
        references = self._references.used([*inside, *over])
        alert = isinstance(rule, Alert)
        compiled_select = tuple(
            (name, replace_aggregates(node, replaced)) for name, node in (*select, *limits)
        )
        compiled = Rule(
            identity="",
            name=rule.name,
            alert=alert,
            keys=keys,
            where=where,
            window=window,
            measures=measures,
            when=replace_aggregates(when, replaced) if when is not None else None,
            when_text=rule.when,
            select=compiled_select,
            shown=shown,
            early=early(when, self._never_negative) if when is not None and not ordered else None,
            for_=int(rule.for_) if isinstance(rule, Alert) else 0,
            keep_firing_for=int(rule.keep_firing_for) if isinstance(rule, Alert) else 0,
            cooldown=int(rule.cooldown) if isinstance(rule, Alert) else 0,
            update_every=int(rule.update_every) if isinstance(rule, Alert) else 0,
            labels=dict(rule.labels) if isinstance(rule, Alert) else {},
            annotations=dict(rule.annotations) if isinstance(rule, Alert) else {},
            to=tuple(rule.to),
            ordered=_comparing(ordered, measures),
            joins=self._references.joins(over, keys),
            references=references,
        )
        if isinstance(rule, Alert):
            self._templates(rule, path, (*key_types, *compiled.columns, *_ALWAYS_IN_TEMPLATES))
        beside = (*self._meaning_of(references), *self._labels(inside))
        return _identified(compiled, meaning, select, when, beside)

    def _ordered_rule(self, rule: Alert, path: Place, meaning: str) -> list[Rule]:
        """A rule that stands in place of a window, if nothing is wrong with it."""

        def value(place: Place, text: str) -> Node | None:
            return self._problems.parse(place, text, self._row_scope)

        def condition(place: Place, text: str) -> Node | None:
            return self._condition(place, text, self._row_scope)

        keys = self._keys(rule, path, self._row_scope)
        where, right = self._where(rule, path)
        ordered = compile_ordered(rule, path, value, condition, self._problems)
        if not right or ordered is None or len(keys) < len(rule.keys):
            return []
        inside = [where, *(key.node for key in keys), *ordered.nodes]
        self._references.match_rows(inside, self._columns)
        references = self._references.used(inside)
        compiled = Rule(
            identity="",
            name=rule.name,
            alert=True,
            keys=keys,
            where=where,
            window=Window(ordered.size, 1, int(rule.grain)),
            measures=(),
            when=None,
            when_text=None,
            select=(),
            shown=(),
            early=None,
            for_=int(rule.for_),
            keep_firing_for=int(rule.keep_firing_for),
            cooldown=int(rule.cooldown),
            update_every=int(rule.update_every),
            labels=dict(rule.labels),
            annotations=dict(rule.annotations),
            to=tuple(rule.to),
            ordered=ordered,
            references=references,
        )
        own = (*(key.name for key in keys), *compiled.columns)
        if len(set(own)) < len(own):
            hint = f"it has measures of its own: {', '.join(compiled.columns)}"
            self._problems.add((*path, "by"), "a key is called as a measure is", hint)
            return []
        self._templates(rule, path, (*own, *_ALWAYS_IN_TEMPLATES))
        beside = (*self._meaning_of(references), *self._labels(inside))
        return [_identified(compiled, meaning, (), None, beside)]

    def _window_scope(self, key_types: Mapping[str, Type], *, ordered: bool) -> Scope:
        """What conditions see of a window."""
        references = self._references.of_windows(key_types, ordered=ordered)
        columns = self._columns | dict(key_types)
        return Scope(columns, aggregates=True, keys=frozenset(key_types), references=references)

    def _keys(self, rule: Alert | Record, path: Place, scope: Scope) -> tuple[Key, ...]:
        keys = []
        for part in rule.keys:
            node = self._problems.parse((*path, *part.path), part.text, scope)
            if node is None:
                self._problems.keyless.add(path)
                continue
            if node.type not in KEY_TYPES and self._problems.doubtful.isdisjoint(
                column_names(node)
            ):
                hint = (
                    "a key is text, integer, boolean or time; cast it or round it to one of these"
                )
                self._problems.add((*path, *part.path), f"a {node.type} can't be a key", hint)
                continue
            keys.append(Key(part.name or render(node), node))
        return tuple(keys)

    def _condition(self, path: Place, text: str, scope: Scope) -> Node | None:
        node = self._problems.parse(path, text, scope)
        if node is not None and node.type not in {Type.BOOLEAN, Type.NULL}:
            hint = "compare it with something, for example > 0"
            self._problems.add(
                path, f"a condition must be true or false; this is {node.type}", hint
            )
            return None
        return node

    def _templates(self, rule: Alert, path: Place, known: Iterable[str]) -> None:
        for section in ("labels", "annotations"):
            texts: Mapping[str, str] = getattr(rule, section)
            names = {*known, *rule.labels} if section == "annotations" else known
            for name, text in texts.items():
                self._problems.template((*path, section, name), text, names)

    def _never_negative(self, node: Node) -> bool:
        return isinstance(node, Column) and node.name in self._nonnegative


def _comparing(ordered: Sliding | None, measures: tuple[Measure, ...]) -> Sliding | None:
    compares = any(p.term == CHANGES for m in measures for p in m.partials)
    return Sliding(ordered.size, compares) if ordered is not None else None


def _measures(
    when: Node | None,
    select: Iterable[tuple[str, Node]],
    taken: set[str],
    declared: Container[str],
) -> tuple[tuple[Measure, ...], dict[Aggregate, str], tuple[str, ...]]:
    """All aggregates of a rule as measures with unique names.

    Those of the condition are shown in rows.

    An aggregate that is selected under a name of its own keeps that name and isn't shown twice.
    ``declared`` are the fields that decoding has seen.
    """
    selected = {node: name for name, node in select if isinstance(node, Aggregate)}
    of_condition = aggregates(when) if when is not None else ()
    every = dict.fromkeys((*of_condition, *(a for _, node in select for a in aggregates(node))))
    names: dict[Aggregate, str] = {}
    used = set(taken)
    for aggregate in every:
        name = base = measure_name(aggregate)
        number = 2
        while name in used:
            name, number = f"{base}_{number}", number + 1
        used.add(name)
        names[aggregate] = name
    measures = tuple(
        Measure(name, aggregate, partials_of(aggregate, declared))
        for aggregate, name in names.items()
    )
    shown = tuple(names[a] for a in of_condition if a not in selected)
    return measures, names, shown


def _identified(
    rule: Rule,
    meaning: str,
    select: Iterable[tuple[str, Node]],
    when: Node | None,
    looked_up: tuple[str, ...],
) -> Rule:
    from dataclasses import replace

    identity = digest(
        meaning,
        "alert" if rule.alert else "record",
        rule.name,
        *(f"{key.name}={render(key.node)}" for key in rule.keys),
        render(rule.where) if rule.where is not None else None,
        rule.window.size,
        rule.window.every,
        render(when) if when is not None else None,
        *(f"{name}={render(node)}" for name, node in select),
        rule.for_,
        rule.keep_firing_for,
        rule.cooldown,
        rule.update_every,
        *looked_up,
        *((*rule.ordered.meaning, rule.window.width) if rule.ordered is not None else ()),
    )
    return replace(rule, identity=identity)
