"""Mistakes in rules that see events in order, each told at its place."""

import pytest

from tailrace.config import loads
from tailrace.errors import PipelineError

HEAD = """\
name: p
source: {stdin: {}}
time: {field: t}
fields: {k: text}
rules:
  - """

CASES = [
    (
        "alert: a\n    leaky: {capacity: 0, leak: 1s}",
        "leaky.capacity: expected at least 1, found 0",
    ),
    ("alert: a\n    leaky: {capacity: 1, leak: 0s}", "leaky.leak"),
    (
        "alert: a\n    leaky: {capacity: 10000, leak: 1s, distinct: k}",
        "the bucket never overflows: it takes 10000 distinct values at the most",
    ),
    (
        "alert: a\n    leaky: {capacity: 20, leak: 1s, distinct: k}\nlimits: {max_distinct: 20}",
        "the bucket never overflows: it takes 20 distinct values",
    ),
    ("alert: a\n    first_seen: 1d\n    when: 'true'", "'when' beside 'first_seen'"),
    ("alert: a\n    first_seen: 1d\n    for: 1s", "'for' beside 'first_seen'"),
    ("alert: a\n    first_seen: 1d\n    select: {n: count(*)}", "'select' beside 'first_seen'"),
    ("alert: a\n    absent_for: 1d\n    window: 1m", "'absent_for' beside 'window'"),
    ("alert: a\n    absent_for: {after: 10d}", "forgotten before it is absent"),
    ("alert: a\n    sequence: {steps: {a: 'true'}, within: 1m}", "two steps at least"),
    ("alert: a\n    sequence: {steps: {a: 'true', b: 'true'}}", "the key 'within' is missing"),
    ("alert: a\n    window: 1m\n    grain: 1s\n    when: 'true'", "'grain' is for rules"),
    ("record: a\n    window: 1m\n    grain: 1s\n    select: {n: count(*)}", "'grain' is for rules"),
    ("record: a\n    absent_for: 1m\n    window: 1m\n    select: {n: count(*)}", "unknown key"),
]


@pytest.mark.parametrize(("rule", "message"), CASES, ids=[message for _, message in CASES])
def test_mistake(rule: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message.replace("(", r"\(")):
        loads(HEAD + rule + "\n", "p.yaml")


@pytest.mark.parametrize(
    "rule",
    [
        "first_seen: 30d",
        "first_seen: {within: 30d, learn: 0s}",
        "absent_for: 5m",
        "absent_for: {after: 5m, forget: 1d}\n    for: 10s",
        "leaky: {capacity: 5, leak: 10s, distinct: k, blackhole: 1m}\n    grain: 100ms",
        "leaky: {capacity: 9999, leak: 1s, distinct: k}",
        "leaky: {capacity: 10000, leak: 1s}",
        "leaky: {capacity: 20, leak: 1s, distinct: k}\nlimits: {max_distinct: 21}",
        "sequence: {steps: {a: k = 'a', b: k = 'b'}, within: 10m, cancel: k = 'c'}",
        "window: 20s sliding\n    grain: 100ms\n    when: count(*) > 1",
    ],
)
def test_right(rule: str) -> None:
    (found,) = loads(HEAD + "alert: a\n    " + rule + "\n", "p.yaml").config.rules
    assert found.model_dump_json()
