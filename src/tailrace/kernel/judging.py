"""A rule's condition and selected measures, evaluated for many (key, window) at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.evaluate import evaluate
from tailrace.expr.nodes import Type
from tailrace.kernel.ruling_out import most_of, ruled_out
from tailrace.kernel.types import RuleFirings
from tailrace.plan.columns import column_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tailrace.expr.values import Values
    from tailrace.kernel.totals import Totals
    from tailrace.plan.model import Rule

    Columns = Callable[[Totals, set[str]], tuple[dict[str, Values], NDArray[np.uint8] | None]]

ARROW_TYPES = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.int64(),
    Type.NULL: pa.string(),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """Those of some totals that a rule's condition holds for, ``chosen`` being their places.

    ``failed``: for each of all totals whether an operation of the rule failed.
    """

    firings: RuleFirings
    chosen: NDArray[np.int64]
    failed: NDArray[np.bool_]


def judged(rule: Rule, totals: Totals, flags: NDArray[np.uint8], columns: Columns) -> Judged:
    """Judge all ``totals``; ``flags`` are theirs so far.

    ``columns`` gives the named measures and key fields of totals, and the flags that these raise.
    """
    failed = np.zeros(len(totals), np.bool_)
    raised = None
    if rule.when is not None:
        out = ruled_out(rule.when, most_of(rule, totals))
        open_ = np.arange(len(totals)) if out is None else np.flatnonzero(~out)
        judged_now = totals if len(open_) == len(totals) else totals.take(open_)
        known, raised = columns(judged_now, column_names(rule.when))
        found = evaluate(rule.when, known, len(open_))
        hit = found.is_true
        if found.failed is not None:
            failed[open_] = found.failed
        chosen = open_[hit]
        raised = None if raised is None else raised[hit]
    else:
        chosen = np.arange(len(totals))
    kept = totals.take(chosen)
    wanted = set(rule.shown).union(*(column_names(node) for _, node in rule.select))
    known, more = columns(kept, wanted)
    arrays = []
    for _, node in rule.select:
        result = evaluate(node, known, len(kept))
        if result.failed is not None:
            failed[chosen] |= result.failed
        arrays.append(to_arrow(result, node.type))
    types = {m.name: m.aggregate.type for m in rule.measures}
    arrays += [to_arrow(known[name], types[name]) for name in rule.shown]
    flags = flags[chosen]
    if raised is not None:
        flags |= raised
    if more is not None:
        flags |= more
    values = pa.table(arrays, names=list(rule.columns)) if arrays else pa.table({})
    return Judged(RuleFirings(rule, kept.keys, kept.ends, values, flags), chosen, failed)


def to_arrow(values: Values, type_: Type) -> pa.Array:
    """Evaluated values as an Arrow array of the type's storage (times as int64 microseconds)."""
    mask = None if values.valid is None else ~values.valid
    return pa.array(values.data, ARROW_TYPES[type_], mask=mask, from_pandas=False)
