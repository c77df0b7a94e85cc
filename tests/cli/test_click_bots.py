"""examples/click-bots over botgen's files: in the order of their numbers, and half written."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.processes import eventually, running, tailrace

from tailrace.engines.control.client import Client

EXAMPLE = Path(__file__).parents[2] / "examples" / "click-bots" / "pipeline.yaml"
START = 1_767_225_600
EVENTS = "outputs.events={file: {path: out/events.ndjson}}"


def place(folder: Path) -> Path:
    """A folder with the example's pipeline and an empty spool."""
    (folder / "logs").mkdir(parents=True)
    shutil.copy(EXAMPLE, folder)
    return folder


def generate(folder: Path, name: str, start: int, seed: int, seconds: int = 60) -> None:
    """A tenth of the course's users, who do as much each, and five bots."""
    options = f"-b 5 -u 100 -n 10 -d {seconds} --seed {seed} --start {start} -f logs/{name}"
    assert tailrace("generate", "bots", *options.split(), cwd=folder).returncode == 0


def told(folder: Path, name: str) -> list[dict[str, Any]]:
    path = folder / "out" / name
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [{k: v for k, v in row.items() if k != "sent_at"} for row in rows]


def read(folder: Path) -> int:
    """How many records the running pipeline has taken; -1 before it can be asked."""
    client = Client.connect(folder / ".tailrace" / "click-bots.duckdb")
    if client is None:
        return -1
    with client:
        return client.status().read


def test_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """By their letters `_10` came before `_2`, and all of `_2` would be late."""
    folder = place(tmp_path)
    generate(folder, "logs-1_minute_10.json", START + 60, seed=1)
    generate(folder, "logs-1_minute_2.json", START, seed=2)
    done = tailrace("run", "pipeline.yaml", "--set", EVENTS, "--output", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["dead"] == summary["blank"] == 0
    assert [rule["late"] for rule in summary["rules"]] == [0] * len(summary["rules"])
    events = told(folder, "events.ndjson")
    assert len(events) == summary["read"] == 2 * (60 * 10 + 30 * 5)
    times = [event["unix_time"] for event in events]
    assert times == sorted(times)
    listed = {row["key"]["ip"] for row in told(folder, "bots.ndjson")}
    assert listed == {f"172.20.0.{n}" for n in range(5)}
    assert {event["ip"] for event in events if event["is_bot"]} <= listed
    # A bot of the first minute is one from the end of the window that shows it.
    minute = [event for event in events if event["unix_time"] >= "2026-01-01T00:01:00"]
    assert all(event["is_bot"] == (event["ip"] in listed) for event in minute)


@pytest.mark.parametrize("share", [0.0001, 0.31, 0.9999])
def test_an_array_that_is_still_being_written(tmp_path: Path, share: float) -> None:
    """Cut anywhere, also within a number; then whole, and a second file beside it."""
    plain, grown = place(tmp_path / "plain"), place(tmp_path / "grown")
    for folder in (plain, grown):
        generate(folder, "logs-1_minute_2.json", START, seed=3)
        generate(folder, "logs-1_minute_10.json", START + 60, seed=4)
    assert tailrace("run", "pipeline.yaml", "--set", EVENTS, cwd=plain).returncode == 0
    first, second = (grown / "logs" / f"logs-1_minute_{n}.json" for n in (2, 10))
    data, rest = first.read_bytes(), second.read_bytes()
    second.unlink()
    cut = max(1, int(len(data) * share))
    first.write_bytes(data[:cut])
    # Nothing becomes idle, however slow the machine.
    follow = ("--set", "source.folder.follow=true", "--set", "time.idle_after=1h", "--set", EVENTS)
    with running("run", "pipeline.yaml", *follow, cwd=grown) as run:
        eventually(lambda: read(grown) == data[:cut].count(b"\n"))
        with first.open("ab") as file:
            file.write(data[cut:])
        second.write_bytes(rest)
        eventually(lambda: read(grown) > data.count(b"\n"))
        run.signal(signal.SIGTERM)
        assert run.ends() == 0, run.said
    done = tailrace("run", "pipeline.yaml", *follow, "--until-end", cwd=grown)
    assert done.returncode == 0, done.stderr
    assert told(grown, "events.ndjson") == told(plain, "events.ndjson")
    assert told(grown, "bots.ndjson") == told(plain, "bots.ndjson")
