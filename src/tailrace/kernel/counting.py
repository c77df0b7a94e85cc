"""Partials of the commonest groups by counting in NumPy, without a statement over the rows.

Each (key, pane) of a batch is a cell with a number, and what is counted are numbers. The rows are
those that ``partials_sql`` gives; groups and batches that don't fit (see ``inputs``; sums beyond 53
bits) are left to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.kernel import wide
from tailrace.kernel.buckets import bucket_index
from tailrace.kernel.inputs import Filter, Input, fixed, worst
from tailrace.kernel.partials_sql import hash_sql
from tailrace.kernel.types import GroupPartials
from tailrace.kernel.words import numbered
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.kernel.batch_columns import BatchColumns
    from tailrace.kernel.inputs import Mask, Taken
    from tailrace.kernel.row_keys import RowKeys
    from tailrace.plan.model import Group, Partial

    Whole = NDArray[np.int64]

CELLS = 1 << 22
"""Up to so many numbers are counted in a table of all of them; else those that occur are sorted."""

MOST = 1 << 62
"""Cells have numbers below this."""

EXACT = float(1 << 53)
"""Doubles add up exactly while the sum of their magnitudes stays below this."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cell of each chosen event, as a number below ``width`` times the panes.

    ``known``: what the numbers stand for, if there are too many cells to number them all.
    """

    numbers: Whole
    known: Whole | None
    keys: RowKeys
    first: int

    @classmethod
    def of(cls, keys: RowKeys, panes: Whole, chosen: Mask | None) -> _Cells | None:
        """``panes``: each event's pane; None for so many keys and far panes that 64 bits end."""
        first = int(panes.min())
        possible = (int(panes.max()) - first + 1) * (len(keys) + 1)
        if possible > MOST:
            return None
        cells = (panes - first) * len(keys) + keys.places
        if chosen is not None:
            cells = cells[chosen]
        if possible <= CELLS:
            return cls(cells, None, keys, first)
        known, numbers = numbered(cells)
        return cls(numbers, known, keys, first)

    def columns(self, cells: Whole) -> dict[str, pa.Array]:
        """The keys, and the panes, of some cells."""
        named = cells if self.known is None else self.known[cells]
        width = max(1, len(self.keys))
        found = self.keys.columns(named % width)
        return found | {"pane": pa.array(named // width + self.first)}


class Counter:
    """Counts one group, if it is of the kind."""

    def __init__(self, group: Group, salt: str) -> None:
        """See whether the group fits; nothing of a batch is known yet."""
        self._group, self._salt = group, salt
        self._filter = Filter(group)
        self._inputs = {p.name: Input(p) for p in (*group.plain, *group.sides)}
        self.fits = (
            self._filter.fits
            and not group.rules[0].by_event
            and all(one.fits for one in self._inputs.values())
        )
        self.texts = self._filter.texts.union(*(one.texts for one in self._inputs.values()))
        """The text fields that are wanted by their distinct texts."""

    def run(self, columns: BatchColumns) -> GroupPartials | None:
        """The partials of a batch; None if it doesn't fit."""
        passed = self._filter.run(columns) if len(columns) else None
        if passed is None:
            return None
        cells = _Cells.of(passed.keys, columns.panes[self._group.width], passed.chosen)
        if cells is None:
            return None
        counts = np.bincount(cells.numbers, minlength=1)
        there = np.flatnonzero(counts)
        table = cells.columns(there)
        table["n"] = pa.array(counts[there])
        sides: dict[str, pa.Table] = {}
        for partial in (*self._group.plain, *self._group.sides):
            taken = self._inputs[partial.name].run(columns, passed.chosen)
            if taken is None:
                return None
            rows = cells.numbers if taken.rows is None else cells.numbers[taken.rows]
            if partial.kind.sided:
                cell, item, n = self._side(columns, partial, taken, rows)
                named = cells.columns(cell)
                sided = {"code": named["code"], "pane": named["pane"]}
                sides[partial.name] = pa.table(sided | {"item": pa.array(item), "n": pa.array(n)})
                continue
            column = _merged(partial, taken, rows, there)
            if column is None:
                return None
            table[partial.name] = column
        return GroupPartials(pa.table(table), sides, passed.passed, passed.late)

    def _side(
        self, columns: BatchColumns, partial: Partial, taken: Taken, cells: Whole
    ) -> tuple[Whole, Whole, Whole]:
        """Cell, item and count of each distinct (cell, item)."""
        node = partial.expression
        assert node is not None  # noqa: S101 - holds by construction of sided partials
        if partial.kind is PartialKind.BUCKETS:
            buckets = bucket_index(taken.data.astype(np.float64)).astype(np.int64)
            items, places = np.unique(buckets, return_inverse=True)
            cell, place, n = _pairs(cells, places, len(items))
            return cell, items[place], n
        words = columns.items(node)
        assert words is not None  # noqa: S101 - ``taken`` has places among them
        sql = hash_sql("value", node.type, self._salt)
        cell, place, n = _pairs(cells, taken.data, len(words.values))
        return cell, columns.hashes(node, words.values, sql)[place], np.ones_like(n)


def _merged(partial: Partial, taken: Taken, cells: Whole, there: Whole) -> pa.Array | None:
    """A plain partial of the cells that are ``there``; None if it doesn't fit."""
    length = int(there[-1]) + 1 if len(there) else 1
    data = taken.data
    match partial.kind:
        case PartialKind.COUNT:
            return pa.array(np.bincount(cells, minlength=length)[there])
        case PartialKind.SUM:
            values = fixed(data)
            if float(np.abs(values).sum()) >= EXACT:
                return None
            sums = np.bincount(cells, weights=values, minlength=length)
            return wide.to_arrow(sums[there].astype(np.int64))
        case _:
            least = partial.kind is PartialKind.LEAST
            merged = np.full(length, worst(data, least=least), data.dtype)
            (np.minimum if least else np.maximum).at(merged, cells, data)
            return pa.array(merged[there])


def _pairs(cells: Whole, items: Whole, width: int) -> tuple[Whole, Whole, Whole]:
    """The distinct pairs of a cell and one of ``width`` items, and how often each occurs."""
    pairs = cells * max(1, width) + items
    if (int(cells.max(initial=0)) + 1) * width <= CELLS:
        counts = np.bincount(pairs, minlength=1)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(pairs, return_counts=True)
    return found // max(1, width), found % max(1, width), counts
