"""A window judged once more, from the partials of its panes, and taken apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tailrace.engines.explain.answers import PaneSeen, PartSeen, WindowSeen
from tailrace.expr.evaluate import evaluate
from tailrace.expr.nodes import Binary, Column, Literal, Node, Type
from tailrace.expr.parts import children, parts, rebuilt
from tailrace.expr.render import render
from tailrace.kernel.types import FLAG_NAMES
from tailrace.plan.identity import Time
from tailrace.plan.model import Window

if TYPE_CHECKING:
    from tailrace.expr.nodes import Aggregate
    from tailrace.expr.values import Values
    from tailrace.kernel.reducer import GroupReducer
    from tailrace.kernel.totals import Totals
    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Rule


def see_window(
    reducer: GroupReducer, rule: Rule, start: int, *, closed: bool, begun: bool
) -> WindowSeen:
    """What the window that begins at ``start`` held of the only key that ``reducer`` has.

    ``begun``: whether the rule had started by then.
    """
    end = start + rule.window.size
    totals = next((t for t in reducer.explain(rule, end) if len(t)), None)
    if totals is None:
        return WindowSeen(start, end, "no event", 0, closed, None)
    columns, flags = reducer.values(rule, totals)
    seen = tuple(_part(rule, part, columns) for part in parts(rule.when)) if rule.when else ()
    truth = _truth(evaluate(rule.when, columns, 1)) if rule.when is not None else None
    if not begun:
        outcome = "before its start"
    elif rule.when is None:
        outcome = "row"
    else:
        outcome = "fired" if truth else "did not fire"
    raised = int(flags[0])
    return WindowSeen(
        start,
        end,
        outcome,
        int(totals.n[0]),
        closed,
        truth,
        seen,
        _measures(rule, columns),
        tuple(_panes(reducer, rule, start, end)),
        tuple(name for bit, name in FLAG_NAMES.items() if raised & bit),
    )


def _panes(reducer: GroupReducer, rule: Rule, start: int, end: int) -> list[PaneSeen]:
    width = rule.window.width
    narrow = replace(rule, window=Window(width, width, width))
    found = []
    for pane_end in range(start + width, end + 1, width):
        totals: Totals | None = next((t for t in reducer.explain(narrow, pane_end) if len(t)), None)
        if totals is not None:
            columns, _ = reducer.values(narrow, totals)
            measures = _measures(rule, columns)
            found.append(PaneSeen(pane_end - width, pane_end, int(totals.n[0]), measures))
    return found


def _measures(rule: Rule, columns: dict[str, Values]) -> dict[str, Scalar]:
    return {
        render(measure.aggregate): _scalar(columns[measure.name], measure.aggregate.type)
        for measure in rule.measures
    }


def _part(rule: Rule, part: Node, columns: dict[str, Values]) -> PartSeen:
    values = evaluate(part, columns, 1)
    terms = {
        written(rule, term): _scalar(evaluate(term, columns, 1), term.type) for term in _terms(part)
    }
    failed = bool(values.has_failed[0])
    return PartSeen(written(rule, part), _truth(values), tuple(terms.items()), failed)


def _terms(part: Node) -> list[Node]:
    """What a condition compares, and the columns that this is computed from; no constants."""
    sides = [part.left, part.right] if isinstance(part, Binary) else list(children(part))
    found: list[Node] = []
    for side in sides:
        if not isinstance(side, Literal):
            found += [side, *_columns(side)]
    return found or _columns(part)


def _columns(node: Node) -> list[Node]:
    if isinstance(node, Column):
        return [node]
    return [column for child in children(node) for column in _columns(child)]


def written(rule: Rule, node: Node) -> str:
    """An expression as people write it, with the aggregates that measures stand for."""
    aggregates: dict[str, Aggregate] = {m.name: m.aggregate for m in rule.measures}

    def back(inner: Node) -> Node:
        if isinstance(inner, Column) and inner.name in aggregates:
            return aggregates[inner.name]
        return rebuilt(inner, back)

    return render(back(node))


def _truth(values: Values) -> bool | None:
    return bool(values.data[0]) if values.is_valid[0] else None


def _scalar(values: Values, type_: Type) -> Scalar:
    if not values.is_valid[0]:
        return None
    value = values.data[0]
    plain: Scalar = value.item() if isinstance(value, np.generic) else value
    return Time(int(plain)) if type_ is Type.TIME and plain is not None else plain
