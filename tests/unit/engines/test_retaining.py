"""When the store is asked to delete what is over."""

from __future__ import annotations

from tailrace.config import loads
from tailrace.engines.retaining import Retaining
from tailrace.kernel.time import NEVER
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan

DAY = 86_400_000_000
TEXT = """\
name: p
source: {stdin: {}}
time: {field: t}
fields: {k: text}
store: {retain: RETAIN}
rules:
  - alert: a
    by: k
    window: 3d
    when: count(*) > 1
"""


def plan(retain: str) -> Plan:
    return compile_pipeline(loads(TEXT.replace("RETAIN", retain), "p.yaml"))


def test_a_hundred_times_in_the_time_that_rows_stay() -> None:
    retaining, hundred = Retaining(), plan("100d")
    assert retaining.due(hundred, NEVER, 1000 * DAY) is None
    found = [retaining.due(hundred, 200 * DAY + hour * DAY // 24, 1000 * DAY) for hour in range(48)]
    asked = [limit for limit in found if limit is not None]
    assert asked == [100 * DAY, 101 * DAY]


def test_a_clock_that_runs_ahead_deletes_nothing_that_is_new() -> None:
    assert Retaining().due(plan("100d"), 365_000 * DAY, 1000 * DAY) == 900 * DAY


def test_rows_stay_at_least_as_long_as_a_window() -> None:
    limit = Retaining().due(plan("1d"), 10 * DAY, 1000 * DAY)
    assert limit is not None
    assert 6 * DAY < limit <= 7 * DAY
