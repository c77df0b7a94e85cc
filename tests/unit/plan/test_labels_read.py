"""Rules are new when a classification changes whose label or reasons they read, however they do."""

from __future__ import annotations

import pytest

from tailrace.config import loads
from tailrace.plan.compile import compile_pipeline

PIPELINE = """
name: cl
source: {file: {path: cl.ndjson}}
time: {field: t, grace: 0s}
fields: {host: text, code: integer}
derive: {site: upper(host)}
references:
  names:
    file: {path: names.csv}
    key: label
    match: {label: MATCHED}
    columns: {label: text, team: text}
  hosts:
    file: {path: hosts.csv}
    key: [host]
    columns: {host: text, team: text}
  labels:
    file: {path: labels.csv}
    key: [label]
    columns: {label: text, team: text}
rules:
  - classify: status
    labels: {bad: {err: "code >= LEAST"}}
    else: good
  - classify: level
    labels: {high: {bad: "SECOND"}}
    else: low
  - RULE
"""


def identity(rule: str, *, least: int, matched: str = "status", second: str = "code > 1") -> str:
    text = PIPELINE.replace("RULE", rule).replace("LEAST", str(least))
    plan = compile_pipeline(loads(text.replace("MATCHED", matched).replace("SECOND", second)))
    [found] = [*(one.identity for one in plan.rules), *(one.identity for one in plan.event_rules)]
    return found


WINDOW = "{alert: many, by: host, window: 10s, when: count(*) > 0, where: X}"
READING = [
    WINDOW.replace("X", "status = 'bad'"),
    WINDOW.replace("X", "status_reasons = 'err'"),
    WINDOW.replace("X", "names.team = 'ops'"),
    WINDOW.replace("X", "known(names)"),
    "{alert: many, by: status, window: 10s, when: count(*) > 0}",
    "{alert: many, by: {label: status}, window: 10s, when: count(*) > 0 and known(labels)}",
    "{alert: many, by: host, window: 10s, when: count(distinct names.team) > 0}",
    "{alert: many, by: host, window: 10s, when: count(*) filter (where known(names)) > 0}",
    "{record: all, by: host, window: 10s, select: {teams: count(distinct names.team)}}",
    "{alert: one, when: names.team = 'ops'}",
    "{alert: one, when: code > 1, allow: {status: {reference: hosts}}}",
    "{alert: one, when: code > 1, allow: {status: good}}",
    "{alert: steps, by: host, sequence: {steps: {a: code > 1, b: known(names)}, within: 1m}}",
    "{alert: drip, by: host, leaky: {capacity: 3, leak: 1s, distinct: names.team}}",
]
NOT_READING = [
    WINDOW.replace("X", "code > 1"),
    WINDOW.replace("X", "host = 'status'"),
    WINDOW.replace("X", "hosts.team = 'ops'"),
    "{alert: status_of, by: site, window: 10s, when: count(*) > 0}",
    "{alert: one, when: code > 1, annotations: {summary: the status is bad}}",
]


@pytest.mark.parametrize("rule", READING)
def test_who_reads_a_label_is_a_new_rule_when_it_changes(rule: str) -> None:
    assert identity(rule, least=500) != identity(rule, least=400)
    assert identity(rule, least=500) == identity(rule, least=500)


@pytest.mark.parametrize("rule", NOT_READING)
def test_who_reads_none_stays_the_same(rule: str) -> None:
    assert identity(rule, least=500) == identity(rule, least=400)


def test_a_label_that_is_made_of_a_label() -> None:
    rule = WINDOW.replace("X", "names.team = 'ops'")
    found = {
        identity(rule, least=least, matched="level", second=second)
        for least in (500, 400)
        for second in ("status = 'bad'", "code > 1")
    }
    assert len(found) == 3, "what code is compared with does not matter to code > 1"
