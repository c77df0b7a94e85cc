"""Aggregates found, replaced and named; and which conditions can be told early."""

from __future__ import annotations

import pytest

from tailrace.expr.aggregates import aggregates, replace_aggregates
from tailrace.expr.early import early
from tailrace.expr.names import measure_name
from tailrace.expr.nodes import Column, Node, Type
from tailrace.expr.parse import parse
from tailrace.expr.parts import columns
from tailrace.expr.render import render
from tailrace.expr.scope import Scope

FIELDS = {
    "status": Type.INTEGER,
    "bytes": Type.INTEGER,
    "change": Type.INTEGER,
    "request_time": Type.DOUBLE,
    "client_ip": Type.TEXT,
    "path": Type.TEXT,
    "@agent": Type.TEXT,
    "ok": Type.BOOLEAN,
}
WINDOW = Scope(FIELDS, aggregates=True, keys=frozenset({"client_ip", "status"}))

NAMES = [
    ("count(*)", "count"),
    ("count(path)", "count_path"),
    ("count(distinct path)", "count_distinct_path"),
    ("avg(request_time)", "avg_request_time"),
    ("sum(bytes * 8)", "sum_bytes_times_8"),
    ("quantile(request_time, 0.95)", "quantile_95_request_time"),
    ("quantile(request_time, 0.999)", "quantile_99_9_request_time"),
    ("quantile(request_time, 0.05)", "quantile_5_request_time"),
    ("quantile(request_time, 1)", "quantile_100_request_time"),
    ("median(request_time)", "quantile_50_request_time"),
    ("count(*) filter (where status >= 500)", "count_status_ge_500"),
    ("count(*) filter (where status != 500)", "count_status_ne_500"),
    ("count_if(path like '/api/%')", "count_path_like_api"),
    ("count_if(ok)", "count_ok"),
    ("count_if(not ok)", "count_not_ok"),
    ('max(length("@agent"))', "max_length_agent"),
    (f"count_if(path = '{'x' * 100}')", f"count_path_eq_{'x' * 46}"),
]

EARLY = [
    ("count(*) > 10", ""),
    ("10 < count(*)", ""),
    ("count(*) >= 10 and client_ip != '127.0.0.1'", ""),
    ("count(*) > 10 or count(distinct path) > 3", ""),
    ("count(*) filter (where status >= 500) > 10", ""),
    ("max(request_time) > 2.5", ""),
    ("max(path) >= 'z'", ""),
    ("sum(bytes) > 1000000", ""),
    ("sum(bytes) / 1000000 > 5", ""),
    ("2 * count(*) + sum(bytes) > 5", ""),
    ("min(request_time) < 0.1", ""),
    ("not (count(*) <= 10)", ""),
    ("not (count(*) <= 10 or max(bytes) < 5)", ""),
    ("count(*) > status", ""),
    ("count(*) < 10", "count(*) < 10 can turn false again"),
    ("count(*) = 10", "count(*) = 10 can turn false again"),
    ("count(*) between 10 and 20", "count(*) <= 20 can turn false again"),
    ("count(*) > 10 and avg(request_time) > 1", "avg(request_time) > 1.0 can turn"),
    ("sum(change) > 10", "sum(change) > 10 can turn false again"),
    ("count(*) * -1 < -10", "can turn false again"),
    ("count_if(ok) / count(*) > 0.5", "can turn false again"),
    ("count(*) - count_if(ok) > 5", "can turn false again"),
    ("quantile(request_time, 0.5) > 1", "can turn false again"),
    ("stddev(request_time) > 1", "can turn false again"),
    ("min(request_time) > 1", "can turn false again"),
    ("case when count(*) > 5 then true else false end", "can turn false again"),
    ("client_ip = 'a'", "no aggregate"),
]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_names_say_what_is_measured(text: str, name: str) -> None:
    (aggregate,) = aggregates(parse(text, WINDOW))
    assert measure_name(aggregate) == name


@pytest.mark.parametrize(("text", "why"), EARLY)
def test_early_is_what_only_rises(text: str, why: str) -> None:
    found = early(parse(text, WINDOW), lambda arg: columns(arg) == ("bytes",))
    assert found.ok == (not why)
    assert why in found.why


def test_equal_aggregates_are_one_and_can_be_replaced() -> None:
    node = parse(
        "count_if(status >= 500) / count(*) > 0.5 and count(*) filter (where status>=500) > 5",
        WINDOW,
    )
    found = aggregates(node)
    assert [render(one) for one in found] == ["count(*) filter (where status >= 500)", "count(*)"]
    replaced = replace_aggregates(node, {one: measure_name(one) for one in found})
    assert aggregates(replaced) == ()
    assert render(replaced) == "count_status_ge_500 / count > 0.5 and count_status_ge_500 > 5"


def test_replaced_columns_have_the_aggregates_types() -> None:
    node: Node = parse("max(path)", WINDOW)
    (aggregate,) = aggregates(node)
    assert replace_aggregates(node, {aggregate: "m"}) == Column(type=Type.TEXT, name="m")
