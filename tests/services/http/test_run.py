"""Whole pipelines that call services: killed at random moments, refused, and told again."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.disturbed import EARLY, traffic
from tests.servers.alertmanager import Alertmanager
from tests.servers.receiver import Receiver
from tests.services.processes import Running

from tailrace.store.store import Store

if TYPE_CHECKING:
    from tests.services.conftest import Fresh

pytestmark = pytest.mark.services

PIPELINE = """\
name: web
source: {file: {path: LOG, follow: true}}
time: {field: "@timestamp", grace: 2s}
fields: {client_ip: text, host: text, status: integer, request_time: double}
rules:
  - alert: flood
    by: client_ip
    window: 10s every 1s
    when: count(*) > 60
    keep_firing_for: 3s
    to: [incidents]
  - {record: latency, by: host, window: 7s, select: {n: count(*)}, to: [rows]}
outputs:
  incidents: {webhook: {url: "URL/incidents", body: {text: "{state} {client_ip}", id: "{id}"}}}
  rows: {webhook: {url: "URL/rows", batch: 20}, rows: windows}
store: {path: s.duckdb}
"""


def told(receiver: Receiver) -> dict[str, Any]:
    """What was taken, by id; notices, which may or may not come, aside."""
    found: dict[str, Any] = {}
    for request in receiver.taken:
        for row in request.json if request.path == "/rows" else [request.json]:
            assert found.setdefault(row["id"], row) == row
    return {key: row for key, row in found.items() if "notice" not in row.get("text", "")}


def test_killed_at_any_moment_each_id_comes(fresh: Fresh[Receiver], tmp_path: Path) -> None:
    receiver = fresh(Receiver())
    log = tmp_path / "log.ndjson"
    log.touch()
    text = PIPELINE.replace("LOG", str(log)).replace("URL", receiver.url)
    run = Running(tmp_path / "killed", text)
    whole = traffic(4, 4000, EARLY)
    chance = random.Random(3)
    try:
        run.start()
        time.sleep(1)
        for number in range(4):
            with log.open("ab") as file:
                file.write(whole[len(whole) * number // 4 : len(whole) * (number + 1) // 4])
            time.sleep(chance.uniform(0.1, 0.6))
            if number % 2:
                receiver.kill()
                receiver.start()
            run.kill()
            run.start()
        run.kill()
        run.finish()
    finally:
        run.end()
    found = told(receiver)
    receiver.forget()
    Running(tmp_path / "plain", text).finish()
    expected = told(receiver)
    assert found == expected
    assert {"/rows", "/incidents"} == {request.path for request in receiver.taken}


def test_refused_rows_are_kept(fresh: Fresh[Receiver], tmp_path: Path) -> None:
    receiver = fresh(Receiver())
    receiver.answer({"when": '"n":', "status": 400, "body": "not\x1b[2J today"})
    log = tmp_path / "log.ndjson"
    log.write_bytes(traffic(4, 4000, EARLY))
    run = Running(tmp_path / "run", PIPELINE.replace("LOG", str(log)).replace("URL", receiver.url))
    run.finish()
    store = Store.open(run.folder / "s.duckdb", "web")
    try:
        refused = store.query("select * from refused").to_pylist()
    finally:
        store.close()
    assert {row["output"] for row in refused} == {"rows"}
    assert {row["reason"] for row in refused} == {"400: not\\x1b[2J today"}
    assert all("n" in json.loads(row["body"]) for row in refused)
    assert told(receiver)


ALERTS = """\
name: web
source: {file: {path: LOG, follow: true}}
time: {field: ts, grace: 0s}
fields: {host: text}
rules:
  - {alert: seen, by: host, window: 10s, when: count(*) >= 1, keep_firing_for: 1h, to: [pager],
     labels: {severity: page}}
outputs:
  pager: {alertmanager: {url: "URL", resend_every: 300ms}}
store: {path: s.duckdb}
"""


def test_alerts_fire_while_it_runs(fresh: Fresh[Alertmanager], tmp_path: Path) -> None:
    server = fresh(Alertmanager())
    log = tmp_path / "log.ndjson"
    start = int(time.time()) - 100

    def write(*rows: tuple[int, str]) -> None:
        with log.open("a") as file:
            file.writelines(
                json.dumps({"ts": start + at, "host": host}) + "\n" for at, host in rows
            )

    write((0, "a"), (30, "b"))
    run = Running(tmp_path / "run", ALERTS.replace("LOG", str(log)).replace("URL", server.url))

    def firing() -> set[str]:
        return {alert["labels"]["host"] for alert in server.alerts()}

    try:
        run.start()
        run.eventually(lambda: firing() >= {"a"})
        # The server forgets, and Tailrace dies: what fires is told again, from the store.
        run.kill()
        run.eventually(lambda: not firing())
        run.start()
        run.eventually(lambda: firing() >= {"a"})
        server.kill()
        server.start()
        run.eventually(lambda: firing() >= {"a"})
        write((4000, "b"), (4100, "b"))
        run.eventually(lambda: "a" not in firing())
        (alert,) = (one for one in server.alerts() if one["labels"]["host"] == "b")
        assert alert["labels"] == {
            "alertname": "seen",
            "pipeline": "web",
            "host": "b",
            "severity": "page",
        }
    finally:
        run.end()
