"""What bounds rule out is neither true nor a failure of what is really there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.config import loads
from tailrace.expr.evaluate import evaluate
from tailrace.expr.values import Values
from tailrace.kernel.ordered.crowds import may_hold
from tailrace.kernel.ruling_out import Most, ruled_out
from tailrace.kernel.runs import Run
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.event_columns import TIME

if TYPE_CHECKING:
    from tailrace.plan.model import Rule

CONDITIONS = [
    "count(*) > 3",
    "count(*) >= 3 and count(distinct u) > 1",
    "4 < count(*) or sum(x) > 2.5",
    "count(*) > 1.5 and (sum(x) >= 1 or avg(x) / 0 > 1)",
    "sum(x) > 2 and 1 / count(*) > 2",
    "count(*) = 2 or count(*) = 5",
    "not count(*) > 3",
    "count(*) < 2",
    "count(*) > 2 or 1 / (count(*) - 3) > 5",
    "sum(x) > 0 and sum(x) / 0 > 1",
]


def rule_of(when: str, select: str = "{}") -> Rule:
    text = f"""
name: p
source: {{stdin: {{}}}}
time: {{field: t}}
fields: {{k: text, u: text, x: double}}
rules:
  - {{alert: r, by: k, window: 5s sliding, when: "{when}", select: {select}}}
"""
    return compile_pipeline(loads(text, env={})).rules[0]


numbers = st.one_of(st.none(), st.floats(-3, 3))


@pytest.mark.parametrize("when", CONDITIONS)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 4), numbers, st.integers(0, 3)), min_size=1
    )
)
def test_what_is_ruled_out_is_not_true_and_does_not_fail(
    when: str, rows: list[tuple[int, int, float | None, int]]
) -> None:
    condition = rule_of(when).when
    assert condition is not None
    counts, distinct, sums, more = zip(*rows, strict=True)
    there = np.array([value is not None for value in sums])
    known = {
        "count": Values(np.array(counts)),
        "count_distinct_u": Values(np.array(distinct)),
        "sum_x": Values(np.array([value or 0.0 for value in sums]), there),
        "avg_x": Values(np.array([value or 0.0 for value in sums]), there),
    }
    extra = np.array(more)
    most = {
        "count": Most(known["count"].data + extra, null=False),
        "count_distinct_u": Most(known["count_distinct_u"].data + extra, null=False),
        "sum_x": Most(known["sum_x"].data + extra, null=True),
    }
    found = evaluate(condition, known, len(rows))
    out = ruled_out(condition, most)
    known_of = not when.startswith(("not", "count(*) <", "count(*) > 2 or"))
    assert (out is not None) == known_of
    if out is not None:
        assert not (out & (found.is_true | found.has_failed)).any()


def test_most_rows_are_ruled_out_where_limits_are_high() -> None:
    condition = rule_of("count(*) > 3 and avg(x) > 1").when
    assert condition is not None
    out = ruled_out(condition, {"count": Most(np.array([1, 3, 4]), null=False)})
    assert out is not None
    assert out.tolist() == [True, True, False]


@pytest.mark.parametrize("when", ["count(*) > 2", "sum(x) >= 2", "count(*) > 3 or sum(x) > 3.5"])
@given(
    events=st.lists(
        st.tuples(st.integers(0, 3), st.integers(-20_000_000, 60_000_000), st.floats(-2, 2)),
        min_size=1,
        max_size=60,
    )
)
def test_keys_that_fire_are_crowded(when: str, events: list[tuple[int, int, float]]) -> None:
    rule = rule_of(when)
    assert rule.when is not None
    keys, times, values = (np.array(column) for column in zip(*events, strict=True))
    fixed = np.rint(values * 1e9).astype(np.int64)
    columns = {TIME: times}
    columns |= {p.name: fixed for m in rule.measures for p in m.partials if p.kind == "sum"}
    crowded = may_hold(rule, rule.when, Run(times // 1_000_000, keys, columns), 4)
    assert crowded is not None
    for key, at, _ in events:
        inside = (keys == key) & (times > at - 5_000_000) & (times <= at)
        known = {
            "count": Values(np.array([inside.sum()])),
            "sum_x": Values(np.array([float(fixed[inside].sum()) / 1e9])),
        }
        if evaluate(rule.when, known, 1).is_true[0]:
            assert crowded[key]


@pytest.mark.parametrize(
    "when", ["count(*) < 2", "not count(*) > 3", "avg(x) > 1", "sum(x) > 2 or avg(x) > 1"]
)
def test_events_are_not_looked_at_where_nothing_can_be_ruled_out(when: str) -> None:
    rule = rule_of(when)
    assert rule.when is not None
    nothing = np.zeros(9, np.int64)
    assert may_hold(rule, rule.when, Run(nothing, nothing, {}), 1) is None


def test_only_what_the_condition_names_is_bounded() -> None:
    rule = rule_of("count(*) > 2", select="{total: sum(x)}")
    assert rule.when is not None
    nothing = np.zeros(3, np.int64)
    crowded = may_hold(rule, rule.when, Run(nothing, nothing, {TIME: nothing}), 1)
    assert crowded is not None
    assert crowded.tolist() == [True]


def test_keys_far_from_a_limit_are_not_crowded() -> None:
    rule = rule_of("count(*) > 2")
    assert rule.when is not None
    times = np.concatenate([np.arange(40), [0, 0, 0]]) * 1_000_000
    keys = np.concatenate([np.arange(40) % 8, [8, 8, 8]])
    crowded = may_hold(rule, rule.when, Run(times // 1_000_000, keys, {TIME: times}), 9)
    assert crowded is not None
    assert crowded.tolist() == [False] * 8 + [True]
