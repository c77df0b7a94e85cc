"""Partials of the commonest groups by counting in NumPy, without a statement.

A group fits whose key is one text field, whose filter is about numbers, and which counts events or
sums one column of doubles. The rows are those that ``partials_sql`` gives; a batch that doesn't fit
(nulls, late events, too many keys and panes, sums beyond 53 bits) is left to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.expr.evaluate import evaluate
from tailrace.expr.nodes import Column, Type
from tailrace.expr.values import Values
from tailrace.kernel import wide
from tailrace.kernel.types import GroupPartials
from tailrace.plan.columns import column_names
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tailrace.plan.model import Group, Partial

CELLS = 1 << 22
"""The most (key, pane) cells that are counted into."""

EXACT = float(1 << 53)
"""Doubles add up exactly while the sum of their magnitudes stays below this."""

_FIXED_POINT = 1e9


class BatchColumns:
    """The columns of one batch, encoded and converted once for all groups that use them."""

    def __init__(self, table: pa.Table) -> None:
        """Convert nothing yet."""
        self._table = table
        self._keys: dict[str, tuple[pa.Array, NDArray[np.int64]] | None] = {}
        self._numbers: dict[str, Values | None] = {}

    def keys(self, name: str) -> tuple[pa.Array, NDArray[np.int64]] | None:
        """The distinct texts of a column and each row's place among them; None if one is null."""
        if name not in self._keys:
            column = self._table[name]
            if column.null_count:
                self._keys[name] = None
            else:
                whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
                encoded = pc.dictionary_encode(whole)
                self._keys[name] = encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)
        return self._keys[name]

    def number(self, name: str) -> Values | None:
        """A numeric column without nulls; None if it isn't that."""
        if name not in self._numbers:
            column = self._table[name]
            fits = pa.types.is_int64(column.type) or pa.types.is_float64(column.type)
            self._numbers[name] = (
                Values(column.to_numpy(), None, None) if fits and not column.null_count else None
            )
        return self._numbers[name]


class Counter:
    """Counts one group, if it is of the kind."""

    def __init__(self, group: Group) -> None:
        """See whether the group fits; nothing of a batch is known yet."""
        self._group = group
        self._summed = _summed(group.plain)
        self.fits = (
            len(group.keys) == 1
            and isinstance(group.keys[0].node, Column)
            and group.keys[0].node.type is Type.TEXT
            and not group.sides
            and (not group.plain or self._summed is not None)
        )

    def run(self, columns: BatchColumns, panes: NDArray[np.int64]) -> GroupPartials | None:
        """The partials of a batch without late events and duplicates; None if it doesn't fit."""
        node = self._group.keys[0].node
        assert isinstance(node, Column)  # noqa: S101 - ``fits`` says so
        keys = columns.keys(node.name)
        inputs = self._inputs(columns)
        if keys is None or inputs is None or not len(panes):
            return None
        words, places = keys
        first, span = int(panes.min()), int(panes.max()) - int(panes.min()) + 1
        if span * len(words) > CELLS:
            return None
        cells = (panes - first) * len(words) + places
        chosen = self._chosen(inputs, len(panes))
        if chosen is not None:
            cells = cells[chosen]
        counts = np.bincount(cells, minlength=1)
        there = np.flatnonzero(counts)
        sums = self._sums(inputs, chosen, cells, there)
        if sums is None:
            return None
        code = words.take(pa.array(there % len(words)))
        n = pa.array(counts[there])
        table = {"code": code, "k0": code, "pane": pa.array(there // len(words) + first), "n": n}
        for partial in self._group.plain:
            table[partial.name] = n if partial.kind is PartialKind.COUNT else wide.to_arrow(sums)
        return GroupPartials(pa.table(table), {}, len(cells), 0)

    def _inputs(self, columns: BatchColumns) -> dict[str, Values] | None:
        names = column_names(self._group.where) if self._group.where is not None else set()
        if self._summed is not None:
            names = names | {self._summed}
        found = {name: columns.number(name) for name in names}
        return None if None in found.values() else {n: v for n, v in found.items() if v is not None}

    def _chosen(self, inputs: Mapping[str, Values], length: int) -> NDArray[np.bool_] | None:
        if self._group.where is None:
            return None
        judged = evaluate(self._group.where, inputs, length)
        passed = judged.data.astype(np.bool_)
        return passed if judged.valid is None else passed & judged.valid

    def _sums(
        self,
        inputs: Mapping[str, Values],
        chosen: NDArray[np.bool_] | None,
        cells: NDArray[np.int64],
        there: NDArray[np.int64],
    ) -> NDArray[np.int64] | None:
        if self._summed is None:
            return np.empty(0, np.int64)
        fixed = np.rint(inputs[self._summed].data * _FIXED_POINT)
        if chosen is not None:
            fixed = fixed[chosen]
        if float(np.abs(fixed).sum()) >= EXACT:
            return None
        return np.bincount(cells, weights=fixed, minlength=1)[there].astype(np.int64)


def _summed(partials: tuple[Partial, ...]) -> str | None:
    """The one column of doubles of which these partials are the sum and the count; else None."""
    names: set[str] = set()
    for partial in partials:
        node = partial.expression
        plain = partial.where is None and partial.term == "sum" and isinstance(node, Column)
        if not plain or partial.kind not in {PartialKind.SUM, PartialKind.COUNT}:
            return None
        assert isinstance(node, Column)  # noqa: S101 - just looked
        if node.type is not Type.DOUBLE:
            return None
        names.add(node.name)
    return names.pop() if len(names) == 1 else None
