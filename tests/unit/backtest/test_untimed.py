"""Records without a time of their own in a backtest: theirs is the greatest one before them."""

from __future__ import annotations

import pytest

from tailrace.api.inputs import source_of
from tailrace.backtest.history import History
from tailrace.backtest.running import run
from tailrace.config import loads
from tailrace.kernel.time import FOREVER, NEVER
from tailrace.plan.compile import compile_pipeline

SECOND = 1_000_000
PIPELINE = """
name: odd
source: {file: {path: in.ndjson}}
on_error: classify
time: {field: t, grace: 0s}
fields: {host: text, code: integer}
rules:
  - alert: many
    by: host
    window: 10s
    when: count(*) > 0
  - alert: broken
    when: _error is not null
"""
RECORDS = [
    '{"t": "soon", "host": "first"}',  # nothing is before it: 1970
    '{"t": 100, "host": "a"}',
    '{"t": 90, "host": "a"}',
    '{"host": "b"}',  # 100 s
    '{"t": 200, "host": "a"}',
    '{"host": "c"}',  # 200 s
    '{"t": 150, "host": "late"}',
    '{"host": "d"}',  # 200 s
    '{"t": 300, "host": "a"}',
    '{"host": "e"}',  # 300 s
]


def history(begin: int = NEVER, end: int = FOREVER) -> History:
    plan = compile_pipeline(loads(PIPELINE))
    source = source_of(plan, files=None, records=RECORDS, tables=None, follow=False, until_end=True)
    return run(plan, source, begin=begin, end=end)


def test_when_a_key_was_first_seen() -> None:
    found = history()
    seconds = {host: at / SECOND for host, at in found.populations["host"].first.items()}
    b_to_e = {"b": 100, "c": 200, "d": 200, "e": 300}
    assert seconds == {"first": 0, "a": 90, "late": 150, **b_to_e}
    assert (found.begins, found.ends) == (0, 300 * SECOND)


SPANS = [
    (NEVER, FOREVER, [0, 100, 200, 200, 300], 0),
    (100, FOREVER, [100, 200, 200, 300], 2),
    (101, FOREVER, [200, 200, 300], 4),
    (160, FOREVER, [200, 200, 300], 5),
    (NEVER, 200, [0, 100], 5),
    (150, 300, [200, 200], 6),
]


@pytest.mark.parametrize(("begin", "end", "times", "outside"), SPANS)
def test_a_span_of_time(begin: int, end: int, times: list[int], outside: int) -> None:
    begin, end = (at if at in (NEVER, FOREVER) else at * SECOND for at in (begin, end))
    found = history(begin, end)
    broken = next(rule for rule in found.rules if rule.name == "broken")
    assert [at / SECOND for at in broken.instants.tolist()] == times
    assert (found.read, found.outside, found.events) == (10, outside, 10 - outside)
