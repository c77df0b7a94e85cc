"""What the rows of each output will look like, from the plan alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.engines.dispatch import time_column
from tailrace.engines.folding import value_types
from tailrace.expr.nodes import Type
from tailrace.outputs.batches import INSTANT, Content
from tailrace.outputs.shapes import Shape
from tailrace.outputs.typed import REFERENCES

if TYPE_CHECKING:
    from tailrace.plan.model import Plan, Rule

_ARROW = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: INSTANT,
    Type.NULL: pa.null(),
}


def shapes_of(plan: Plan, output: str) -> tuple[Shape, ...]:
    """All kinds of rows that an output gets, rules first, in their order."""
    return tuple(_shapes(plan, output))


def _shapes(plan: Plan, output: str) -> Iterator[Shape]:
    yield from _of_windows(plan, output)
    for event_rule in plan.event_rules:
        if output in event_rule.to:
            yield Shape(Content.EVENTS, event_rule.name)
    for each in plan.classifications:
        if output in each.outputs:
            yield _events(plan, each.columns, each.name)
    if output in plan.archive:
        yield _events(plan, plan.archived)
    for wanted in plan.verdicts:
        if output in wanted.to:
            yield Shape(Content.VERDICTS, wanted.name)
    if output in plan.config.dead_letters.to:
        yield Shape(Content.DEAD_LETTERS)


def _of_windows(plan: Plan, output: str) -> Iterator[Shape]:
    windows = plan.config.outputs[output].rows == "windows"
    for rule in plan.rules:
        if output not in rule.to:
            continue
        if rule.alert and not windows:
            yield Shape(Content.INCIDENTS, rule.name)
            yield Shape(Content.NOTICES, rule.name)
            continue
        keys, values = window_types(rule)
        yield Shape(Content.WINDOWS, rule.name, keys=_columns(keys), values=_columns(values))


def window_types(rule: Rule) -> tuple[dict[str, Type], dict[str, Type]]:
    """The columns of a rule's windows in tables, but for their bounds: of the key, and others."""
    types = value_types(rule)
    keys = {key.name: key.node.type for key in rule.keys}
    values = {name: types[name] for name in rule.columns}
    if rule.references and REFERENCES not in keys:
        values.setdefault(REFERENCES, Type.TEXT)
    return keys, values


def _events(plan: Plan, columns: Mapping[str, Type], rule: str = "") -> Shape:
    """Rows of events: their time, then their fields."""
    name = time_column(plan)
    fields = {n: kind for n, kind in _columns(columns).items() if n != name}
    return Shape(Content.ARCHIVE, rule, values={name: INSTANT} | fields, time=name)


def _columns(types: Mapping[str, Type]) -> dict[str, pa.DataType]:
    return {name: _ARROW[type_] for name, type_ in types.items()}
