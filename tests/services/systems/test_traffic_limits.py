"""examples/traffic-limits on generated packets: its alerts are the truth that the generator tells.

From a capture file; and from the old topic with limits in PostgreSQL, killed on the way.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url
from tests.cli.processes import COMMAND, environment, tailrace

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka
    from tests.servers.postgresql import PostgreSQL

EXAMPLE = Path(__file__).parents[3] / "examples" / "traffic-limits"
PATIENCE = 120.0
MADE = (
    *("generate", "packets", "--start", "2026-01-31T12:00:00Z", "--duration", "2h"),
    *("--rate", "8", "--over", "2", "--below", "3", "--truth", "truth.ndjson"),
)

Alert = tuple[str, str, int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("pipeline.yaml", "kafka.yaml", "traffic_limits.json"):
        shutil.copy(EXAMPLE / name, tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path


def windows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.ndjson").read_text().splitlines()]


def crossings(truth: list[dict[str, Any]]) -> list[Alert]:
    """Rule, start of the first window and its volume, of each run of windows beyond a limit."""
    found = []
    before = "within"
    for window in truth:
        state = window["state"]
        if state not in ("within", before):
            rule = {"over": "above_maximum", "below": "below_minimum"}[state]
            found.append((rule, window["start"][:19], window["bytes"]))
        before = state
    return sorted(found)


def opened(alerts: list[dict[str, Any]]) -> list[Alert]:
    return sorted(
        (alert["rule"], alert["window"]["start"][:19], alert["measures"]["volume"])
        for alert in alerts
        if alert["reason"] == "opened"
    )


def test_a_capture_file(folder: Path) -> None:
    made = tailrace(*MADE, "--ipv6", "0.2", "--late", "0.05", "--out", "x.pcap", cwd=folder)
    assert made.returncode == 0, made.stderr
    ended = tailrace("run", "pipeline.yaml", cwd=folder, PCAP="x.pcap")
    assert ended.returncode == 0, ended.stderr
    alerts = [json.loads(line) for line in (folder / "out" / "alerts.ndjson").open()]
    truth = windows(folder)
    assert opened(alerts) == crossings(truth)
    assert {alert["reason"] for alert in alerts} == {"opened", "resolved"}
    query = "select volume, packets from volume order by window_start"
    told = tailrace("query", query, "pipeline.yaml", "--format", "json", cwd=folder)
    assert told.returncode == 0, told.stderr
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(row["volume"], row["packets"]) for row in rows] == [
        (window["bytes"], window["packets"]) for window in truth
    ]


@pytest.mark.services
def test_the_old_topic(folder: Path, kafka: Kafka, postgresql: PostgreSQL) -> None:
    packets, alerts = kafka.fresh_topic(), kafka.fresh_topic()
    url = make_url(postgresql.fresh_database()).set(drivername="postgresql")
    env = {
        "TAILRACE_KAFKA": kafka.address,
        "TOPIC": packets,
        "LIMITS_DATABASE": url.render_as_string(hide_password=False),
    }
    sets = ("--set", f"outputs.alerts.kafka.topic={alerts}")
    made = tailrace("init", "kafka.yaml", *sets, cwd=folder, **env)
    assert made.returncode == 0, made.stdout + made.stderr
    to = f"kafka://{kafka.address}/{packets}"
    made = tailrace(*MADE, "--form", "topic", "--to", to, cwd=folder)
    assert made.returncode == 0, made.stderr
    process = subprocess.Popen(
        (*COMMAND, "run", "kafka.yaml", *sets),
        cwd=folder,
        env=environment() | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE
    while not kafka.values(alerts):
        assert time.monotonic() < until
        time.sleep(0.1)
    process.kill()
    process.wait()
    ended = tailrace("run", "kafka.yaml", *sets, "--until-end", cwd=folder, **env)
    assert ended.returncode == 0, ended.stderr
    told = [json.loads(value) for value in kafka.values(alerts) if value is not None]
    assert opened(told) == crossings(windows(folder))
    assert len({alert["id"] for alert in told}) == len(told)
