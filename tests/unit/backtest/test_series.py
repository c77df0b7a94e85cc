"""Measures of rules without a key over time, beside what they are compared with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.unit.backtest.data import NOON, SECOND, history, line, plan
from tests.unit.backtest.test_html import Page

from tailrace.backtest.history import History, Line, Series
from tailrace.backtest.html import report_html
from tailrace.backtest.html.measured import short
from tailrace.backtest.report_json import report_json
from tailrace.backtest.reporting import make_report
from tailrace.backtest.series import MOST_POINTS, Watched, all_series, watched

TEXT = """
name: web
source: {{file: {{path: access.ndjson}}}}
time: {{field: at, grace: 0s}}
fields: {{client_ip: text, status: integer}}
references:
  limits:
    file: {{path: {folder}/limits.csv}}
    columns: {{since: time, most: integer}}
    valid_from: since
rules:
  - {{alert: high, window: 10s, when: count(*) > limits.most}}
  - {{alert: low, window: 10s, when: 2 > count(*)}}
  - {{alert: failing, window: 10s, where: status >= 500, when: count(*) > 3 or max(status) = 599}}
  - {{alert: keyed, by: client_ip, window: 10s, when: count(*) > 3}}
  - {{alert: sliding, window: 10s sliding, when: count(*) > 3}}
  - {{alert: shapeless, window: 10s, when: count(*) > count(distinct client_ip)}}
"""
COUNTS = (3, 5, 0, 1)


@pytest.fixture
def found(tmp_path: Path) -> History:
    (tmp_path / "limits.csv").write_text(f"since,most\n0,9\n{NOON + 20},4\n")
    records = [
        line(10 * window + event / 10, "192.0.2.1", 500 if event == 0 else 200)
        for window, count in enumerate(COUNTS)
        for event in range(count)
    ]
    return history(plan(TEXT.format(folder=tmp_path)), records=records)


def test_what_was_measured_and_what_it_was_compared_with(found: History) -> None:
    by_measure = {(one.measure, len(one.lines)): one for one in found.series}
    assert list(by_measure) == [("count", 2), ("count", 1), ("max_status", 1)]
    counts = by_measure["count", 2]
    assert [int(end) // SECOND - NOON for end in counts.ends] == [10, 20, 30, 40]
    assert counts.values.tolist() == [*COUNTS]
    high, low = counts.lines
    assert (high.rule, high.comparison) == ("high", "count > limits.most")
    assert high.bounds.tolist() == [9, 4, 4, 4]  # in force at the end of the window
    assert (low.rule, low.comparison, set(low.bounds)) == ("low", "2 > count", {2})


def test_the_rules_find_what_they_find_alone(found: History) -> None:
    assert [(rule.name, rule.firings) for rule in found.rules[:2]] == [("high", 1), ("low", 2)]


def test_the_page_and_json_have_it(found: History) -> None:
    report = make_report(found, ["access.ndjson"])
    shown = " ".join(Page(report_html(report)).shown)
    for words in ("count by 10s", "high: count > limits.most", "5 in the window that ends at"):
        assert words in shown
    body = json.loads(json.dumps(report_json(report)))["series"][0]
    assert body["values"] == [*COUNTS]
    assert body["bounds"][0]["values"] == [9, 4, 4, 4]
    assert (body["window_seconds"], len(body["ends"])) == (10.0, 4)


def test_only_the_extremes_of_long_series_are_kept(tmp_path: Path) -> None:
    (tmp_path / "limits.csv").write_text("since,most\n0,9\n")
    number = 10 * MOST_POINTS
    (one, *_) = watched(plan(TEXT.format(folder=tmp_path)))
    values = np.zeros(number)
    values[number // 2] = 1e6
    (series,) = all_series([_with(one, values)])
    assert len(series.ends) <= MOST_POINTS
    assert series.values.max() == 1e6
    assert np.all(np.diff(series.ends) > 0)


def _with(one: Watched, values: np.ndarray) -> Watched:
    import pyarrow as pa

    from tailrace.kernel.types import RuleFirings

    number = len(values)
    table = pa.table({"value0": values, "bound0": np.full(number, 9)})
    ends = np.arange(1, number + 1) * SECOND
    keys, flags = np.zeros(number, np.int64), np.zeros(number, np.uint8)
    one.parts.append(RuleFirings(one.copy, keys, ends, table, flags))
    return one


PLOTTED = [
    ("far apart, and nothing", [550.0, 0.0, 1.9e9], [1024.0, 1024.0, 1024.0]),
    ("below zero", [-5.0, 7.0, 0.0], [1.0, 1.0, 1.0]),
    ("nulls", [float("nan"), 7.0, float("nan")], [float("nan"), 1.0, 1.0]),
    ("all null", [float("nan")] * 3, [float("nan")] * 3),
    ("nothing at all", [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
]


@pytest.mark.parametrize(
    ("values", "bounds"), [c[1:] for c in PLOTTED], ids=[c[0] for c in PLOTTED]
)
def test_series_of_any_values_are_drawn(values: list[float], bounds: list[float]) -> None:
    found = history()
    ends = np.array([10, 20, 30]) * SECOND
    series = Series(
        "m", 10 * SECOND, ends, np.array(values), [Line("r", "m > 1", np.array(bounds))]
    )
    found.series = [series]
    report = make_report(found, ["x"])
    page = report_html(report)
    Page(page)
    assert "nan" not in page
    assert ("m by 10s" in page) == any(value == value for value in values)  # noqa: PLR0124 - nan
    json.dumps(report_json(report), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.25, "0.25"), (1024, "1.024k"), (1.5e9, "1.5G"), (-2e6, "-2M"), (1e16, "10P")],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text
