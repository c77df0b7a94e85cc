"""The statement that turns a batch of events into rows of their own, for rules that need order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.expr.sql import to_sql
from tailrace.kernel.buckets import bucket_index
from tailrace.kernel.partials_sql import GroupSql, alone, filtered, hash_sql, quote
from tailrace.plan.event_columns import TIME, itemised, there
from tailrace.plan.model import PartialKind
from tailrace.plan.ordered import PLACE, Leaky, Sequence

if TYPE_CHECKING:
    import duckdb

    from tailrace.plan.model import Group, Partial
    from tailrace.plan.ordered import Ordered


class EventSql(GroupSql):
    """Gives partials in which each accepted event is a row, with ``n`` 1."""

    def _columns(self, group: Group) -> list[str]:
        rule, ordered = group.rules[0], group.ordered
        columns = [f"_time as {TIME}"]
        if rule.placed:
            columns += [f"_{name} as {name}" for name, _ in PLACE]
        if ordered is not None:
            columns += [f"{sql} as {quote(name)}" for name, sql in self._own(ordered).items()]
        partials = {p.name: p for m in rule.measures for p in m.partials}.values()
        items = [partial for partial in partials if itemised(rule, partial)]
        for partial in partials:
            if partial in items:
                columns += self._item(partial)
            elif not partial.kind.sided:
                columns.append(f"{alone(partial)} as {quote(partial.name)}")
        self._buckets = [p.name for p in items if p.kind is PartialKind.BUCKETS]
        self._hashes = [p.name for p in items if p.kind is not PartialKind.BUCKETS]
        self._hashes += ["item"] if isinstance(ordered, Leaky) else []
        return columns

    def _own(self, ordered: Ordered) -> dict[str, str]:
        """SQL for the kind's own columns; those of keys are empty."""
        found: dict[str, str] = {}
        match ordered:
            case Leaky(distinct=None):
                found = {"item": "0::ubigint", "poured": "1::bigint"}
            case Leaky(distinct=node) if node is not None:
                value = f"({to_sql(node)})"
                found["item"] = f"coalesce({hash_sql(value, node.type, self._salt)}, 0::ubigint)"
                found["poured"] = f"({value} is not null)::bigint"
            case Sequence():
                bits = [
                    f"(coalesce({to_sql(node)}, false)::bigint << {bit})"
                    for bit, node in enumerate(ordered.nodes)
                ]
                found["steps"] = " | ".join(bits)
        empty = {Type.TEXT: "null::varchar"}
        return found | {name: empty.get(type_, "0::bigint") for name, type_ in ordered.of_key}

    def _item(self, partial: Partial) -> list[str]:
        """SQL for the item of a sided partial, and for whether there is one."""
        assert partial.expression is not None  # noqa: S101 - holds by construction of sided partials
        value = filtered(to_sql(partial.expression), partial)
        if partial.kind is not PartialKind.BUCKETS:
            assert partial.type is not None  # noqa: S101 - as above
            item = f"coalesce({hash_sql(f'({value})', partial.type, self._salt)}, 0::ubigint)"
        else:
            item = f"coalesce(({value})::double, 0)"
        return [
            f"{item} as {quote(partial.name)}",
            f"(({value}) is not null)::bigint as {quote(there(partial.name))}",
        ]

    def _rows(self, connection: duckdb.DuckDBPyConnection, head: str, kept: str) -> pa.Table:
        names = [f"k{index}" for index in range(len(self._keys))]
        columns = ", ".join([f"{self._pane} as pane", "1::bigint as n", *self._plain])
        inner = f"select {head}{columns} from events{kept}"
        query = f"select {self._code(names)} as code, * from ({inner})"
        table = connection.sql(query).to_arrow_table()
        for name in (*self._hashes, *self._buckets):
            values = table[name].to_numpy()
            items = values.view(np.int64) if name in self._hashes else bucket_index(values)
            place = table.column_names.index(name)
            table = table.set_column(place, name, pa.array(items.astype(np.int64)))
        return table
