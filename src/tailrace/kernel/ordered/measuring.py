"""A sliding rule's measures for many instants at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.expr.values import Values
from tailrace.kernel.buckets import bucket_value
from tailrace.kernel.keys import typed_column
from tailrace.kernel.measures import finish
from tailrace.kernel.ordered.ranges import added, distinct, extremes, ranks
from tailrace.kernel.totals import Totals
from tailrace.kernel.types import FLAG_SATURATED
from tailrace.plan.event_columns import there
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.ordered.order import Timeline
    from tailrace.kernel.ordered.sliding import Instants
    from tailrace.kernel.runs import Column, Run
    from tailrace.plan.model import Rule


def totals_of(
    rule: Rule,
    rows: Run,
    line: Timeline,
    instants: Instants,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> Totals:
    """What the measures are finished from, for windows that hold the events ``[low, high)``.

    Distinct values are counted already, a quantile's column has its bucket and another whether
    there is one.
    """
    columns: dict[str, Column] = {}
    for measure in rule.measures:
        for partial in measure.partials:
            name = partial.name
            if name in columns and partial.kind is not PartialKind.BUCKETS:
                continue
            values = rows.columns[name]
            if partial.kind.additive:
                columns[name] = added(values, low, high)
            elif partial.kind is PartialKind.DISTINCT:
                present = rows.columns[there(name)]
                columns[name] = distinct(values, present, line.place, low, high)
            elif partial.kind is PartialKind.BUCKETS:
                rank = measure.aggregate.q
                assert rank is not None  # noqa: S101 - the parser gives every quantile its rank
                found, valid = ranks(values, rows.columns[there(name)], low, high, rank)
                columns[measure.name], columns[there(measure.name)] = found, valid
            else:
                columns[name] = extremes(partial.kind, values, low, high)
    return Totals(line.keys[instants.place], instants.at, high - low, columns)


def measure_values(
    rule: Rule, totals: Totals, names: set[str], most_distinct: int
) -> tuple[dict[str, Values], NDArray[np.uint8] | None]:
    """The named measures for each row of ``totals``, and the flags that they raise."""
    found: dict[str, Values] = {}
    flags: NDArray[np.uint8] | None = None
    for measure in rule.measures:
        if measure.name not in names:
            continue
        kinds = {partial.kind: partial.name for partial in measure.partials}
        if PartialKind.DISTINCT in kinds:
            counts = totals.columns[kinds[PartialKind.DISTINCT]]
            found[measure.name] = Values(np.minimum(counts, most_distinct), None, None)
            raised = (counts > most_distinct).astype(np.uint8) * np.uint8(FLAG_SATURATED)
            flags = raised if flags is None else flags | raised
        elif PartialKind.BUCKETS in kinds:
            values = bucket_value(totals.columns[measure.name].astype(np.int32))
            found[measure.name] = Values(values, totals.columns[there(measure.name)], None)
        else:
            found[measure.name], _ = finish(measure, totals, rule, {}, most_distinct)
    return found, flags


def key_values(
    rule: Rule, keys: DenseKeys, numbers: NDArray[np.int64], names: set[str]
) -> dict[str, Values]:
    """The named key fields of keys by their numbers."""
    return {
        key.name: Values(typed_column(keys, numbers, index, key.node.type), None, None)
        for index, key in enumerate(rule.keys)
        if key.name in names
    }
