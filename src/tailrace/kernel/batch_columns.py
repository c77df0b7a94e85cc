"""The columns of one batch, encoded and converted once for all groups that use them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.expr.evaluate import evaluate
from tailrace.expr.nodes import Column, Type
from tailrace.expr.sql import failure_sql, to_sql
from tailrace.expr.values import Values
from tailrace.kernel.row_expressions import RowExpression, row_expression
from tailrace.kernel.row_keys import RowKeys
from tailrace.kernel.words import Words, varied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    from numpy.typing import NDArray

    from tailrace.expr.nodes import Node
    from tailrace.kernel.row_expressions import Part

_KINDS = (pa.types.is_int64, pa.types.is_float64, pa.types.is_boolean)

NOTHING: Mapping[str, Sequence[pa.DictionaryArray]] = MappingProxyType({})

_NEAR = 1 << 20
"""Integers that lie within so many are told apart by a table of all of them."""


class BatchColumns:
    """The columns of a batch as groups ask for them; what was asked for once is kept."""

    def __init__(
        self,
        table: pa.Table,
        connection: duckdb.DuckDBPyConnection,
        panes: Mapping[int, NDArray[np.int64]],
        late: Mapping[int, NDArray[np.bool_]],
        duplicate: NDArray[np.bool_] | None,
        encoded: Mapping[str, Sequence[pa.DictionaryArray]] = NOTHING,
    ) -> None:
        """Convert nothing yet.

        ``connection`` runs the statements over distinct texts. ``panes``: each event's, by their
        width; ``late``: which events are, by that, too, nothing if none is; ``duplicate``: which
        events are, None if none is. ``encoded``: columns that are encoded already, in parts.
        """
        self.table = table
        self.panes, self.late, self.duplicate = panes, late, duplicate
        self._connection = connection
        self._encoded = encoded
        self._words: dict[str, Words] = {}
        self._keys: dict[tuple[Node, ...], RowKeys | None] = {}
        self._numbers: dict[str, Values | None] = {}
        self._parts: dict[Part, Values] = {}
        self._items: dict[Node, Words | None] = {}
        self._hashes: dict[tuple[str, Node], NDArray[np.int64]] = {}

    def __len__(self) -> int:
        """The number of events."""
        length: int = self.table.num_rows
        return length

    def words(self, name: str) -> Words:
        """A text column by its distinct texts."""
        if name not in self._words:
            parts = self._encoded.get(name)
            self._words[name] = Words.joined(parts) if parts else Words.of(self.table[name])
        return self._words[name]

    def keys(self, nodes: tuple[Node, ...]) -> RowKeys | None:
        """The events' keys of these fields; None if one isn't of texts or integers."""
        if nodes not in self._keys:
            fields = [found for node in nodes if (found := self.items(node)) is not None]
            fit = len(fields) == len(nodes)
            self._keys[nodes] = RowKeys.of(fields, len(self)) if fit else None
        return self._keys[nodes]

    def number(self, name: str) -> Values | None:
        """A column of integers, doubles or booleans; None if it isn't that."""
        if name not in self._numbers:
            column = self.table[name]
            found = None
            if any(fits(column.type) for fits in _KINDS):
                valid = None
                if column.null_count:
                    valid = pc.is_valid(column).to_numpy()
                    column = pc.fill_null(column, pa.scalar(0).cast(column.type))
                found = Values(column.to_numpy(), valid)
            self._numbers[name] = found
        return self._numbers[name]

    def values(self, expression: RowExpression) -> Values | None:
        """An expression on each event; None if a column isn't what it takes."""
        known: dict[str, Values] = {}
        for name in expression.numbers:
            number = self.number(name)
            if number is None:
                return None
            known[name] = number
        if any(self._varied(part.column) for _, part in expression.parts):
            return None
        for name, part in expression.parts:
            known[name] = self._of_rows(part)
        return evaluate(expression.node, known, len(self))

    def items(self, node: Node) -> Words | None:
        """What a set of distinct values is made of; None if it isn't texts, integers, booleans.

        The values of booleans are integers.
        """
        if node not in self._items:
            self._items[node] = self._items_of(node)
        return self._items[node]

    def hashes(self, node: Node, values: pa.Array, sql: str) -> NDArray[np.int64]:
        """What ``sql`` makes of the column ``value`` with the ``values`` of an expression."""
        if (sql, node) not in self._hashes:
            if node.type is Type.BOOLEAN:
                values = values.cast(pa.bool_())
            self._connection.register("distinct_values", pa.table({"value": values}))
            query = f"select {sql} as hash from distinct_values"
            found = self._connection.sql(query).to_arrow_table()["hash"].to_numpy()
            self._connection.unregister("distinct_values")
            self._hashes[sql, node] = found.view(np.int64)
        return self._hashes[sql, node]

    def _items_of(self, node: Node) -> Words | None:
        if node.type is Type.TEXT:
            return self.words(node.name) if isinstance(node, Column) else None
        expression = row_expression(node) if node.type is not Type.DOUBLE else None
        found = self.values(expression) if expression is not None else None
        if found is None:
            return None
        data = found.data.astype(np.int64)
        if found.valid is None:
            distinct, places = _told_apart(data)
            return Words(pa.array(distinct), places, nulls=False)
        distinct, inner = _told_apart(data[found.valid])
        places = np.full(len(data), len(distinct), np.int64)
        places[found.valid] = inner
        return Words(pa.array(distinct), places, nulls=True)

    def _varied(self, name: str) -> bool:
        known = name in self._words or name in self._encoded
        return not known and varied(self.table[name])

    def _of_rows(self, part: Part) -> Values:
        """A part on each event."""
        words = self.words(part.column)
        if part not in self._parts:
            self._parts[part] = self._of_texts(part, words.values)
        found, places = self._parts[part], words.places
        return Values(
            found.data[places],
            None if found.valid is None else found.valid[places],
            None if found.failed is None else found.failed[places],
        )

    def _of_texts(self, part: Part, texts: pa.Array) -> Values:
        """A part for each distinct text, and null behind them."""
        column = pa.concat_arrays([texts.cast(pa.string()), pa.nulls(1, pa.string())])
        failure = failure_sql(part.node)
        wanted = f"{to_sql(part.node)} as value, {failure or 'false'} as failed"
        self._connection.register("distinct_texts", pa.table({part.column: column}))
        found = self._connection.sql(f"select {wanted} from distinct_texts").to_arrow_table()
        self._connection.unregister("distinct_texts")
        value = found["value"]
        valid = pc.is_valid(value).to_numpy() if value.null_count else None
        if valid is not None:
            value = pc.fill_null(value, pa.scalar(0).cast(value.type))
        return Values(value.to_numpy(), valid, found["failed"].to_numpy() if failure else None)


def _told_apart(data: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct ones of some integers, ascending, and the place of each among them."""
    if not len(data):
        return data, data
    least, greatest = int(data.min()), int(data.max())
    if greatest - least >= _NEAR:
        distinct, places = np.unique(data, return_inverse=True)
        return distinct, places
    present = np.zeros(greatest - least + 1, np.bool_)
    present[data - least] = True
    return np.flatnonzero(present) + least, (np.cumsum(present) - 1)[data - least]


def spelled_out(table: pa.Table) -> pa.Table:
    """A table with each dictionary's texts in place of it."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, plain)
    return table
