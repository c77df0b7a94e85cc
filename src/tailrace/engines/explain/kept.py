"""The panes of one key as a store keeps them, asked for in SQL (of a file, or of who runs it)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tailrace.engines.contents import group_columns
from tailrace.engines.state import EngineState
from tailrace.expr.nodes import Type
from tailrace.kernel.reducer import GroupReducer
from tailrace.kernel.runs import Run, partial_column
from tailrace.kernel.time import FOREVER
from tailrace.plan.compile import compile_text
from tailrace.plan.grouping import group_rules
from tailrace.plan.identity import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Bounds, Group, Rule

    Ask = Callable[[str], pa.Table]
    """Answers one reading SQL statement."""


def kept_state(ask: Ask) -> EngineState | None:
    """The small state after the last epoch; None if there was none."""
    rows = ask("select body from tailrace_epochs order by epoch desc limit 1")["body"].to_pylist()
    return EngineState.from_json(json.loads(rows[0])) if rows else None


def kept_retain(ask: Ask) -> int:
    """How long panes are kept by the pipeline that the store was last run with."""
    query = "select value from tailrace_meta where name = 'pipeline_text'"
    rows = ask(query)["value"].to_pylist()
    return compile_text(rows[0]).explain_retain if rows else 0


def kept_from(rule: Rule, bounds: Bounds, state: EngineState, retain: int) -> int:
    """The first instant from which on the store has all panes that the rule needs."""
    reducer = GroupReducer(_group(rule, state), bounds, "")
    if state.finished:
        reached = state.greatest_time() - retain if retain else FOREVER
    else:
        reached = state.frontier - retain
    return reducer.needed_from(reached) * rule.window.width


def load_key(
    ask: Ask,
    rule: Rule,
    bounds: Bounds,
    state: EngineState,
    key: tuple[Scalar, ...],
    *,
    low: int,
    high: int,
) -> GroupReducer:
    """A reducer that holds one key's panes of ``[low, high)``, times in microseconds."""
    group = _group(rule, state)
    reducer = GroupReducer(group, bounds, "")
    for pane, mask in state.evicted.get(group.identity, {}).items():
        reducer.bound.touched[int(pane)] = mask
    width = rule.window.width
    panes = f"pane >= {low // width} and pane < {-(-high // width)}"
    where = f"{panes} and code = {_text(_code(rule, key))}"
    columns = group_columns(group)
    table = _rows(ask, f"panes_{group.identity}", columns, where)
    if table is None or not table.num_rows:
        return reducer
    fields = [table[f"k{i}"] for i in range(len(group.keys))]
    numbers = reducer.keys.number(table["code"], fields)
    held = {"n": table["n"].to_numpy()}
    held |= {p.name: partial_column(table[p.name]) for p in group.plain}
    sides: dict[str, Run] = {}
    for partial in group.sides:
        names = {"code": "varchar", "pane": "bigint", "item": "bigint", "n": "bigint"}
        rows = _rows(ask, f"side_{group.identity}_{partial.name}", names, where)
        if rows is not None and rows.num_rows:
            items = {"item": rows["item"].to_numpy(), "n": rows["n"].to_numpy()}
            sides[partial.name] = Run(
                rows["pane"].to_numpy(), reducer.keys.number(rows["code"], []), items
            )
    reducer.load(Run(table["pane"].to_numpy(), numbers, held), sides)
    return reducer


def _group(rule: Rule, state: EngineState) -> Group:
    starts = {rule.identity: state.rules[rule.identity].start}
    return group_rules([rule], starts)[0]


def _rows(ask: Ask, table: str, columns: dict[str, str], where: str) -> pa.Table | None:
    known = ask(f"select 1 from duckdb_tables() where table_name = {_text(table)}")
    if not known.num_rows:
        return None
    wanted = ", ".join(f"{_name(name)}::{kind} as {_name(name)}" for name, kind in columns.items())
    return ask(f"select {wanted} from {_name(table)} where {where}")


def _code(rule: Rule, key: tuple[Scalar, ...]) -> str:
    if [part.node.type for part in rule.keys] == [Type.TEXT]:
        return str(key[0])
    return encode(*key).decode()


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
