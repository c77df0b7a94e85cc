"""What the events of a batch look up in references, as columns beside their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.lookups import lookups
from tailrace.expr.nodes import Column
from tailrace.expr.sql import to_sql
from tailrace.plan.references import aggregated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb
    from numpy.typing import NDArray

    from tailrace.expr.nodes import Node
    from tailrace.kernel.lookups import Lookups
    from tailrace.plan.model import Plan
    from tailrace.plan.references import Reference

PREFIX = "_lookup "
"""Begins the names of the columns."""


class RowLookups:
    """Adds columns to the events of one batch after the other; used by one thread at a time."""

    def __init__(self, plan: Plan, known: Lookups, connection: duckdb.DuckDBPyConnection) -> None:
        """``known``: the versions in force, which others may change between batches."""
        self._references = {one.name: one for one in plan.references}
        self._known = known
        self._connection = connection
        self._times: NDArray[np.int64] = np.empty(0, np.int64)
        self._rows: dict[str, NDArray[np.int64]] = {}
        self._later = tuple(_row_nodes(plan)) if plan.references else ()

    def begin(self, times: NDArray[np.int64]) -> None:
        """Another batch: the times of its events."""
        self._times = times
        self._rows.clear()

    def for_rules(self, events: pa.Table) -> pa.Table:
        """The events with what any rule looks up."""
        return self.add(events, self._later)

    def add(self, events: pa.Table, nodes: Iterable[Node]) -> pa.Table:
        """The events with what these expressions look up."""
        if not self._references or not len(self._times):
            return events
        for node in nodes:
            for lookup in lookups(node):
                reference = self._references.get(lookup.reference)
                if reference is None or lookup.name in events.column_names:
                    continue
                index = self._known.index(reference.table, reference.shape)
                if reference.name not in self._rows:
                    keys = self._keys(events, reference)
                    self._rows[reference.name] = index.find(keys, self._times)
                column = index.column(lookup, self._rows[reference.name])
                events = events.append_column(lookup.name, column)
        return events

    def _keys(self, events: pa.Table, reference: Reference) -> list[pa.Array]:
        """What each column of the key is compared with, times as microseconds."""
        match = reference.match
        assert match is not None, reference.name  # noqa: S101 - a plan without problems
        found: list[pa.Array] = []
        for node in match:
            if isinstance(node, Column):
                column = events[node.name].combine_chunks()
            else:
                self._connection.register("plain", events)
                query = f"select {to_sql(node)} as value from plain"
                column = self._connection.sql(query).to_arrow_table()["value"].combine_chunks()
                self._connection.unregister("plain")
            if pa.types.is_timestamp(column.type):
                column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
            found.append(column)
        return found


def _row_nodes(plan: Plan) -> Iterator[Node]:
    """All expressions over events of the rules."""
    for rule in plan.rules:
        yield from (key.node for key in rule.keys)
        inside = aggregated(rule.measures)
        yield from (node for node in (rule.where, *inside) if node is not None)
    for event_rule in plan.event_rules:
        yield from (node for node in (event_rule.where, event_rule.when) if node is not None)
