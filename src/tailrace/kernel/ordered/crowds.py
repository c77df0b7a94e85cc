"""Which keys may have a window that slides over enough events, found without putting them in order.

Time is cut into stretches at least as long as the window. What a window holds lies in the stretch
of its end and the one before, so that the events of two neighbours are the most that it can have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.expr.nodes import AggregateFunction, Type
from tailrace.kernel.partials_sql import FIXED_POINT
from tailrace.kernel.ruling_out import Most, is_count, ruled_out
from tailrace.kernel.wide import to_float
from tailrace.plan.columns import column_names
from tailrace.plan.event_columns import TIME
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.expr.nodes import Node
    from tailrace.kernel.runs import Column, Run
    from tailrace.plan.model import Measure, Rule

_CELLS = 4
"""So many (key, stretch) there are for an event, at the most."""

_SLACK = 1.000001
"""Sums of doubles that are rounded on the way are larger than they are, at the most."""


def may_hold(rule: Rule, when: Node, rows: Run, keys: int) -> NDArray[np.bool_] | None:
    """Whether the condition may hold, or fail, in some window of each of ``keys``; None: unknown.

    ``rows``: all events that these windows can have, in any order.
    """
    bounded = _bounded(rule, when)
    if not bounded:
        return None
    times = rows.columns[TIME]
    most = _CELLS * len(rows) // max(1, keys)
    if most < 1:
        return None
    first = int(times.min())
    size = max(rule.window.size, -(-(int(times.max()) + 1 - first) // most))
    stretches = (int(times.max()) - first) // size + 1
    cells = rows.keys * stretches + (times - first) // size

    def bound(weights: Column | None) -> Column:
        sums = np.bincount(cells, weights, keys * stretches).reshape(keys, stretches)
        both = sums.copy()
        both[:, 1:] += sums[:, :-1]
        return both.reshape(-1)

    known = {}
    counted: Most | None = None
    for measure in bounded:
        if is_count(measure):
            counted = counted or Most(bound(None), null=False)
            known[measure.name] = counted
        else:
            known[measure.name] = Most(bound(_positive(measure, rows)) * _SLACK, null=True)
    out = ruled_out(when, known)
    if out is None:
        return None
    crowded: NDArray[np.bool_] = ~np.all(out.reshape(keys, stretches), axis=1)
    return crowded


def _bounded(rule: Rule, when: Node) -> list[Measure]:
    """The measures of a condition whose bounds are known; none if these can't rule out a window."""
    names = column_names(when)
    found = [m for m in rule.measures if m.name in names and (is_count(m) or _is_sum(m))]
    nothing = Most(np.empty(0), null=True)
    return found if ruled_out(when, {m.name: nothing for m in found}) is not None else []


def _is_sum(measure: Measure) -> bool:
    """Whether a measure is a sum of doubles, which can't fail."""
    aggregate = measure.aggregate
    double = aggregate.arg is not None and aggregate.arg.type is Type.DOUBLE
    return double and aggregate.function is AggregateFunction.SUM


def _positive(measure: Measure, rows: Run) -> Column:
    """What each event can add to a sum of doubles."""
    (name,) = (p.name for p in measure.partials if p.kind is PartialKind.SUM)
    positive: Column = np.maximum(to_float(rows.columns[name]), 0.0) / FIXED_POINT
    return positive
