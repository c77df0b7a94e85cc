"""Kill -9 at random moments while a file is followed; outputs and store equal an undisturbed run's.

A writer appends; the engine is started, killed and started again until all is written, then runs to
the end of the file. The undisturbed run reads the same file once. Early notices are left out of the
comparison: which windows get one is outside the promise.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyarrow import parquet
from tests.disturbed import plain, traffic

from tailrace.store.dump import dump
from tailrace.store.store import Store

PIPELINE = """
name: crash
source:
  file: {path: LOG, follow: true}
time: {field: "@timestamp", grace: 2s, idle_after: 1h}
fields:
  client_ip: text
  host: text
  status: integer
  request_time: double
dedup: {by: [client_ip, host, request_time], within: 1s}
rules:
  - alert: flood
    by: client_ip
    window: 10s every 1s
    when: count(*) > 60
    for: 2s
    keep_firing_for: 3s
    update_every: 4s
    to: [incidents, incident_table]
  - alert: errors
    by: host
    window: 20s every 5s
    where: status >= 400
    when: count(*) > 5 and count(distinct client_ip) > 2
    to: [rows]
  - record: latency
    by: host
    window: 7s
    select:
      mean: avg(request_time)
      p95: quantile(request_time, 0.95)
      worst: max(request_time)
      spread: stddev(request_time)
    to: [rows, parquet, latency_table]
  - alert: slow
    when: request_time > 2
    to: [slow]
archive: {to: [events]}
outputs:
  incidents: {file: {path: OUT/incidents.ndjson}}
  incident_table: {table: {name: incident_rows}}
  rows: {file: {path: OUT/rows.ndjson}, rows: windows}
  parquet: {file: {path: OUT/latency/}}
  latency_table: {table: {name: latency}}
  slow: {file: {path: OUT/slow.ndjson}}
  events: {file: {path: OUT/events.ndjson}}
store: {path: OUT/store.duckdb}
"""


@dataclass(frozen=True)
class Place:
    """A pipeline file with outputs and a store of its own."""

    folder: Path

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.yaml"

    @classmethod
    def made(cls, folder: Path, log: Path) -> Place:
        folder.mkdir()
        text = PIPELINE.replace("LOG", str(log)).replace("OUT", str(folder))
        (folder / "pipeline.yaml").write_text(text)
        return cls(folder)

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tailrace.cli.main", "run", str(self.pipeline), *options]
        with (self.folder / "run.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def finish(self) -> None:
        process = self.start("--until-end")
        assert process.wait(timeout=120) == 0, (self.folder / "run.log").read_text()[-2000:]


def contents(place: Place) -> dict[str, object]:
    """Everything that two runs must agree on."""
    store = Store.open(place.folder / "store.duckdb", "crash")
    try:
        found: dict[str, object] = {"store": dump(store)}
    finally:
        store.close()
    for name in ("incidents", "rows", "slow", "events"):
        path = place.folder / f"{name}.ndjson"
        lines = path.read_text().splitlines() if path.exists() else []
        found[name] = sorted(filter(None, (plain(line) for line in lines)))
    found["parquet"] = sorted(
        str(row)
        for path in (place.folder / "latency").glob("*.parquet")
        for row in parquet.read_table(path).to_pylist()
    )
    return found


def crash(tmp_path: Path, seed: int, kills: int, count: int) -> None:
    draw = random.Random(seed)
    log = tmp_path / "access.ndjson"
    data = traffic(seed, count)
    place = Place.made(tmp_path / "killed", log)
    log.write_bytes(b"")
    written = killed = 0
    process = place.start()
    while killed < kills or written < len(data):
        moment = time.monotonic() + draw.uniform(0.3, 1.6)
        while time.monotonic() < moment:
            piece = data[written : written + draw.randint(1, max(2, len(data) // (12 * kills)))]
            with log.open("ab") as sink:
                sink.write(piece)
            written += len(piece)
            time.sleep(0.02)
        if killed < kills:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
            process = place.start()
    process.send_signal(signal.SIGKILL)
    process.wait()
    place.finish()
    undisturbed = Place.made(tmp_path / "undisturbed", log)
    undisturbed.finish()
    expected, found = contents(undisturbed), contents(place)
    for name, value in expected.items():
        assert found[name] == value, f"{name} differs after {killed} kills, seed {seed}"
    assert expected["incidents"]
    assert expected["slow"]


def test_killed_five_times(tmp_path: Path) -> None:
    crash(tmp_path, seed=1, kills=5, count=6000)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 7))
def test_killed_many_times(tmp_path: Path, seed: int) -> None:
    crash(tmp_path, seed=seed, kills=10, count=12_000)
