"""Rows of events made by NumPy are those that the statements of the same group give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace import calculator
from tailrace.config import loads
from tailrace.kernel.batch_columns import BatchColumns
from tailrace.kernel.ordered.arrays import EventArrays
from tailrace.kernel.ordered.mapping import EventSql
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.grouping import group_rules

if TYPE_CHECKING:
    from tailrace.kernel.types import GroupPartials
    from tailrace.plan.model import Group

PIPELINE = """
name: arrays
source: {{stdin: {{}}}}
time: {{field: t}}
fields: {{k: text, u: text, s: integer, x: double, b: boolean}}
rules:
  - by: k
    {where}
    {rule}
"""
Event = tuple[str | None, str | None, int | None, float | None, bool | None, int, bool, bool]

events = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "ü", None]),
        st.sampled_from(["click", "view", "7", None]),
        st.one_of(st.none(), st.integers(-3, 600), st.sampled_from([2**63 - 1, -(2**63)])),
        st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([1e18, 0.0])),
        st.one_of(st.none(), st.booleans()),
        st.integers(-20_000_000, 20_000_000),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


def group_of(rule: str, where: str = "") -> Group:
    text = PIPELINE.format(rule=rule, where=f"where: {where}" if where else "")
    plan = compile_pipeline(loads(text, env={}))
    return group_rules(plan.rules, {})[0]


def batch(group: Group, given: list[Event], *, late: bool, twice: bool) -> BatchColumns:
    """The events as a batch; its connection has them as the view that statements read."""
    kinds = [pa.string(), pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.int64()]
    names = ["k", "u", "s", "x", "b", "_time"]
    rows = list(zip(*given, strict=True))
    columns = [pa.array(column, kind) for column, kind in zip(rows, kinds, strict=False)]
    table = pa.table(columns, names=names)
    panes = np.array(rows[5], np.int64) // group.width
    are_late, are_twice = np.array(rows[6]), np.array(rows[7])
    places = np.arange(len(given))
    more = {
        f"_pane_{group.width}": panes,
        f"_late_{group.width}": are_late,
        "_duplicate": are_twice,
        "_partition": pa.array(["p"] * len(given)).dictionary_encode(),
        "_generation": places % 3,
        "_position": places,
    }
    for name, column in more.items():
        table = table.append_column(name, pa.array(column))
    connection = calculator.connect()
    connection.register("events", table)
    masks = {group.width: are_late} if late else {}
    return BatchColumns(
        table, connection, {group.width: panes}, masks, are_twice if twice else None
    )


def rows(partials: GroupPartials, group: Group) -> list[str]:
    names = ["code", "k0", "pane", "n", *(partial.name for partial in group.plain)]
    assert sorted(partials.plain.column_names) == sorted(names)
    return sorted(repr(tuple(row.values())) for row in partials.plain.select(names).to_pylist())


RULES = [
    "alert: r\n    window: 10s sliding\n    when: count(*) > 2",
    "record: r\n    window: 10s sliding\n    select: {n: count_if(u = 'click'), m: avg(x)}",
    "record: r\n    window: 10s sliding\n    select: {n: sum(s), m: max(s), o: sum(x + 1)}",
    "record: r\n    window: 10s sliding\n    select: {n: count(distinct u), o: min(x)}",
    "record: r\n    window: 10s sliding\n    select: {m: count(distinct s % 3)}",
    "record: r\n    window: 10s sliding\n    select: {n: 'quantile(x, 0.9)', m: changes(s)}",
    "record: r\n    window: 10s every 5s\n    select: {n: changes(u), m: count(b)}",
    "alert: r\n    leaky: {capacity: 2, leak: 1s}",
    "alert: r\n    first_seen: {within: 5s}",
    "alert: r\n    absent_for: {after: 5s}",
    "alert: r\n    sequence: {steps: {a: u = 'click', c: s > 3}, within: 5s, cancel: b}",
]


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=20)
@given(
    where=st.sampled_from(["", "u = 'click' or b", "s + 1 > 0", "x > 1"]),
    given_events=events,
    late=st.booleans(),
    twice=st.booleans(),
)
def test_rows_are_what_the_statement_says(
    rule: str, where: str, given_events: list[Event], late: bool, twice: bool
) -> None:
    group = group_of(rule, where)
    columns = batch(group, given_events, late=late, twice=twice)
    made = EventArrays(group, "salt")
    assert made.fits
    found = made.run(columns)
    said = EventSql(group, "salt").run(columns._connection, late=late, deduplicated=twice)
    if found is None:
        assert "sum" in rule or "avg" in rule
        return
    assert rows(found, group) == rows(said, group)
    assert (found.passed, found.late) == (said.passed, said.late)


@pytest.mark.parametrize(
    "rule",
    [
        "record: r\n    window: 10s sliding\n    select: {n: max(u)}",
        "record: r\n    window: 10s\n    select: {n: count(*)}",
        "record: r\n    window: 10s\n    select: {n: changes(s), m: count(distinct s)}",
        "alert: r\n    leaky: {capacity: 2, leak: 1s, distinct: u}",
        "alert: r\n    sequence: {steps: {a: u = k, c: s > 3}, within: 5s}",
    ],
)
def test_other_groups_are_left_to_statements(rule: str) -> None:
    assert not EventArrays(group_of(rule), "").fits
