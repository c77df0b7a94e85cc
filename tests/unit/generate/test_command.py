import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from tests.unit.generate.clean import READERS, lines_of, rows_of

from tailrace.cli.generate import command
from tailrace.generate.nginx import LAYOUTS
from tailrace.generate.profiles import PROFILES

START = ["--start", "2024-05-01T12:00:00Z"]


def generate(*args: str) -> Result:
    return CliRunner().invoke(command, ["nginx", *args])


def output(*args: str) -> bytes:
    result = generate(*args)
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def labels_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("form", sorted(READERS))
def test_stdout(form: str) -> None:
    assert len(rows_of([output("--count", "50", "--format", form)], form)) == 50


def test_options_reach_the_traffic() -> None:
    args = [*START, "--profile", "seed", "--duration", "1m", "--rate", "10", "--seed", "3"]
    args += ["--clients", "4", "--hosts", "2", "--attack", "flood@10s+10s:client=10.9.8.7"]
    rows = rows_of([output(*args)])
    assert len(rows) == 600 + 50
    assert rows[0]["@timestamp"] == "1714564800.000000"
    assert {row["host"] for row in rows} == {"api_0.example.com", "api_1.example.com"}
    assert len({row["client_ip"] for row in rows}) == 5
    assert output(*args) == output(*args)


def test_out_replaces_and_append_adds(tmp_path: Path) -> None:
    path = tmp_path / "access.ndjson"
    for extra, lines in [([], 5), ([], 5), (["--append"], 10)]:
        assert output("--count", "5", "--out", str(path), *extra) == b""
        assert len(rows_of([path.read_bytes()])) == lines


def test_labels(tmp_path: Path) -> None:
    path = tmp_path / "labels.ndjson"
    faults = ["--late", "0.1", "--duplicates", "0.1", "--malformed", "0.1"]
    args = [*START, "--count", "5000", "--attacks", "4", *faults, "--labels", str(path)]
    lines = lines_of([output(*args)])
    *episodes, summary = labels_in(path)
    assert {episode["kind"] for episode in episodes} == {
        "flood",
        "failing-host",
        "slow-host",
        "scanner",
    }
    assert all("2024-05-01T12:00:00" <= episode["start"] < episode["end"] for episode in episodes)
    assert summary["kind"] == "summary"
    assert summary["lines"] == len(lines) == 5000
    assert summary["malformed"] == sum(READERS["json"](line) is None for line in lines)
    assert all(400 < summary[fault] < 600 for fault in ("late", "duplicates", "malformed"))


def test_real_time_gives_the_same_lines() -> None:
    args = [*START, "--count", "200", "--rate", "2000"]
    assert output(*args, "--real-time") == output(*args)


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--rate", "0"], "--rate: 0.0 is not a number above 0"),
        (["--duration", "5 minutes"], "'--duration': '5 minutes' is not a duration"),
        (["--start", "noon"], "'--start': 'noon' is neither"),
        (["--attack", "flood@5s"], "'--attack': 'flood@5s' is not of the form"),
        (["--attack", "flood@5m+1s"], "--attack: the flood begins 300 s after the start"),
        (["--attacks", "-1"], "--attacks: -1 is below 0"),
        (["--late-by", "0s"], "--late-by: 0 is not a number above 0"),
        (["--malformed", "2"], "--malformed: 2.0 is not a share between 0 and 1"),
        (["--format", "xml"], "'--format': 'xml' is not one of"),
        (["--append"], "--append needs --out FILE"),
        (["--out", "no/such/folder"], "--out: no/such/folder: No such file or directory"),
        (["--labels", "no/such/folder"], "'--labels': 'no/such/folder'"),
    ],
)
def test_mistakes(args: list[str], complaint: str) -> None:
    result = generate("--count", "5", *args)
    assert result.exit_code == 2
    assert complaint in result.output


def test_choices_are_all_there_is() -> None:
    assert isinstance(command, click.Group)
    offered = {
        option.name: list(option.type.choices)
        for option in command.commands["nginx"].params
        if isinstance(option.type, click.Choice)
    }
    assert offered == {"profile": list(PROFILES), "format": list(LAYOUTS)}


def test_help_has_examples() -> None:
    assert "tailrace generate nginx --rate 1000 --duration 10m" in output("--help").decode()


def start(*args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tailrace.cli.main", "generate", "nginx", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        # Then a write to a full pipe that a signal interrupts is a partial one.
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("args", "interrupted"),
    [
        (["--rate", "50"], False),  # endless: a signal is how it ends
        (["--no-real-time"], False),
        (["--count", "2000000000"], True),
    ],
)
def test_a_signal_ends_it_after_a_whole_line(
    tmp_path: Path, number: signal.Signals, args: list[str], interrupted: bool
) -> None:
    path = tmp_path / "labels.ndjson"
    attack = ["--attack", "flood@0+1h", "--attack", "flood@5000h+1h"]
    process = start(*args, *attack, "--labels", str(path))
    assert process.stdout
    first = process.stdout.readline()
    process.send_signal(number)
    rest, errors = process.communicate()
    assert errors == b""
    assert process.returncode == (128 + number if interrupted else 0)
    *episodes, summary = labels_in(path)
    assert summary["lines"] == len(rows_of([first, rest]))
    [episode] = episodes  # the other one had not begun
    assert summary["first"] >= episode["start"]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "labels.ndjson"
    process = start("--no-real-time", "--labels", str(path))
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    assert labels_in(path)[-1]["kind"] == "summary"
    process.stderr.close()
