"""Measures over time beside what they are compared with, of rules without a key.

Such a rule judges all together, so its windows are one series: volume beside its limits, say. For
it a copy of the rule runs that has a row for every window. Rules with a key have a series for each
of their keys; they are in tables of the store, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tailrace.backtest.history import Line, Series
from tailrace.backtest.thresholds import COPY, Comparison, comparisons
from tailrace.expr.render import render
from tailrace.plan.identity import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tailrace.expr.nodes import Node
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.model import Plan, Rule

MOST_POINTS = 1_000
"""Windows of a series that are kept; of more, the greatest and the least of each stretch."""


@dataclass(slots=True)
class Watched:
    """A rule whose windows are taken down, by a copy of it that has a row for each."""

    rule: Rule
    copy: Rule
    compared: tuple[Comparison, ...]
    parts: list[RuleFirings] = field(default_factory=list)


def watched(plan: Plan) -> list[Watched]:
    """The alerts of a plan that have such a series."""
    found = []
    for rule in plan.rules:
        if not rule.alert or rule.keys or rule.ordered is not None:
            continue
        compared = tuple(comparisons(rule))
        if compared:
            found.append(Watched(rule, _copy(rule, compared), compared))
    return found


def all_series(of: Iterable[Watched]) -> list[Series]:
    """What was taken down; one series for what several rules compare with bounds of their own."""
    by_meaning: dict[tuple[object, ...], Series] = {}
    for one in of:
        if not one.parts:
            continue
        ends = np.concatenate([part.ends for part in one.parts])
        order = np.argsort(ends, kind="stable")
        for place, comparison in enumerate(one.compared):
            rule = one.rule
            where = "" if rule.where is None else render(rule.where)
            meaning = (rule.window, where, comparison.measure)
            series = by_meaning.get(meaning)
            if series is None:
                values = _column(one.parts, _value(place))[order]
                series = Series(comparison.measure, rule.window.size, ends[order], values, [])
                by_meaning[meaning] = series
            bounds = _column(one.parts, _bound(place))[order]
            series.lines.append(Line(rule.name, comparison.text, bounds))
    return [_thinned(series) for series in by_meaning.values()]


def _copy(rule: Rule, compared: Sequence[Comparison]) -> Rule:
    selected: list[tuple[str, Node]] = []
    for place, comparison in enumerate(compared):
        selected += [(_value(place), comparison.compared), (_bound(place), comparison.bound)]
    return replace(
        rule,
        identity=digest(rule.identity, "series"),
        name=f"{rule.name}{COPY}series",
        alert=False,
        when=None,
        when_text=None,
        early=None,
        select=tuple(selected),
        shown=(),
        labels={},
        annotations={},
        to=(),
    )


def _value(place: int) -> str:
    return f"value{place}"


def _bound(place: int) -> str:
    return f"bound{place}"


def _column(parts: Sequence[RuleFirings], name: str) -> NDArray[np.float64]:
    """A measure of all windows; nan where it is null."""
    columns = [part.values[name].cast("float64").to_numpy() for part in parts]
    return np.concatenate([np.asarray(column, np.float64) for column in columns])


def _thinned(series: Series) -> Series:
    number = len(series.ends)
    if number <= MOST_POINTS:
        return series
    stretches = np.array_split(np.arange(number), MOST_POINTS // 2)
    chosen: set[int] = set()
    for places in stretches:
        values = series.values[places]
        if not np.isnan(values).all():
            chosen |= {int(places[np.nanargmin(values)]), int(places[np.nanargmax(values)])}
    kept = np.array(sorted(chosen), np.int64)
    lines = [replace(line, bounds=line.bounds[kept]) for line in series.lines]
    return replace(series, ends=series.ends[kept], values=series.values[kept], lines=lines)
