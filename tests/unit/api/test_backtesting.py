"""Backtests in Python say what the command says."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.backtest.data import NOON, PIPELINE, lines, written

from tailrace import Pipeline, TailraceError
from tailrace.backtest.progress import Progress
from tailrace.cli.backtest import command
from tailrace.cli.ticker import Ticker


def test_the_same_report_as_the_command_writes(tmp_path: Path) -> None:
    path = written(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(PIPELINE.replace("name: web", "name: tuned").replace("> 5", "> 4"))
    truth, log = tmp_path / "truth.csv", tmp_path / "access.ndjson"
    options = ["--truth", truth, "--sweep", "flood.threshold=4..6", "--against", other]
    options += ["--until", NOON + 400, "--input", log, "--json", "-"]
    told = CliRunner().invoke(command, [str(path), *map(str, options)])
    assert told.exit_code == 0, told.output
    tested = Pipeline.load(path).backtest(
        files=log,
        truth=truth,
        sweeps=["flood.threshold=4..6"],
        against=Pipeline.load(other),
        end=datetime.fromtimestamp(NOON + 400, UTC),
    )
    assert json.loads(json.dumps(tested.to_dict())) == json.loads(told.stdout)
    assert tested.to_html().startswith("<!doctype html>")
    assert repr(tested) == "<Backtest of web: 4 alerts over 194 events; 2 of 3 episodes found>"


def test_tables(tmp_path: Path) -> None:
    tested = Pipeline.load(written(tmp_path)).backtest(
        truth=tmp_path / "truth.csv", sweeps="flood.threshold=4..6"
    )
    flood = tested.rules.to_pylist()[0]
    assert (flood["rule"], flood["alerts"], flood["precision"]) == ("flood", 2, 1.0)
    assert tested.incidents["rule"].to_pylist() == ["flood", "flood"]
    swept = tested.sweeps.to_pylist()
    assert [(row["threshold"], row["current"], row["incidents"]) for row in swept] == [
        (4.0, False, 3),
        (5.0, True, 2),
        (6.0, False, 2),
    ]
    assert sum(row["best"] for row in swept) == 1


def test_nothing_found() -> None:
    tested = Pipeline.parse(PIPELINE).backtest(records=[])
    assert tested.incidents.num_rows == tested.sweeps.num_rows == 0
    assert repr(tested) == "<Backtest of web: 0 alerts over 0 events>"


def test_progress() -> None:
    heard: list[Progress] = []
    Pipeline.parse(PIPELINE).backtest(records=lines(), progress=heard.append)
    assert heard[-1].records == len(lines())
    assert heard[-1].reached is not None
    assert [one.records for one in heard] == sorted(one.records for one in heard)


REFUSED = [
    ({"begin": "yesterday"}, "yesterday"),
    ({"truth": "none.csv"}, "No such file"),
    ({"sweeps": "flod.threshold=1..2"}, "there is no rule 'flod'"),
    ({"records": [], "files": "x"}, "a run has one input"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_mistakes(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(TailraceError) as caught:
        Pipeline.load(written(tmp_path)).backtest(**options)  # type: ignore[arg-type]  # of any kind
    assert message in caught.value.render()


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_that_comes_late_and_goes() -> None:
    now = [0.0]
    screen = Screen()
    ticker = Ticker(screen, clock=lambda: now[0])
    ticker.tell(Progress(10, None, None))
    ticker.clear()
    assert screen.getvalue() == ""  # done at once: nothing was to be told
    now[0] = 2.0
    ticker.tell(Progress(3000, 0, 0.25))
    ticker.tell(Progress(4000, 0, 0.5))  # too soon after
    ticker.clear()
    shown, gone = screen.getvalue().split("\r\x1b[K")[1:]
    assert (shown, gone) == (" 25%  3,000 records, 1,500/s  at 1970-01-01 00:00:00Z", "")


def test_no_line_but_on_a_terminal() -> None:
    file = io.StringIO()
    ticker = Ticker(file, clock=iter(range(100)).__next__)
    for number in range(5):
        ticker.tell(Progress(number, None, None))
    ticker.clear()
    assert file.getvalue() == ""
