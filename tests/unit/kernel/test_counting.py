"""Counting in NumPy gives what the statements of the same group give, row for row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.config import loads
from tailrace.kernel.counting import BatchColumns, Counter
from tailrace.kernel.partials_sql import GroupSql
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.grouping import group_rules

if TYPE_CHECKING:
    from tailrace.plan.model import Group

PIPELINE = """
name: counting
source: {{stdin: {{}}}}
time: {{field: t}}
fields: {{k: text, s: integer, x: double}}
rules:
  - record: r
    by: {by}
    window: 10s
    {where}
    select: {{{select}}}
"""


def group_of(select: str, where: str = "", by: str = "k") -> Group:
    text = PIPELINE.format(select=select, by=by, where=f"where: {where}" if where else "")
    plan = compile_pipeline(loads(text, env={}))
    return group_rules(plan.rules, {})[0]


def rows(table: pa.Table, group: Group) -> list[tuple[object, ...]]:
    names = ["code", "k0", "pane", "n", *(partial.name for partial in group.plain)]
    assert table.column_names == names
    return sorted(tuple(row.values()) for row in table.to_pylist())


events = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b", "ü"]),
        st.integers(-3, 600),
        st.floats(-1e5, 1e5, allow_nan=False),
        st.integers(-4, 4),
    ),
    min_size=1,
    max_size=60,
)


@pytest.mark.parametrize("where", ["", "s between 100 and 300", "s >= 0 and x > 0", "s / 0 > 1"])
@pytest.mark.parametrize("select", ["n: count(*)", "m: avg(x)", "m: avg(x), t: sum(x)"])
@settings(max_examples=20)
@given(given_events=events)
def test_counting_is_what_the_statement_says(
    select: str, where: str, given_events: list[tuple[str, int, float, int]]
) -> None:
    group = group_of(select, where)
    panes = np.array([pane for *_, pane in given_events], np.int64)
    table = pa.table(
        {
            "k": [key for key, *_ in given_events],
            "s": pa.array([status for _, status, _, _ in given_events], pa.int64()),
            "x": pa.array([value + 0.0 for _, _, value, _ in given_events], pa.float64()),
            f"_pane_{group.width}": panes,
        }
    )
    counter = Counter(group)
    assert counter.fits
    counted = counter.run(BatchColumns(table), panes)
    assert counted is not None
    connection = duckdb.connect()
    connection.register("events", table)
    said = GroupSql(group, "salt").run(connection, late=False, deduplicated=False)
    assert rows(counted.plain, group) == rows(said.plain, group)
    assert (counted.passed, counted.late) == (said.passed, said.late)


@pytest.mark.parametrize(
    ("select", "where", "by"),
    [
        ("n: count(distinct s)", "", "k"),
        ("n: max(x)", "", "k"),
        ("n: sum(s)", "", "k"),
        ("n: count(*)", "", "[k, s]"),
        ("n: count(*)", "", "lower(k)"),
        ("n: avg(x + 1)", "", "k"),
    ],
)
def test_other_groups_are_left_to_statements(select: str, where: str, by: str) -> None:
    assert not Counter(group_of(select, where, by)).fits


@pytest.mark.parametrize(
    ("keys", "values", "where"),
    [
        (["a", None], [1.0, 1.0], ""),
        (["a", "b"], [1.0, None], ""),
        (["a", "b"], [1e7, 1.0], ""),
        (["a", "b"], [1.0, 1.0], "k = 'a'"),
    ],
    ids=["null key", "null value", "sum beyond 53 bits", "filter on a text"],
)
def test_batches_that_do_not_fit(
    keys: list[str | None], values: list[float | None], where: str
) -> None:
    group = group_of("m: avg(x)", where)
    table = pa.table({"k": keys, "s": [1, 1], "x": pa.array(values, pa.float64())})
    assert Counter(group).run(BatchColumns(table), np.array([0, 0])) is None
