"""What a group takes of a batch: which of its events, and of these what each partial is made of.

Both by NumPy, for groups whose key is one text field and whose expressions are ``row_expressions``;
what has become of a batch then is the business of ``counting`` and of ``ordered.arrays``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.expr.nodes import Column, Type
from tailrace.kernel.partials_sql import FIXED_POINT, LARGEST, worst_integer
from tailrace.kernel.row_expressions import RowExpression, row_expression
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.expr.nodes import Node
    from tailrace.kernel.batch_columns import BatchColumns
    from tailrace.kernel.row_keys import RowKeys
    from tailrace.kernel.runs import Column as Data
    from tailrace.plan.model import Group, Partial

    Mask = NDArray[np.bool_]


class Passed(NamedTuple):
    """Which events of a batch a group takes.

    ``keys``: those of all. ``chosen``: whether each is accepted; None: all. ``passed``: how many
    pass the filter, of which ``late`` are late.
    """

    keys: RowKeys
    chosen: Mask | None
    passed: int
    late: int


class Filter:
    """Chooses the events of a group."""

    def __init__(self, group: Group) -> None:
        """See whether the group fits: its keys are text fields, or integers that NumPy computes."""
        self.keys = tuple(key.node for key in group.keys)
        self._width = group.width
        self._where = row_expression(group.where) if group.where is not None else None
        known = (group.where is None) == (self._where is None)
        self.fits = known and all(map(_is_key, self.keys))
        self.texts = _texts(*self.keys, *([] if self._where is None else [self._where]))
        """The text fields that are wanted by their distinct texts."""

    def run(self, columns: BatchColumns) -> Passed | None:
        """Judge a batch; None if it doesn't fit."""
        masks: list[Mask] = []
        keys = columns.keys(self.keys)
        if keys is None:
            return None
        if self._where is not None:
            where = columns.values(self._where)
            if where is None:
                return None
            masks.append(where.is_true)
        if keys.nulls:
            masks.append(keys.places < len(keys))
        if columns.duplicate is not None:
            masks.append(~columns.duplicate)
        chosen = np.logical_and.reduce(masks) if masks else None
        passed = len(columns) if chosen is None else int(np.count_nonzero(chosen))
        late = columns.late.get(self._width)
        if late is None:
            return Passed(keys, None if passed == len(columns) else chosen, passed, 0)
        accepted = ~late if chosen is None else chosen & ~late
        return Passed(keys, accepted, passed, passed - int(np.count_nonzero(accepted)))


class Taken(NamedTuple):
    """What goes into a partial: of the chosen events those at ``rows`` (None: all), and their data.

    ``data``: values; of a set of distinct ones their places among ``BatchColumns.items``; nothing
    where events are only counted.
    """

    rows: Mask | None
    data: Data


class Input:
    """The values that one partial is made of."""

    def __init__(self, partial: Partial) -> None:
        """See whether they can be had without a statement over the rows."""
        node = partial.expression
        self._node = node
        self._where = row_expression(partial.where) if partial.where is not None else None
        self._value = row_expression(node) if node is not None else None
        self._set = partial.kind is PartialKind.DISTINCT
        # No double that is too large is summed.
        summed = partial.kind in {PartialKind.SUM, PartialKind.COUNT} and partial.term == "sum"
        self._guarded = summed and not partial.bounded
        text = isinstance(node, Column) and node.type is Type.TEXT
        self._places = self._set or (partial.kind is PartialKind.COUNT and text)
        known = node is None or self._value is not None or (text and self._places)
        asked = (node if text and self._places else None, self._where, self._value)
        self.texts = _texts(*(each for each in asked if each is not None))
        """As those of a filter."""
        self.fits = (
            known
            and (partial.where is None) == (self._where is None)
            and partial.term in {"sum", "present"}
            and not (self._set and partial.type is Type.DOUBLE)
        )

    def run(self, columns: BatchColumns, chosen: Mask | None) -> Taken | None:
        """The values of the chosen events of a batch; None if it doesn't fit."""
        masks: list[Mask] = []
        if self._where is not None:
            where = columns.values(self._where)
            if where is None:
                return None
            masks.append(where.is_true)
        data: Data | None = None
        if self._places and self._node is not None:
            words = columns.items(self._node)
            if words is None:
                return None
            data = words.places
            masks += [data < len(words.values)] if words.nulls else []
        elif self._value is not None:
            found = columns.values(self._value)
            if found is None:
                return None
            data = found.data
            masks += [] if found.valid is None else [found.valid]
            masks += [np.abs(data) <= LARGEST] if self._guarded and _is_double(data) else []
        rows = np.logical_and.reduce(masks) if masks else None
        if chosen is not None:
            rows = None if rows is None else rows[chosen]
            data = None if data is None else data[chosen]
        if data is None:
            return Taken(rows, np.empty(0, np.int64))
        return Taken(rows, data if rows is None else data[rows])


def _is_key(node: Node) -> bool:
    """Whether a key's distinct values can be had without a statement over the rows."""
    if node.type is Type.TEXT:
        return isinstance(node, Column)
    return node.type is Type.INTEGER and row_expression(node) is not None


def _texts(*asked: Node | RowExpression) -> frozenset[str]:
    """The text fields that are looked at by their distinct texts."""
    found: set[str] = set()
    for each in asked:
        if isinstance(each, RowExpression):
            found |= {part.column for _, part in each.parts}
        elif isinstance(each, Column) and each.type is Type.TEXT:
            found.add(each.name)
    return frozenset(found)


def fixed(data: Data) -> NDArray[np.float64]:
    """Numbers as they are summed, doubles as whole numbers of 1e-9; exact up to 53 bits."""
    if _is_double(data):
        return np.rint(data * float(FIXED_POINT))
    found: NDArray[np.float64] = data.astype(np.float64)
    return found


def worst(data: Data, *, least: bool) -> float | int:
    """What loses every comparison for the least, or the greatest, value."""
    if _is_double(data):
        return np.inf if least else -np.inf
    return worst_integer(least=least)


def _is_double(data: Data) -> bool:
    return data.dtype == np.float64
