"""Spark on a topic that is followed: quiet partitions, the clock, a changed file, a stop."""

import json
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from tests.servers.kafka import Kafka
from tests.servers.ports import free_port
from tests.servers.spark import environment
from tests.services.conftest import skipping
from tests.services.spark.conftest import Made
from tests.services.spark.runs import Run, on_spark, with_kafka

from tailrace.store.store import Store

HEAD = """
name: followed
format: json
time: {field: t, grace: 1s, idle_after: 2s}
fields: {k: text}
outputs:
  rows: {file: {path: rows.ndjson}, rows: windows}
verdicts: {bots: {from: [many], for: 1m}}
store: {path: store.duckdb}
"""
RULES = """
rules:
  - {record: NAME, by: k, window: 10s, select: {MEASURE: count(*)}, to: [rows]}
  - {alert: many, by: k, window: 10s, when: count(*) > 100}
"""
BEFORE = RULES.replace("NAME", "seen").replace("MEASURE", "n")
AFTER = RULES.replace("NAME", "counted").replace("MEASURE", "m")

pytestmark = pytest.mark.timeout(900)


def written(run: Run, source: str, rules: str) -> None:
    (run.folder / "pipeline.yaml").write_text(f"source: {source}\n{HEAD}{rules}")


def rows(run: Run) -> list[dict[str, object]]:
    path = run.folder / "rows.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def send(kafka: Kafka, topic: str, partition: int, seconds: int, key: str) -> None:
    body = {"t": f"2026-01-01T00:00:{seconds:02d}Z", "k": key}
    kafka.send(topic, [json.dumps(body).encode()], partition=partition)


def ban(run: Run, key: str) -> None:
    program = [sys.executable, "-m", "tailrace.cli.main", "verdicts", "ban", "bots", key]
    own = ["--for", "1h", "--store", "store.duckdb"]
    subprocess.run([*program, *own], cwd=run.folder, check=True, env=environment())


def decisions(run: Run) -> list[tuple[str, dict[str, Any]]]:
    """Kinds and bodies, in order."""
    store = Store.open(run.folder / "store.duckdb", "followed")
    try:
        return [(kind, dict(body)) for _, kind, body in store.decisions()]
    finally:
        store.close()


def offsets(run: Run) -> list[str]:
    """Spark's offset log as far as it is kept."""
    folder = run.checkpoint / "offsets"
    return [(folder / str(number)).read_text() for number in run.batches("offsets")]


def test_followed_changed_and_stopped(kafka: Kafka, tmp_path: Path, run: Made) -> None:
    with skipping():
        options = with_kafka("local[2]")
    topic = kafka.fresh_topic(partitions=2)
    kept = f"brokers: '{kafka.address}', topics: [{topic}], group: readers-{topic}"
    source = f"{{kafka: {{{kept}}}}}"
    one = run(tmp_path / "spark", source, options)
    written(one, source, BEFORE)
    # A second partition has nothing yet: without its being idle no window would ever close.
    send(kafka, topic, 0, 1, "a")
    send(kafka, topic, 0, 2, "a")
    one.start()
    one.until(lambda: rows(one))
    window = {"start": "2026-01-01T00:00:00.000Z", "end": "2026-01-01T00:00:10.000Z"}
    assert rows(one) == [{"window": window, "k": "a", "n": 2}]

    # One that returns comes to the watermark; all is told once.
    send(kafka, topic, 1, 15, "b")
    one.until(lambda: len(rows(one)) == 2)
    assert [row["k"] for row in rows(one)] == ["a", "b"]

    # All is quiet: what a person does holds from the clock's watermark on, which a plan has told.
    ban(one, "a")

    written(one, source, AFTER)
    assert one.process is not None
    one.process.send_signal(signal.SIGHUP)
    one.until(lambda: "is taken up" in one.said)
    send(kafka, topic, 0, 35, "c")
    one.until(lambda: len(rows(one)) == 3)
    found = rows(one)[-1]
    assert (found["k"], found["m"]) == ("c", 1)
    one.stop()
    assert len(rows(one)) == 3
    told = decisions(one)
    (place,) = (n for n, (kind, _) in enumerate(told) if kind == "manual")
    clock, manual = told[place - 1 : place + 1]
    assert clock[0] == "clock"
    assert manual[1]["at"] == int(clock[1]["value"]) + 1
    assert any(f'\\"value\\": {clock[1]["value"]}' in text for text in offsets(one))
    assert kafka.committed(f"readers-{topic}", topic) == {0: 3, 1: 1}


def test_what_is_sent_is_answered_once_it_is_committed(tmp_path: Path, run: Made) -> None:
    port = free_port()
    source = f"{{http: {{listen: '127.0.0.1:{port}', path: /in}}}}"
    one = run(tmp_path / "spark", source, on_spark("local[1]"))
    written(one, source, BEFORE)
    one.start()
    body = b"".join(
        json.dumps({"t": f"2026-01-01T00:00:0{second}Z", "k": "a"}).encode() + b"\n"
        for second in (1, 2)
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/in", data=body, headers={"Idempotency-Key": "one"}
    )

    def sent() -> bool:
        with suppress(URLError, ConnectionError):
            answer = urllib.request.urlopen(request, timeout=60)  # noqa: S310 - as above
            return bool(json.load(answer) == {"lines": 2})
        return False

    one.until(sent)
    assert sent(), "the same once more is answered, and taken once"
    one.until(lambda: rows(one))
    assert [row["n"] for row in rows(one)] == [2]
    one.stop()
