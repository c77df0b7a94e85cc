"""The page: well-formed, without anything from elsewhere, and text from logs stays text."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.unit.backtest.data import PIPELINE, TRUTH, history, line, plan

from tailrace.backtest.history import History
from tailrace.backtest.html import report_html
from tailrace.backtest.html.axes import nice_ticks, time_ticks, whole_ticks
from tailrace.backtest.html.markup import Markup, tag, text
from tailrace.backtest.report import Report
from tailrace.backtest.report_json import report_json
from tailrace.backtest.report_text import report_lines, sparkline
from tailrace.backtest.reporting import make_report
from tailrace.backtest.sweep import parse_sweep, sweep
from tailrace.backtest.truth import read_truth
from tailrace.cli.backtest import _aligned

HOSTILE = [
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</title></style><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "\u202eevil\u2066",
    "\x00\x1b[2J\r\n\x85",
    "&lt;b&gt;",
    "]]>-->",
]
VOID = {"meta"}
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "b", "i", "span"),
    *("table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "rect", "line", "text", "path", "circle"),
}


class Page(HTMLParser):
    """Checks nesting, names of elements and attributes; keeps what is shown."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.shown: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        assert name in ELEMENTS
        self.attributes |= {attribute for attribute, _ in attrs}
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.shown.append(data)


def report(folder: Path, found: History | None = None, truth: str = TRUTH) -> Report:
    (folder / "truth.csv").write_text(truth)
    swept = "flood.threshold=1..12"
    known = found or history(None, swept)
    return make_report(
        known,
        ["access.ndjson"],
        truth=read_truth(folder / "truth.csv"),
        sweeps=[sweep(plan(), parse_sweep(swept))],
        against=history(plan(PIPELINE.replace("> 5", "> 4"))),
    )


def hostile_history() -> History:
    lines = []
    for number, ip in enumerate(HOSTILE):
        body = json.dumps(ip)
        for at in range(10):
            start = line(at + 20 * number, "IP", 200)
            lines.append(start.replace('"IP"', body))
    return history(None, "flood.threshold=1..12", records=lines)


def test_the_page_is_well_formed_and_fetches_nothing(tmp_path: Path) -> None:
    page = report_html(report(tmp_path))
    found = Page(page)
    assert not found.attributes & {"src", "href", "onload", "onerror", "action", "style", "data"}
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    shown = " ".join(found.shown)
    for word in ("Backtest of web", "192.0.2.1", "best F1", "192.0.2.9", "2 of 3 episodes found"):
        assert word in shown


def test_text_from_logs_stays_text(tmp_path: Path) -> None:
    truth = json.dumps({"client_ip": HOSTILE[0], "kind": HOSTILE[1]})
    page = report_html(report(tmp_path, hostile_history(), truth))
    found = Page(page)
    assert not any(name.startswith("on") for name in found.attributes)
    shown = "".join(found.shown)
    for each in HOSTILE[:4]:
        assert each in shown
    for character in "\u202e\u2066\x00\x1b\x85":
        assert character not in page
    assert "\\u202eevil\\u2066" in shown


def test_nothing_breaks_out_of_a_terminal(tmp_path: Path) -> None:
    lines = list(report_lines(report(tmp_path, hostile_history(), "client_ip\na\n"), _aligned))
    assert all(line.isprintable() for line in lines)


def test_json_reads_back(tmp_path: Path) -> None:
    body = json.loads(json.dumps(report_json(report(tmp_path))))
    assert body["version"] == 1
    assert body["input"]["read"] == body["input"]["events"] == 210
    assert [rule["rule"] for rule in body["rules"]] == ["flood", "errors", "teapot"]
    flood, _, teapot = body["rules"]
    assert (flood["alerts"], flood["keys"], sum(flood["per_bucket"])) == (2, 2, 2)
    assert (teapot["judges"], teapot["alerts"], teapot["score"]) == ("events", 2, None)
    assert flood["score"]["precision"] == 1.0
    (swept,) = body["sweeps"]
    assert [p["threshold"] for p in swept["points"] if p["current"]] == [5.0]
    assert 5 <= swept["best"] <= 9
    assert body["against"]["keys"][0]["only_there"] == [["192.0.2.9"]]


@pytest.mark.parametrize("records", [[], ["{"], [line(0, "192.0.2.1", 200)]])
def test_hardly_any_input(records: list[str]) -> None:
    found = make_report(history(records=records), ["nothing"])
    Page(report_html(found))
    json.dumps(report_json(found))
    assert list(report_lines(found, _aligned))


def test_escapes() -> None:
    assert text("<&\"'\n") == "&lt;&amp;&quot;&#x27;\\x0a"
    assert tag("p", "<", Markup("<b>"), class_='"') == '<p class="&quot;">&lt;<b></p>'
    assert (
        tag("rect", stroke_width=1.0, x=1.239, y=None) == '<rect stroke-width="1" x="1.24"></rect>'
    )


TICKS = [
    ((0, 1, 4), [0, 0.5, 1]),
    ((0, 10, 5), [0, 2, 4, 6, 8, 10]),
    ((-1, 1, 4), [-1, -0.5, 0, 0.5, 1]),
    ((3, 3, 5), [3]),
]


@pytest.mark.parametrize(("given", "expected"), TICKS)
def test_ticks(given: tuple[float, float, int], expected: list[float]) -> None:
    assert nice_ticks(*given) == expected


def test_whole_ticks() -> None:
    assert whole_ticks(2) == [0, 1, 2]
    assert whole_ticks(1) == [0, 1]


def test_times_over_years() -> None:
    ticks, pattern = time_ticks(0, 4 * 365 * 86_400_000_000)
    assert 3 < len(ticks) < 12
    assert pattern == "%Y-%m-%d"


SPARKS = [([], ""), ([0, 0], "  "), ([0, 1, 8], " ▁█"), ([1, 1000], "▁█"), ([3, 3], "██")]


@pytest.mark.parametrize(("values", "line"), SPARKS)
def test_sparklines(values: list[int], line: str) -> None:
    assert sparkline(values) == line


@pytest.mark.parametrize("keyed", [True, False])
def test_keys_are_counted_where_rules_have_one(tmp_path: Path, *, keyed: bool) -> None:
    made = report(tmp_path)
    if not keyed:
        made = replace(made, rules=tuple(replace(rule, fields=()) for rule in made.rules))
    assert ("keys accused" in Page(report_html(made)).shown) is keyed
