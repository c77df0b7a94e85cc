"""Counting in NumPy gives what the statements of the same group give, row for row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace import calculator
from tailrace.config import loads
from tailrace.kernel import counting, row_keys
from tailrace.kernel.batch_columns import BatchColumns
from tailrace.kernel.counting import Counter
from tailrace.kernel.partials_sql import GroupSql
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.grouping import group_rules

if TYPE_CHECKING:
    from tailrace.kernel.types import GroupPartials
    from tailrace.plan.model import Group

PIPELINE = """
name: counting
source: {{stdin: {{}}}}
time: {{field: t}}
fields: {{k: text, u: text, s: integer, x: double, b: boolean, t2: time}}
rules:
  - record: r
    by: {by}
    window: 10s
    {where}
    select: {{{select}}}
"""
Event = tuple[str | None, str | None, int | None, float | None, bool | None, int, bool, bool]

events = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b", "ü", None]),
        st.sampled_from(["click", "view", "10.1.2.3", "7", None]),
        st.one_of(st.none(), st.integers(-3, 600), st.integers(-(2**50), 2**50)),
        st.one_of(st.none(), st.floats(-1e5, 1e5), st.sampled_from([1e18, -1e18, 0.0])),
        st.one_of(st.none(), st.booleans()),
        st.integers(-4, 4),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def group_of(select: str, where: str = "", by: str = "k") -> Group:
    text = PIPELINE.format(select=select, by=by, where=f"where: {where}" if where else "")
    text = text if by else text.replace("by: ", "")
    plan = compile_pipeline(loads(text, env={}))
    return group_rules(plan.rules, {})[0]


def batch(group: Group, given: list[Event], *, late: bool, twice: bool) -> BatchColumns:
    """The events as a batch; its connection has them as the view that statements read."""
    kinds = [pa.string(), pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.int64()]
    names = ["k", "u", "s", "x", "b", f"_pane_{group.width}"]
    rows = list(zip(*given, strict=True))
    columns = [pa.array(column, kind) for column, kind in zip(rows, kinds, strict=False)]
    table = pa.table(columns, names=names)
    are_late, are_twice = np.array(rows[6]), np.array(rows[7])
    table = table.append_column(f"_late_{group.width}", pa.array(are_late))
    table = table.append_column("_duplicate", pa.array(are_twice))
    connection = calculator.connect()
    connection.register("events", table)
    return BatchColumns(
        table,
        connection,
        {group.width: np.array(rows[5], np.int64)},
        {group.width: are_late} if late else {},
        are_twice if twice else None,
    )


def rows(partials: GroupPartials, group: Group) -> list[list[tuple[object, ...]]]:
    keys = [f"k{number}" for number in range(len(group.keys))]
    names = ["code", *keys, "pane", "n", *(partial.name for partial in group.plain)]
    assert partials.plain.column_names == names
    assert list(partials.sides) == [partial.name for partial in group.sides]
    tables = [
        partials.plain,
        *(s.select(["code", "pane", "item", "n"]) for s in partials.sides.values()),
    ]
    return [sorted(tuple(row.values()) for row in table.to_pylist()) for table in tables]


WHERE = [
    "",
    "s between 100 and 300",
    "s >= 0 and x > 0",
    "s / 0 > 1",
    "u = 'click'",
    "b or u is null",
    "not coalesce(cidr_contains(u, '10.0.0.0/8'), false) and k != ''",
    "cast(u as integer) > s",
    "s + 9223372036854775000 > 0",
    "case when b then u = 'view' when s > 5 then x < 1 end",
]


@pytest.mark.parametrize(
    "select",
    [
        "n: count(*)",
        "m: avg(x)",
        "m: avg(x), t: sum(x)",
        "n: sum(s) filter (where u = 'click')",
        "n: count_if(u = 'click'), v: count(u), w: count(x + 1)",
        "n: min(s), m: max(x), o: min(x * 2), p: max(x * 1e300), q: sum(x * 2)",
        "n: count(distinct s), m: count(distinct u) filter (where s > 0), o: count(distinct b)",
        "n: 'quantile(x, 0.9)', m: 'quantile(s, 0.5)'",
        "n: sum(x + 1), m: count(distinct s % 3)",
    ],
)
@settings(max_examples=25)
@given(
    where=st.sampled_from(WHERE),
    most=st.sampled_from([counting.CELLS, 3]),
    given_events=events,
    late=st.booleans(),
    twice=st.booleans(),
)
def test_counting_is_what_the_statement_says(
    select: str, where: str, most: int, given_events: list[Event], late: bool, twice: bool
) -> None:
    group = group_of(select, where)
    columns = batch(group, given_events, late=late, twice=twice)
    counter = Counter(group, "salt")
    assert counter.fits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "CELLS", most)
        counted = counter.run(columns)
    connection = columns._connection
    said = GroupSql(group, "salt").run(connection, late=late, deduplicated=twice)
    if counted is None:
        assert "sum" in select or "avg" in select
        return
    assert rows(counted, group) == rows(said, group)
    assert (counted.passed, counted.late) == (said.passed, said.late)


@pytest.mark.parametrize(
    "by", ["", "[k, u]", "[k, u, s]", "s", "[s % 3, k]", "{w: s % 7 + 1, u: u}"]
)
@pytest.mark.parametrize("words", [False, True])
@settings(max_examples=25)
@given(
    where=st.sampled_from(WHERE),
    most=st.sampled_from([1 << 20, 3]),
    given_events=events,
    late=st.booleans(),
    twice=st.booleans(),
)
def test_other_keys_are_what_the_statement_says(
    by: str,
    words: bool,
    where: str,
    most: int,
    given_events: list[Event],
    late: bool,
    twice: bool,
) -> None:
    group = group_of(
        "n: count(*), x: sum(s), m: count(distinct s), q: 'quantile(s, 0.5)'", where, by
    )
    columns = batch(group, given_events, late=late, twice=twice)
    if words:
        halves = [columns.table.slice(0, 7), columns.table.slice(7)]
        columns._encoded = {
            name: [half[name].combine_chunks().dictionary_encode() for half in halves]
            for name in ("k", "u")
        }
    counter = Counter(group, "salt")
    assert counter.fits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "CELLS", most)
        patch.setattr(row_keys, "NEAR", most)
        counted = counter.run(columns)
    said = GroupSql(group, "salt").run(columns._connection, late=late, deduplicated=twice)
    if counted is not None:
        assert rows(counted, group) == rows(said, group)
        assert (counted.passed, counted.late) == (said.passed, said.late)


@pytest.mark.parametrize(
    ("select", "where", "by"),
    [
        ("n: count(distinct x)", "", "k"),
        ("n: count(distinct lower(u))", "", "k"),
        ("n: max(u)", "", "k"),
        ("n: max(t2)", "", "k"),
        ("n: stddev(s)", "", "k"),
        ("n: count(*)", "", "[k, x > 1]"),
        ("n: count(*)", "", "[k, lower(k)]"),
        ("n: count(*)", "", "lower(k)"),
        ("n: count(*)", "k = u", "k"),
        ("n: count(*)", "t2 > timestamp '2024-01-01'", "k"),
        ("n: count(t2)", "", "k"),
        ("n: changes(s)", "", "k"),
    ],
)
def test_other_groups_are_left_to_statements(select: str, where: str, by: str) -> None:
    assert not Counter(group_of(select, where, by), "").fits


@pytest.mark.parametrize(
    ("integers", "doubles"),
    [([1, 1], [1e7, 1.0]), ([2**53, 1], [1.0, 1.0]), ([-(2**52), 2**52], [1.0, 1.0])],
)
def test_sums_beyond_53_bits_are_left_to_statements(
    integers: list[int], doubles: list[float]
) -> None:
    group = group_of("m: avg(x), n: sum(s)")
    given: list[Event] = [
        ("a", "", s, x, None, 0, False, False) for s, x in zip(integers, doubles, strict=True)
    ]
    assert Counter(group, "").run(batch(group, given, late=False, twice=False)) is None


def test_keys_of_filtered_events_get_no_code() -> None:
    group = group_of("n: count(*)", "s > 1")
    given: list[Event] = [(k, "", s, None, None, 0, False, False) for k, s in (("a", 1), ("b", 2))]
    counted = Counter(group, "").run(batch(group, given, late=False, twice=False))
    assert counted is not None
    assert counted.plain["code"].combine_chunks().dictionary.to_pylist() == ["b"]


@pytest.mark.parametrize("pane", [2**61, -(2**61)])
def test_far_panes_of_many_keys(pane: int) -> None:
    group = group_of("n: count(*), m: max(s)")
    given: list[Event] = [
        (f"k{i}", "", i, None, None, pane + i % 3, False, False) for i in range(50)
    ]
    columns = batch(group, given, late=False, twice=False)
    counted = Counter(group, "").run(columns)
    said = GroupSql(group, "").run(columns._connection, late=False, deduplicated=False)
    assert counted is not None
    assert rows(counted, group) == rows(said, group)


@pytest.mark.parametrize("by", ["k", "[k, s]"])
def test_more_cells_than_numbers_are_left_to_the_statement(by: str) -> None:
    group = group_of("n: count(*)", "", by)
    for apart, counted in ((2**44, False), (2**20, True)):
        given: list[Event] = [
            (f"k{i}", "", i, None, None, i * apart, False, False) for i in range(100_000)
        ]
        found = Counter(group, "").run(batch(group, given, late=False, twice=False))
        assert (found is not None) == counted
