"""Rows of their own for the events of a batch, by NumPy instead of a statement over them.

The rows are those that ``mapping`` gives; groups and batches that don't fit (see ``inputs``;
doubles beyond 62 bits as they are summed) are left to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.kernel import wide
from tailrace.kernel.buckets import bucket_index
from tailrace.kernel.inputs import Filter, Input, fixed, worst
from tailrace.kernel.partials_sql import hash_sql
from tailrace.kernel.row_expressions import row_expression
from tailrace.kernel.types import GroupPartials
from tailrace.plan.event_columns import TIME, itemised, there
from tailrace.plan.model import PartialKind
from tailrace.plan.ordered import PLACE, Leaky, Sequence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.kernel.batch_columns import BatchColumns
    from tailrace.kernel.inputs import Mask, Taken
    from tailrace.kernel.runs import Column
    from tailrace.plan.model import Group, Partial

_LARGEST = float(1 << 62)


class EventArrays:
    """Makes the rows of one group, if it is of the kind."""

    def __init__(self, group: Group, salt: str) -> None:
        """See whether the group fits; nothing of a batch is known yet."""
        rule = group.rules[0]
        self._group, self._salt = group, salt
        self._filter = Filter(group)
        self._partials: list[tuple[Partial, Input, bool]] = []
        for partial in {p.name: p for m in rule.measures for p in m.partials}.values():
            item = itemised(rule, partial) and partial.kind is not PartialKind.BUCKETS
            made_of = replace(partial, kind=PartialKind.DISTINCT, term="sum") if item else partial
            self._partials.append((partial, Input(made_of), itemised(rule, partial)))
        inputs = (made_of.texts for _, made_of, _ in self._partials)
        self.texts = self._filter.texts.union(*inputs)
        """The text fields that are wanted by their distinct texts."""
        nodes = rule.ordered.nodes if rule.ordered is not None else ()
        self._nodes = [row_expression(node) for node in nodes]
        self.fits = (
            rule.by_event
            and not group.sides
            and self._filter.fits
            and all(taken.fits for _, taken, _ in self._partials)
            and None not in self._nodes
            and not (isinstance(rule.ordered, Leaky) and rule.ordered.distinct is not None)
        )

    def run(self, columns: BatchColumns) -> GroupPartials | None:
        """The rows of a batch; None if it doesn't fit."""
        passed = self._filter.run(columns) if len(columns) else None
        if passed is None:
            return None
        chosen = passed.chosen
        table: dict[str, pa.Array | pa.ChunkedArray] = {}
        table |= passed.keys.columns(_of(passed.keys.places, chosen))
        code = table["code"]
        panes = _of(columns.panes[self._group.width], chosen)
        ones = pa.array(np.ones(len(code), np.int64))
        table |= {"pane": pa.array(panes), "n": ones, TIME: self._own(columns, TIME, chosen)}
        own = self._own_columns(columns, chosen, len(code))
        if own is None:
            return None
        table |= own
        for partial, made_of, item in self._partials:
            taken = made_of.run(columns, chosen)
            if taken is None:
                return None
            if item:
                table[partial.name] = pa.array(self._item(columns, partial, taken, len(code)))
                table[there(partial.name)] = pa.array(_present(taken, len(code)))
                continue
            alone = _alone(partial, taken, len(code))
            if alone is None:
                return None
            table[partial.name] = alone
        return GroupPartials(pa.table(table), {}, passed.passed, passed.late)

    def _own(self, columns: BatchColumns, name: str, chosen: Mask | None) -> pa.ChunkedArray:
        column = columns.table[f"_{name}"]
        return column if chosen is None else column.filter(pa.array(chosen))

    def _own_columns(
        self, columns: BatchColumns, chosen: Mask | None, length: int
    ) -> dict[str, pa.Array] | None:
        """The place of each event, and the kind's own columns; those of keys are empty."""
        rule, found = self._group.rules[0], {}
        if rule.placed:
            found = {name: self._own(columns, name, chosen) for name, _ in PLACE}
        match rule.ordered:
            case None:
                return found
            case Leaky():
                found["item"] = pa.array(np.zeros(length, np.int64))
                found["poured"] = pa.array(np.ones(length, np.int64))
            case Sequence():
                steps = np.zeros(length, np.int64)
                for bit, node in enumerate(self._nodes):
                    fits = columns.values(node) if node is not None else None
                    if fits is None:
                        return None
                    steps |= _of(fits.is_true, chosen).astype(np.int64) << bit
                found["steps"] = pa.array(steps)
        for name, type_ in rule.ordered.of_key:
            empty = pa.nulls(length, pa.string())
            found[name] = empty if type_ is Type.TEXT else pa.array(np.zeros(length, np.int64))
        return found

    def _item(
        self, columns: BatchColumns, partial: Partial, taken: Taken, length: int
    ) -> NDArray[np.int64]:
        """The item of a sided partial of each row, 0 where it has none."""
        if partial.kind is PartialKind.BUCKETS:
            data = bucket_index(taken.data.astype(np.float64)).astype(np.int64)
        else:
            node = partial.expression
            assert node is not None  # noqa: S101 - holds by construction of sided partials
            words = columns.items(node)
            assert words is not None  # noqa: S101 - ``taken`` has places among them
            sql = hash_sql("value", node.type, self._salt)
            data = columns.hashes(node, words.values, sql)[taken.data]
        return _spread(data, taken, length, 0)


def _of(values: Column, chosen: Mask | None) -> Column:
    return values if chosen is None else values[chosen]


def _spread(data: Column, taken: Taken, length: int, blank: float) -> Column:
    """Data of some rows as a column of all."""
    if taken.rows is None:
        return data
    found = np.full(length, blank, data.dtype)
    found[taken.rows] = data
    return found


def _present(taken: Taken, length: int) -> NDArray[np.int64]:
    """1 for the rows that have a value, else 0."""
    return np.ones(length, np.int64) if taken.rows is None else taken.rows.astype(np.int64)


def _alone(partial: Partial, taken: Taken, length: int) -> pa.Array | None:
    """What each event adds to a plain partial; None if it doesn't fit."""
    match partial.kind:
        case PartialKind.COUNT:
            return pa.array(_present(taken, length))
        case PartialKind.SUM:
            data = taken.data
            if data.dtype == np.float64:
                data = fixed(data)
                if np.abs(data).max(initial=0) >= _LARGEST:
                    return None
            return wide.to_arrow(_spread(data.astype(np.int64), taken, length, 0))
        case _:
            blank = worst(taken.data, least=partial.kind is PartialKind.LEAST)
            return pa.array(_spread(taken.data, taken, length, blank))
