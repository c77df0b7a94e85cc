"""A backtest's page as a browser shows it: nothing runs, nothing sticks out, day and night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.browser.chromium import measured
from tests.servers.installed import Missing
from tests.unit.backtest.data import history
from tests.unit.backtest.test_html import HOSTILE, hostile_history, report

from tailrace.backtest.history import Line, Series
from tailrace.backtest.html import report_html
from tailrace.backtest.reporting import make_report

SCRIPT = """{
  title: document.title,
  width: document.documentElement.scrollWidth,
  window: window.innerWidth,
  strangers: document.querySelectorAll('img, a, iframe, object, link, body script').length,
  text: document.body.innerText,
  page: getComputedStyle(document.body).backgroundColor,
  ink: getComputedStyle(document.body).color,
  bar: getComputedStyle(document.querySelector('rect.mark')).fill,
  bars: [...document.querySelectorAll('rect.mark')].filter(b => b.getBoundingClientRect().width > 0)
    .length,
  outside: [...document.querySelectorAll('svg rect, svg circle')].filter(mark => {
    const box = mark.getBoundingClientRect(), svg = mark.ownerSVGElement.getBoundingClientRect();
    return box.left < svg.left - 1 || box.right > svg.right + 1
      || box.top < svg.top - 1 || box.bottom > svg.bottom + 1;
  }).length
}"""


def shown(page: str, folder: Path, *, width: int = 1200, dark: bool = False) -> dict[str, Any]:
    try:
        found: dict[str, Any] = measured(page, SCRIPT, folder, width=width, dark=dark)
    except Missing as missing:
        pytest.skip(str(missing))
    return found


@pytest.mark.parametrize("width", [500, 1200])
def test_nothing_sticks_out(tmp_path: Path, width: int) -> None:
    found = shown(report_html(report(tmp_path)), tmp_path, width=width)
    assert found["width"] <= found["window"]
    assert found["outside"] == 0
    assert found["bars"] >= 4
    assert "2 of 3 episodes found" in found["text"]


@pytest.mark.parametrize("width", [500, 1200])
def test_a_measure_over_time_stays_in_its_plot(tmp_path: Path, width: int) -> None:
    found = history()
    ends = np.arange(1, 101) * 60_000_000
    values = np.where(np.arange(100) % 7, 2e7, 0.0)
    line = Line("low", "volume < limits.min", np.full(100, 1024.0))
    found.series = [Series("volume", 60_000_000, ends, values, [line])]
    seen = shown(report_html(make_report(found, ["x"])), tmp_path, width=width)
    assert seen["outside"] == 0
    assert "volume by 1m" in seen["text"]


def test_by_day_and_by_night(tmp_path: Path) -> None:
    page = report_html(report(tmp_path))
    light, dark = (shown(page, tmp_path, dark=dark) for dark in (False, True))
    assert light["page"] == "rgb(255, 255, 255)"
    for seen in (light, dark):
        assert len({seen["page"], seen["ink"], seen["bar"]}) == 3
    for part in ("page", "ink", "bar"):
        assert light[part] != dark[part]


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    page = report_html(report(tmp_path, hostile_history(), "client_ip\na\n"))
    found = shown(page, tmp_path)
    assert found["title"] == "Backtest of web"
    # The test's own script is the only one.
    assert found["strangers"] == 1
    for text in HOSTILE[:4]:
        assert text in found["text"]
