import pytest

from tailrace.cli.running.news import Audience
from tailrace.config import loads
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan

PLAN = """
name: p
source: {stdin: {}}
time: {field: t}
fields: {a: text}
rules:
  - {alert: nowhere, by: a, window: 1m, when: count(*) > 1}
  - {alert: filed, by: a, window: 1m, when: count(*) > 1, to: [file]}
  - {alert: every_window, by: a, window: 1m, when: count(*) > 1, to: [windows]}
  - {alert: both, by: a, window: 1m, when: count(*) > 1, to: [windows, file]}
  - {alert: shown, by: a, window: 1m, when: count(*) > 1, to: [file, screen]}
  - {alert: windows_shown, by: a, window: 1m, when: count(*) > 1, to: [screen_windows]}
  - {alert: single, when: a = 'b'}
outputs:
  file: {file: {path: a.ndjson}}
  windows: {file: {path: b.ndjson}, rows: windows}
  screen: {terminal: {}}
  screen_windows: {terminal: {}, rows: windows}
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_pipeline(loads(PLAN))


@pytest.mark.parametrize(
    ("rule", "printed", "told"),
    [
        ("nowhere", True, True),
        ("filed", True, True),
        ("every_window", True, False),
        ("both", True, True),
        ("shown", True, False),
        ("shown", False, True),
        ("windows_shown", True, False),
        ("windows_shown", False, False),
        ("single", True, True),
        ("removed_before", True, True),
    ],
)
def test_whose_news_are_told(plan: Plan, rule: str, printed: bool, told: bool) -> None:
    assert Audience(plan, printed=printed).hears_of(rule) is told
    assert Audience(plan, printed=printed, logged=True).hears_of(rule)
