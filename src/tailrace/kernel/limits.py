"""What the windows of a rule look up in references, and which keys these list.

A window sees the rows in force at its end, of the version in force when it closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.expr.evaluate import evaluate
from tailrace.expr.lookups import lookups
from tailrace.expr.nodes import AggregateFunction
from tailrace.expr.values import DTYPES, Values
from tailrace.kernel.lookups import NOWHERE, key_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    import pyarrow as pa
    from numpy.typing import NDArray

    from tailrace.expr.nodes import Lookup
    from tailrace.kernel.lookups import Candidates, Lookups
    from tailrace.kernel.totals import Totals
    from tailrace.plan.model import Measure, Rule
    from tailrace.plan.references import Join


def limits(
    rule: Rule,
    known: Lookups,
    key_values: Callable[[int], Values],
    ends: NDArray[np.int64],
    names: AbstractSet[str],
) -> dict[str, Values]:
    """The named lookups of a rule for each row of (key, window).

    ``key_values`` gives a key field's values by its place in the rule's key.
    """
    found: dict[str, Values] = {}
    for join in rule.joins:
        wanted = [one for one in _of_windows(rule, join) if one.name in names]
        if wanted:
            index = known.index(join.reference.table, join.reference.shape)
            rows = _rows(rule, join, known, key_values, ends)
            found |= {one.name: index.values(one, rows) for one in wanted}
    return found


def lookup_names(rule: Rule) -> set[str]:
    """The names of all that the windows of a rule look up."""
    return {one.name for join in rule.joins for one in _of_windows(rule, join)}


def unmatched(
    rule: Rule, known: Lookups, key_values: Callable[[int], Values], totals: Totals
) -> int:
    """How many of these windows look for a row of some reference, and there is none."""
    missing = np.zeros(len(totals), np.bool_)
    for join in rule.joins:
        missing |= _rows(rule, join, known, key_values, totals.ends) == NOWHERE
    return int(missing.sum())


def _rows(
    rule: Rule,
    join: Join,
    known: Lookups,
    key_values: Callable[[int], Values],
    ends: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The row that each window is matched with."""
    keys = {key.name: key_values(place) for place, key in enumerate(rule.keys)}
    index = known.index(join.reference.table, join.reference.shape)
    arrays = [key_array(evaluate(node, keys, len(ends)), node.type) for node in join.match]
    return index.find(arrays, ends)


def _of_windows(rule: Rule, join: Join) -> Iterator[Lookup]:
    nodes = [*([rule.when] if rule.when is not None else []), *(node for _, node in rule.select)]
    for node in nodes:
        yield from (one for one in lookups(node) if one.reference == join.reference.name)


def silent_sum(rule: Rule, measure: Measure, values: Values) -> Values:
    """The sum of nothing is 0 where a rule has limits: they must see silence."""
    if not rule.joins or measure.aggregate.function is not AggregateFunction.SUM:
        return values
    if values.valid is None:
        return values
    nothing = ~values.valid & ~values.has_failed
    data = np.where(nothing, values.data.dtype.type(0), values.data)
    return Values(data, values.valid | nothing, values.failed)


def lists_keys(rule: Rule) -> bool:
    """Whether a reference says which keys the rule has, seen or not."""
    return any(join.listed is not None for join in rule.joins)


def listed_keys(rule: Rule, join: Join, known: Lookups) -> Candidates:
    """The keys that a reference lists, each with when it begins to.

    A key is listed if a window of it that ends then finds a row.
    """

    def match(fields: Sequence[pa.Array]) -> list[pa.Array]:
        length = len(fields[0])
        keys = {
            key.name: Values(field.to_numpy(zero_copy_only=False).astype(DTYPES[key.node.type]))
            for key, field in zip(rule.keys, fields, strict=True)
        }
        return [key_array(evaluate(node, keys, length), node.type) for node in join.match]

    return known.index(join.reference.table, join.reference.shape).candidates(join, match)


def changes(rule: Rule, known: Lookups, after: int, until: int) -> NDArray[np.int64]:
    """The instants in ``(after, until]`` at which rows that the rule looks up come into force."""
    parts: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    for join in rule.joins:
        index = known.index(join.reference.table, join.reference.shape)
        parts.append(index.dates_in(after, until))
    return np.unique(np.concatenate(parts))
