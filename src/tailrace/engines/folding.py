"""From the kernel's firings (arrays, dense keys) to those of the fold (typed keys and values)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.alerts.incidents import Firings
from tailrace.alerts.states import IncidentState
from tailrace.expr.nodes import Type
from tailrace.plan.identity import Time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Rule


def folds_of(states: Iterable[str]) -> list[IncidentState]:
    """Stored states as values."""
    return [IncidentState.from_json(text) for text in states]


def fold_firings(firings: RuleFirings, keys: DenseKeys, rule: Rule) -> Firings:
    """The firings of one rule in the form that the fold takes."""
    columns = {name: firings.values.column(name) for name in firings.values.column_names}
    times = {name for name, type_ in value_types(rule).items() if type_ is Type.TIME}

    def measures(row: int) -> dict[str, Scalar]:
        values = {name: column[row].as_py() for name, column in columns.items()}
        return {n: Time(v) if n in times and v is not None else v for n, v in values.items()}

    return Firings(
        ends=firings.ends,
        keys=firings.keys,
        key_values=keys.values,
        measures=measures,
        flags=firings.flags.astype(np.int64),
        lasts=firings.lasts,
        open=firings.open,
    )


def value_types(rule: Rule) -> dict[str, Type]:
    """The type of each value of the rule's output rows."""
    types = {name: node.type for name, node in rule.select}
    if rule.ordered is not None:
        types |= dict(rule.ordered.measures)
    return types | {m.name: m.aggregate.type for m in rule.measures if m.name in rule.shown}
