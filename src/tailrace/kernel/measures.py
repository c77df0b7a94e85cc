"""From totals to the values that a condition or an output sees (SEMANTICS 15 to 17)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tailrace.expr.nodes import AggregateFunction, Type
from tailrace.expr.values import Values
from tailrace.kernel import sides
from tailrace.kernel.partials_sql import FIXED_POINT
from tailrace.kernel.types import FLAG_SATURATED
from tailrace.kernel.wide import to_float
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Run
    from tailrace.kernel.totals import Totals
    from tailrace.plan.model import Measure, Rule


def finish(
    measure: Measure,
    totals: Totals,
    rule: Rule,
    side_rows: Mapping[str, Run | None],
    most_distinct: int,
) -> tuple[Values, NDArray[np.uint8] | None]:
    """The value of a measure for each row of ``totals``, and flags where it raised any."""
    aggregate = measure.aggregate
    by_kind = {p.kind: p for p in measure.partials}
    if PartialKind.DISTINCT in by_kind:
        name = by_kind[PartialKind.DISTINCT].name
        counts, saturated = sides.distinct_counts(
            side_rows[name], rule.window, totals, most_distinct
        )
        return Values(counts, None, None), saturated.astype(np.uint8) * FLAG_SATURATED
    if PartialKind.BUCKETS in by_kind:
        assert aggregate.q is not None  # noqa: S101 - the parser gives every quantile its rank
        name = by_kind[PartialKind.BUCKETS].name
        data, valid = sides.quantiles(side_rows[name], rule.window, totals, aggregate.q)
        return Values(data, valid, None), None
    if aggregate.function in (AggregateFunction.COUNT, AggregateFunction.CHANGES):
        column = totals.columns[measure.partials[0].name] if measure.partials else totals.n
        return Values(column.astype(np.int64), None, None), None
    counts = totals.columns[by_kind[PartialKind.COUNT].name].astype(np.int64)
    valid = counts > 0
    if PartialKind.LEAST in by_kind or PartialKind.GREATEST in by_kind:
        kind = PartialKind.LEAST if PartialKind.LEAST in by_kind else PartialKind.GREATEST
        return Values(totals.columns[by_kind[kind].name], valid, None), None
    if aggregate.function is AggregateFunction.STDDEV:
        return _deviation(measure, totals, counts), None
    return _sum_or_mean(measure, totals.columns[by_kind[PartialKind.SUM].name], counts), None


def _sum_or_mean(measure: Measure, total: np.ndarray, counts: NDArray[np.int64]) -> Values:
    aggregate = measure.aggregate
    assert aggregate.arg is not None  # noqa: S101 - only count has no argument
    valid = counts > 0
    fixed = aggregate.arg.type is Type.DOUBLE
    if aggregate.function is AggregateFunction.AVG:
        scaled = (
            counts.astype(np.object_) * FIXED_POINT
            if counts.max(initial=0) > 2**33
            else counts * FIXED_POINT
        )
        divisor = to_float(scaled) if fixed else counts.astype(np.float64)
        divisor = np.where(valid, divisor, 1.0)
        return Values(to_float(total) / divisor, valid, None)
    if fixed:
        return Values(to_float(total) / float(FIXED_POINT), valid, None)
    if total.dtype != np.object_:
        return Values(total.astype(np.int64), valid, None)
    fits = np.fromiter((-(2**63) <= int(t) < 2**63 for t in total), np.bool_, len(total))
    data = np.where(fits, total, 0).astype(np.int64)
    return Values(data, valid & fits, valid & ~fits)


def _deviation(measure: Measure, totals: Totals, counts: NDArray[np.int64]) -> Values:
    """Sample standard deviation: sqrt((n S2 - S1^2) / (n (n - 1))) from exact integer sums."""
    terms = {p.term: totals.columns[p.name] for p in measure.partials if p.kind is PartialKind.SUM}
    assert measure.aggregate.arg is not None  # noqa: S101 - only count has no argument
    scale = FIXED_POINT if measure.aggregate.arg.type is Type.DOUBLE else 1
    data = np.zeros(len(counts), np.float64)
    valid = counts > 1
    for row in np.flatnonzero(valid).tolist():
        n, first = int(counts[row]), int(terms["first"][row])
        aa, ab, bb = (int(terms[name][row]) for name in ("aa", "ab", "bb"))
        second = (aa << 64) + (ab << 33) + bb
        data[row] = math.sqrt(float(n * second - first * first) / float(n * (n - 1) * scale**2))
    return Values(data, valid, None)
