"""A group's partials as tables for the store, and back (plain rows and rows of sided partials)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.kernel import wide
from tailrace.kernel.judging import ARROW_TYPES
from tailrace.kernel.runs import Run, partial_column
from tailrace.plan.identity import encode
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from tailrace.kernel.reducer import GroupReducer
    from tailrace.plan.model import Group, Partial
    from tailrace.store.store import Store

_SQL_TYPES = {
    Type.TEXT: "varchar",
    Type.INTEGER: "bigint",
    Type.DOUBLE: "double",
    Type.BOOLEAN: "boolean",
    Type.TIME: "bigint",
}


def load_group(store: Store, reducer: GroupReducer, from_pane: int) -> None:
    """Give a reducer the rows that the store kept, from a pane on."""
    group = reducer.group
    table = store.group_rows(group.identity, from_pane, group_columns(group))
    if table is None or not table.num_rows:
        return
    sides: dict[str, pa.Table] = {}
    for partial in group.sides:
        rows = store.side_rows(group.identity, partial.name, from_pane)
        if rows is not None and rows.num_rows:
            sides[partial.name] = rows
    load_tables(reducer, table, sides)


def load_tables(reducer: GroupReducer, plain: pa.Table, sides: Mapping[str, pa.Table]) -> None:
    """Give a reducer rows that were kept: ``plain`` and, by partial, those of sided partials."""
    group = reducer.group
    numbers = reducer.keys.number(plain["code"], [plain[f"k{i}"] for i in range(len(group.keys))])
    run = Run(
        plain["pane"].to_numpy(),
        numbers,
        {
            "n": plain["n"].to_numpy(),
            **{p.name: partial_column(plain[p.name]) for p in group.plain},
        },
    )
    runs: dict[str, Run] = {}
    for name, rows in sides.items():
        side_numbers = reducer.keys.number(rows["code"], [])
        runs[name] = Run(
            rows["pane"].to_numpy(),
            side_numbers,
            {"item": rows["item"].to_numpy(), "n": rows["n"].to_numpy()},
        )
    reducer.load(run, runs)


def group_columns(group: Group) -> dict[str, str]:
    """The columns of a group's plain rows and the SQL types that they are read as."""
    columns = {"code": "varchar"}
    columns |= {f"k{i}": _SQL_TYPES[key.node.type] for i, key in enumerate(group.keys)}
    return columns | {"pane": "bigint", "n": "bigint"} | {p.name: _sql_type(p) for p in group.plain}


def group_tables(reducer: GroupReducer) -> tuple[pa.Table | None, Mapping[str, pa.Table]]:
    """All rows that a reducer holds, as tables for the store."""
    plain, sides = reducer.contents()
    tables = {
        name: pa.table(
            {
                "code": codes_of(reducer, rows.keys),
                "pane": rows.panes,
                "item": rows.columns["item"],
                "n": rows.columns["n"],
            }
        )
        for name, rows in sides.items()
        if rows is not None
    }
    return None if plain is None else plain_table(reducer, plain), tables


def with_news(reducer: GroupReducer, added: pa.Table | None) -> pa.Table | None:
    """The rows added by a batch, and those that the reducer made since it was asked last."""
    news = reducer.news()
    if news is None or not len(news):
        return added
    table = plain_table(reducer, news)
    if added is None or not added.num_rows:
        return table
    return pa.concat_tables([added.select(table.column_names).cast(table.schema), table])


def plain_table(reducer: GroupReducer, plain: Run) -> pa.Table:
    """Plain rows as a table for the store."""
    group = reducer.group
    columns: dict[str, object] = {"code": codes_of(reducer, plain.keys)}
    for index, key in enumerate(group.keys):
        columns[f"k{index}"] = reducer.keys.column(plain.keys, index, ARROW_TYPES[key.node.type])
    columns |= {"pane": plain.panes, "n": plain.columns["n"]}
    for partial in group.plain:
        values = plain.columns[partial.name]
        columns[partial.name] = (
            wide.to_arrow(values)
            if partial.kind is PartialKind.SUM
            else pa.array(values, _arrow_type(partial))
        )
    return pa.table(columns)


def codes_of(reducer: GroupReducer, numbers: np.ndarray) -> pa.Array:
    """The codes of keys by their numbers."""
    keys = [reducer.keys.values(number) for number in numbers.tolist()]
    if [key.node.type for key in reducer.group.keys] == [Type.TEXT]:
        return pa.array([key[0] for key in keys], pa.string())
    return pa.array([encode(*key).decode() for key in keys], pa.string())


def _arrow_type(partial: Partial) -> pa.DataType:
    """What a plain column that is no sum is kept as."""
    if partial.kind is PartialKind.COUNT or partial.type is None:
        return pa.int64()
    return ARROW_TYPES[partial.type]


def _sql_type(partial: Partial) -> str:
    match partial.kind:
        case PartialKind.COUNT:
            return "bigint"
        case PartialKind.SUM:
            return "hugeint"
        case _:
            assert partial.type is not None  # noqa: S101 - what is compared has a type
            return _SQL_TYPES[partial.type]
