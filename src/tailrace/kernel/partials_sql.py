"""The statements that turn a batch of events into one group's partials.

The batch is the view ``events``: the plan's columns, ``_time``, ``_pane_W`` and, when there is
reason, ``_late_W`` and ``_duplicate``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.expr.sql import failure_sql, to_sql
from tailrace.expr.sqltext import INT64_MAX, INT64_MIN
from tailrace.kernel.buckets import bucket_index
from tailrace.kernel.types import GroupPartials
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from tailrace.plan.model import Group, Partial

FIXED_POINT = 10**9
"""Doubles are summed as integers of this many to one (SEMANTICS 15)."""

LARGEST = 1e18
"""Doubles beyond this magnitude are not summed."""

LARGEST_DEVIATION = 1e15
"""Numbers beyond this magnitude have no part in a standard deviation."""

_TAGS = {Type.TEXT: "t", Type.INTEGER: "i", Type.BOOLEAN: "b", Type.TIME: "m", Type.DOUBLE: "d"}


def quote(name: str) -> str:
    """An SQL identifier, whatever the name holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


class GroupSql:
    """Prepared statements of one group."""

    def __init__(self, group: Group, salt: str) -> None:
        """Write the statements that don't depend on the batch."""
        self.group = group
        self._salt = salt
        self._keys = [_key(to_sql(key.node), key.node.type) for key in group.keys]
        self._pane = f"_pane_{group.width}"
        self._late = f"_late_{group.width}"
        passes = [f"coalesce({to_sql(group.where)}, false)"] if group.where else []
        self._passes = [*passes, *(f"({key}) is not null" for key in self._keys)]
        self._plain = self._columns(group)
        self._failures = {
            rule.identity: _rule_failures(group, rule.measures) for rule in group.rules
        }

    def _columns(self, group: Group) -> list[str]:
        """SQL for each plain column."""
        return [f"{_accumulate(p)} as {quote(p.name)}" for p in group.plain]

    def _where(self, *extra: str, deduplicated: bool) -> str:
        parts = [*(["not _duplicate"] if deduplicated else []), *self._passes, *extra]
        return f" where {' and '.join(parts)}" if parts else ""

    def run(
        self, connection: duckdb.DuckDBPyConnection, *, late: bool, deduplicated: bool
    ) -> GroupPartials:
        """Compute the partials of the batch in view ``events``."""
        kept = self._where(*([f"not {self._late}"] if late else []), deduplicated=deduplicated)
        names = [f"k{index}" for index in range(len(self._keys))]
        keys = ", ".join(f"{key} as {name}" for key, name in zip(self._keys, names, strict=True))
        head = f"{keys}, " if keys else ""
        by = ", ".join([*names, "pane"])
        plain = self._rows(connection, head, kept)
        sides = {p.name: self._side(connection, p, names, head, by, kept) for p in self.group.sides}
        accepted = int(np.sum(plain["n"].to_numpy())) if plain.num_rows else 0
        dropped = 0
        if late:
            late_rows = self._where(self._late, deduplicated=deduplicated)
            row = connection.sql(f"select count(*) from events{late_rows}").fetchall()
            dropped = int(row[0][0])
        return GroupPartials(plain, sides, accepted + dropped, dropped)

    def _rows(self, connection: duckdb.DuckDBPyConnection, head: str, kept: str) -> pa.Table:
        """The plain partials; ``head`` are the keys' columns, ``kept`` says which events count."""
        names = [f"k{index}" for index in range(len(self._keys))]
        columns = ", ".join([f"{self._pane} as pane", "count(*)::bigint as n", *self._plain])
        by = ", ".join([*names, "pane"])
        inner = f"select {head}{columns} from events{kept} group by {by}"
        query = f"select {self._code(names)} as code, * from ({inner})"
        return connection.sql(query).to_arrow_table()

    def errors(
        self, connection: duckdb.DuckDBPyConnection, *, late: bool, deduplicated: bool
    ) -> dict[str, int]:
        """For each rule the number of events on which an operation of its own failed."""
        columns = self._failing(late=late)
        if not columns:
            return {}
        fresh = " where not _duplicate" if deduplicated else ""
        row = connection.sql(f"select {', '.join(columns)} from events{fresh}").fetchall()[0]
        return {rule.identity: int(n) for rule, n in zip(self.group.rules, row, strict=True)}

    def errors_by_pane(
        self, connection: duckdb.DuckDBPyConnection, *, late: bool
    ) -> dict[str, list[tuple[int, int, int]]]:
        """For each rule and pane with failures: pane, failures, those that late events have too."""
        columns = self._failing(late=late)
        if not columns:
            return {}
        before = self._failing_before()
        always = f"count(*) filter (where {' or '.join(before) or 'false'})"
        query = f"select {self._pane}, {always}, {', '.join(columns)} from events group by all"
        rows = connection.sql(f"select * from ({query}) order by 1").fetchall()
        found: dict[str, list[tuple[int, int, int]]] = {}
        for pane, late_too, *counts in rows:
            for rule, count in zip(self.group.rules, counts, strict=True):
                if count:
                    found.setdefault(rule.identity, []).append((pane, count, late_too))
        return found

    def _failing_before(self) -> list[str]:
        """SQL that holds where the filter or a key fails, before lateness is judged."""
        judged = [failure_sql(self.group.where)] if self.group.where else []
        judged += [failure_sql(key.node) for key in self.group.keys]
        return [f"({sql})" for sql in judged if sql]

    def _failing(self, *, late: bool) -> list[str]:
        """For each rule SQL that counts the events that fail; nothing if none can."""
        failing = {identity: sql for identity, sql in self._failures.items() if sql}
        before = self._failing_before()
        if not failing and not before:
            return []
        accepted = " and ".join([*self._passes, *([f"not {self._late}"] if late else [])]) or "true"
        columns = []
        for rule in self.group.rules:
            own = failing.get(rule.identity)
            parts = [*before, *([f"(({accepted}) and ({own}))"] if own else [])]
            columns.append(f"count(*) filter (where {' or '.join(parts) or 'false'})")
        return columns

    def _side(
        self,
        connection: duckdb.DuckDBPyConnection,
        partial: Partial,
        names: list[str],
        head: str,
        by: str,
        kept: str,
    ) -> pa.Table:
        """The rows of a distinct set or of a quantile's buckets."""
        assert partial.expression is not None  # noqa: S101 - holds by construction of sided partials
        value = filtered(to_sql(partial.expression), partial)
        if partial.kind is PartialKind.DISTINCT:
            assert partial.type is not None  # noqa: S101 - as above
            item = hash_sql("value", partial.type, self._salt)
            inner = (
                f"select distinct {head}{self._pane} as pane, {value} as value from events{kept}"
            )
            query = (
                f"select {self._code(names)} as code, pane, {item} as item, 1::bigint as n "
                f"from ({inner}) where value is not null"
            )
            table = connection.sql(query).to_arrow_table()
            hashes = table["item"].to_numpy().view(np.int64)
            return table.set_column(2, "item", pa.array(hashes))
        inner = f"select {head}{self._pane} as pane, ({value})::double as value from events{kept}"
        rows = connection.sql(f"select * from ({inner}) where value is not null").to_arrow_table()
        items = bucket_index(rows["value"].to_numpy().astype(np.float64)).astype(np.int64)
        connection.register("bucketed", rows.append_column("item", pa.array(items)))
        query = (
            f"select {self._code(names)} as code, pane, item, n from "
            f"(select {by}, item, count(*)::bigint as n from bucketed group by {by}, item)"
        )
        table = connection.sql(query).to_arrow_table()
        connection.unregister("bucketed")
        return table

    def _code(self, names: list[str]) -> str:
        """SQL for a key's code: the field itself if it is a single text.

        Else the canonical encoding.
        """
        types = [key.node.type for key in self.group.keys]
        if types == [Type.TEXT]:
            return names[0]
        encoded = [_encode(name, type_) for name, type_ in zip(names, types, strict=True)]
        return " || ".join(encoded) or "''"


def hash_sql(value: str, type_: Type, salt: str) -> str:
    """SQL for the salted 64-bit hash of a value, an unsigned integer."""
    encoded = f"{literal(_encoded_salt(salt))} || {_encode(value, type_)}"
    return f"('0x' || left(sha256({encoded}), 16))::ubigint"


def _encode(value: str, type_: Type) -> str:
    """SQL for the canonical encoding of a value that is not null (``plan.identity``)."""
    text = {
        Type.TEXT: value,
        Type.BOOLEAN: f"(case when {value} then '1' else '0' end)",
    }.get(type_, f"{value}::varchar")
    return f"'{_TAGS[type_]}' || strlen({text}) || ':' || {text}"


def _encoded_salt(salt: str) -> str:
    return f"t{len(salt.encode())}:{salt}"


def filtered(value: str, partial: Partial) -> str:
    """The value where the aggregate's own filter holds, else null."""
    if partial.where is None:
        return value
    return f"case when {to_sql(partial.where)} then {value} end"


def _number(partial: Partial, largest: float) -> str:
    """The value of a numeric partial as an exact integer.

    Null where there is none or it is too large.
    """
    node = partial.expression
    assert node is not None  # noqa: S101 - only counts have no expression
    value = filtered(to_sql(node), partial)
    if node.type is Type.INTEGER:
        if partial.term == "sum":
            return value
        return f"case when abs(({value})::hugeint) <= {int(largest)} then ({value})::hugeint end"
    if partial.term == "sum" and partial.bounded:
        return f"cast(({value}) * 1e9 as hugeint)"
    return f"cast((case when abs({value}) <= {largest!r} then {value} end) * 1e9 as hugeint)"


def _accumulate(partial: Partial) -> str:
    """SQL for one plain partial of a (key, pane)."""
    match partial.kind:
        case PartialKind.COUNT:
            return f"(count(*) filter (where {counts(partial)}))::bigint"
        case PartialKind.SUM:
            return f"coalesce(sum({_sum_term(partial)}), 0)::hugeint"
        case PartialKind.LEAST | PartialKind.GREATEST:
            name = "min" if partial.kind is PartialKind.LEAST else "max"
            return _extreme(partial, name)
        case _:
            message = f"no plain column for {partial.kind}"
            raise AssertionError(message)


def alone(partial: Partial) -> str:
    """SQL for what one event by itself adds to a plain partial."""
    match partial.kind:
        case PartialKind.COUNT:
            return f"coalesce({counts(partial)}, false)::bigint"
        case PartialKind.SUM:
            return f"coalesce({_sum_term(partial)}, 0)::hugeint"
        case PartialKind.LEAST | PartialKind.GREATEST:
            return _extreme(partial, "")
        case _:
            message = f"no column of its own for {partial.kind}"
            raise AssertionError(message)


def counts(partial: Partial) -> str:
    """SQL that holds for the events that a count counts."""
    parts = []
    if partial.where is not None:
        parts.append(f"coalesce({to_sql(partial.where)}, false)")
    if partial.expression is not None:
        if partial.term == "deviation":
            parts.append(f"({_number(partial, LARGEST_DEVIATION)}) is not null")
        elif partial.term == "sum":
            parts.append(f"({_number(partial, LARGEST)}) is not null")
        else:
            parts.append(f"({to_sql(partial.expression)}) is not null")
    return " and ".join(parts)


def worst_integer(*, least: bool) -> int:
    """The integer that beats no other as the least, or the greatest, value."""
    return INT64_MAX if least else INT64_MIN


def _extreme(partial: Partial, function: str) -> str:
    """The least or greatest value by an SQL aggregate, or of one event without one.

    Where there is none a sentinel that loses every comparison (text: null).
    """
    assert partial.expression is not None  # noqa: S101 - by construction
    least = partial.kind is PartialKind.LEAST
    value = f"{function}({filtered(to_sql(partial.expression), partial)})"
    match partial.expression.type:
        case Type.INTEGER:
            return f"coalesce({value}, ({worst_integer(least=least)})::bigint)"
        case Type.TIME:
            return f"coalesce(epoch_us({value}), ({worst_integer(least=least)})::bigint)"
        case Type.DOUBLE:
            return f"coalesce({value}, '{'' if least else '-'}infinity'::double)"
        case _:
            return value


def _key(sql: str, type_: Type) -> str:
    """A key field as it is kept: times as microseconds."""
    return f"epoch_us({sql})" if type_ is Type.TIME else sql


def _sum_term(partial: Partial) -> str:
    """The summed value: the number.

    Or for a deviation one product of its 32-bit halves (v = a * 2^32 + b).
    """
    if partial.term == "sum":
        return _number(partial, LARGEST)
    number = f"({_number(partial, LARGEST_DEVIATION)})"
    if partial.term == "first":
        return number
    low = f"({number} & 4294967295::hugeint)"
    high = f"({number} >> 32)"
    products = {"aa": (high, high), "ab": (high, low), "bb": (low, low)}
    left, right = products[partial.term]
    return f"{left} * {right}"


def _rule_failures(group: Group, measures: Iterable[object]) -> str | None:
    """SQL that holds where an argument or filter of the rule's aggregates failed.

    Or an expression of a rule that sees events in order.
    """
    from tailrace.plan.model import Measure

    own = group.ordered.nodes if group.ordered is not None else ()
    found = [failure for node in own if (failure := failure_sql(node))]
    for measure in measures:
        assert isinstance(measure, Measure)  # noqa: S101 - the caller's type
        aggregate = measure.aggregate
        condition = failure_sql(aggregate.where) if aggregate.where else None
        if condition:
            found.append(condition)
        if aggregate.arg is None:
            continue
        failure = failure_sql(aggregate.arg)
        limits = []
        if failure:
            limits.append(failure)
        summed = [p for p in measure.partials if p.kind is PartialKind.SUM]
        if summed:
            largest = LARGEST if summed[0].term == "sum" else LARGEST_DEVIATION
            if summed[0].term != "sum" or (
                aggregate.arg.type is Type.DOUBLE and not summed[0].bounded
            ):
                limits.append(
                    f"coalesce(abs(({to_sql(aggregate.arg)})::double) > {largest!r}, false)"
                )
        held = f"coalesce({to_sql(aggregate.where)}, false) and " if aggregate.where else ""
        found += [f"{held}({limit})" for limit in limits]
    return " or ".join(f"({part})" for part in found) or None
