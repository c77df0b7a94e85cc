"""What a condition can't hold for, known from the most that its counts and sums can be.

Most keys of most windows are far from a limit. Where a rough bound shows that, the exact measures
need not be made. What is ruled out would be neither true nor counted as a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.expr.nodes import AggregateFunction, Binary, Cast, Literal
from tailrace.expr.nodes import Column as Named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tailrace.expr.nodes import Node
    from tailrace.kernel.runs import Column
    from tailrace.kernel.totals import Totals
    from tailrace.plan.model import Measure, Rule

    Mask = NDArray[np.bool_]

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Most(NamedTuple):
    """The most that a measure can be, row by row; ``null``: whether it can be null instead."""

    values: Column
    null: bool


class _Known(NamedTuple):
    """Rows on which a condition is false; those on which it is that, or null and didn't fail."""

    false: Mask
    never: Mask


def ruled_out(when: Node, most: Mapping[str, Most]) -> Mask | None:
    """The rows for which a condition can't hold or fail; None: nothing is known.

    ``most``: bounds of measures by their names; the others may be anything.
    """
    known = _known(when, most)
    return None if known is None else known.never


def _known(node: Node, most: Mapping[str, Most]) -> _Known | None:
    if not isinstance(node, Binary):
        return None
    if node.op in ("and", "or"):
        return _joined(node.op, _known(node.left, most), _known(node.right, most))
    left, right, op = node.left, node.right, node.op
    if isinstance(left, Literal):
        left, right, op = right, left, _MIRRORED.get(op, op)
    if isinstance(left, Cast) and left.implicit:
        left = left.operand
    if not isinstance(left, Named) or left.name not in most or not isinstance(right, Literal):
        return None
    limit = right.value
    if not isinstance(limit, (int, float)) or op not in (">", ">=", "="):
        return None
    bound = most[left.name]
    below = bound.values <= limit if op == ">" else bound.values < limit
    return _Known(np.zeros_like(below) if bound.null else below, below)


def _joined(op: str, left: _Known | None, right: _Known | None) -> _Known | None:
    """A null that didn't fail is no failure of what it is part of, unless the other part fails."""
    if left is None or right is None:
        only = left or right
        return None if op == "or" or only is None else _Known(only.false, only.false)
    never = left.never & right.never
    if op == "or":
        return _Known(left.false & right.false, never)
    false = left.false | right.false
    return _Known(false, false | never)


def is_count(measure: Measure) -> bool:
    """Whether a measure is a number of events, or of some of their values."""
    return measure.aggregate.function in (AggregateFunction.COUNT, AggregateFunction.CHANGES)


def most_of(rule: Rule, totals: Totals) -> dict[str, Most]:
    """The most that a rule's counts can be: what is totalled, else all events of the window."""
    found: dict[str, Most] = {}
    for measure in rule.measures:
        if is_count(measure):
            names = [partial.name for partial in measure.partials]
            known = totals.columns.get(names[0]) if names else None
            found[measure.name] = Most(totals.n if known is None else known, null=False)
    return found
