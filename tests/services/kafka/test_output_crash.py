"""Whatever is killed under load, topics end up as after an undisturbed run, in committed reads.

A writer appends to a log that is followed; Tailrace and the broker are killed and paused at random
moments. Then the rest is read, and each topic is compared with that of a run that nobody disturbed:
the same messages, each as often. Nothing becomes idle: that a partition was idle while the writer
stood still would be a decision, which the undisturbed run hasn't made.
"""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.disturbed import traffic
from tests.services.kafka.runs import Run

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

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
rules:
  - alert: flood
    by: client_ip
    window: 10s every 1s
    when: count(*) > 60
    update_every: 4s
    to: [incidents]
  - alert: errors
    by: host
    window: 20s every 5s
    where: status >= 400
    when: count(*) > 5
    to: [rows]
  - record: latency
    by: host
    window: 7s
    select: {mean: avg(request_time)}
    to: [rows]
  - alert: slow
    when: request_time > 1
    to: [slow]
archive: {to: [events]}
outputs:
  incidents: {kafka: {brokers: "BROKERS", topic: INCIDENTS, key: "{id}"}}
  rows: {kafka: {brokers: "BROKERS", topic: ROWS, key: "{host}"}, rows: windows}
  slow: {kafka: {brokers: "BROKERS", topic: SLOW}}
  events: {kafka: {brokers: "BROKERS", topic: EVENTS, options: {compression.type: lz4}}}
store: {path: store.duckdb}
"""
OUTPUTS = ("incidents", "rows", "slow", "events")

Break = Callable[[Run, random.Random], None]


def made(kafka: Kafka, folder: Path, log: Path) -> Run:
    folder.mkdir()
    topics = {name: kafka.fresh_topic(partitions=2) for name in OUTPUTS}
    text = PIPELINE.replace("LOG", str(log)).replace("BROKERS", kafka.address)
    for name, topic in topics.items():
        text = text.replace(name.upper(), topic)
    (folder / "pipeline.yaml").write_text(text)
    return Run(kafka, folder, topics)


def kill_tailrace(run: Run, _: random.Random) -> None:
    run.kill()
    run.start()


def kill_broker(run: Run, draw: random.Random) -> None:
    run.kafka.kill()
    time.sleep(draw.uniform(0.0, 1.0))
    run.kafka.start()


def pause_broker(run: Run, draw: random.Random) -> None:
    run.kafka.pause()
    time.sleep(draw.uniform(0.5, 3.0))
    run.kafka.resume()


def pause_broker_for_long(run: Run, _: random.Random) -> None:
    """Longer than any call of Tailrace waits."""
    run.kafka.pause()
    time.sleep(35)
    run.kafka.resume()


def kill_both(run: Run, draw: random.Random) -> None:
    run.kafka.kill()
    time.sleep(draw.uniform(0.0, 0.5))
    run.kill()
    run.kafka.start()
    run.start()


def pause_tailrace(run: Run, draw: random.Random) -> None:
    assert run.process is not None
    run.process.send_signal(signal.SIGSTOP)
    time.sleep(draw.uniform(0.5, 3.0))
    run.process.send_signal(signal.SIGCONT)


def crash(kafka: Kafka, folder: Path, seed: int, breaks: list[Break], count: int) -> None:
    draw = random.Random(seed)
    log = folder / "access.ndjson"
    data = traffic(seed, count)
    log.write_bytes(b"")
    run = made(kafka, folder / "disturbed", log)
    written = 0
    run.start()
    try:
        while breaks or written < len(data):
            moment = time.monotonic() + draw.uniform(0.3, 2.0)
            while time.monotonic() < moment:
                piece = data[written : written + draw.randint(1, max(2, len(data) // 60))]
                with log.open("ab") as sink:
                    sink.write(piece)
                written += len(piece)
                time.sleep(0.02)
            if breaks:
                breaks.pop(0)(run, draw)
    finally:
        run.kill()
    run.finish()
    undisturbed = made(kafka, folder / "undisturbed", log)
    undisturbed.finish()
    expected, found = undisturbed.messages(), run.messages()
    for name, messages in expected.items():
        assert found[name] == messages, f"{name} differs, seed {seed}"
        assert messages


def test_killed(kafka: Kafka, tmp_path: Path) -> None:
    crash(kafka, tmp_path, 1, [kill_tailrace] * 3 + [kill_broker, kill_tailrace], 6000)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize(
    "breaks",
    [
        pytest.param([kill_tailrace] * 12, id="tailrace killed"),
        pytest.param([kill_broker] * 4, id="broker killed"),
        pytest.param([pause_broker] * 6, id="broker paused"),
        pytest.param([pause_broker_for_long], id="broker paused for long"),
        pytest.param([kill_both] * 3, id="both killed"),
        pytest.param([pause_tailrace] * 5, id="tailrace paused"),
        pytest.param(
            [pause_broker, kill_tailrace, kill_broker, pause_tailrace, kill_both], id="all of it"
        ),
    ],
)
def test_disturbed(kafka: Kafka, tmp_path: Path, breaks: list[Break], seed: int) -> None:
    crash(kafka, tmp_path, seed, list(breaks), 12_000)


def test_an_outbox_that_fills_and_drains(kafka: Kafka, tmp_path: Path) -> None:
    log = tmp_path / "access.ndjson"
    data = traffic(7, 6000)
    log.write_bytes(data[: len(data) // 2])
    run = made(kafka, tmp_path / "disturbed", log)
    run.pipeline.write_text(run.pipeline.read_text() + "outbox: {max_bytes: 100kB}\n")
    run.start()
    try:
        until = time.monotonic() + 120
        while not kafka.values(run.topics["events"]):
            assert time.monotonic() < until
        kafka.pause()
        log.write_bytes(data)
        time.sleep(3)
        kafka.resume()
    finally:
        run.kill()
    run.finish()
    undisturbed = made(kafka, tmp_path / "undisturbed", log)
    undisturbed.finish()
    assert run.messages() == undisturbed.messages()


def begun(kafka: Kafka, folder: Path) -> tuple[Run, Path, bytes]:
    """A run that has read the first half of a log and was stopped; the log; all that it gets."""
    log = folder / "access.ndjson"
    data = traffic(8, 6000)
    log.write_bytes(data[: len(data) // 2])
    run = made(kafka, folder / "first", log)
    run.start()
    run.wait_for("events", data[: len(data) // 2].count(b"\n") * 9 // 10)
    run.stop()
    return run, log, data


def test_a_copy_of_the_store_takes_over(kafka: Kafka, tmp_path: Path) -> None:
    first, log, data = begun(kafka, tmp_path)
    # A copy is what another machine would have.
    second = Run(kafka, tmp_path / "second", first.topics)
    shutil.copytree(first.folder, second.folder)
    for run in (first, second):
        run.start()
        run.wait_until_open()
    until = time.monotonic() + 120
    while "another process delivers" not in first.log:
        assert time.monotonic() < until, first.log[-2000:] + second.log[-2000:]
        with log.open("ab") as sink:
            sink.write(data[: data.index(b"\n") + 1])
        time.sleep(0.2)
    assert first.process is not None
    assert first.process.wait(120) == 2
    assert second.process is not None
    assert second.process.poll() is None
    second.kill()


def test_an_older_copy_of_the_store(kafka: Kafka, tmp_path: Path) -> None:
    first, log, data = begun(kafka, tmp_path)
    second = Run(kafka, tmp_path / "second", first.topics)
    shutil.copytree(first.folder, second.folder)
    log.write_bytes(data)
    first.finish()
    second.finish(code=2)
    assert "it is an older copy" in second.log
    assert "on_doubt=deliver" in second.log


def test_a_marker_that_vanished(kafka: Kafka, tmp_path: Path) -> None:
    run, log, data = begun(kafka, tmp_path)
    marker = run.marker("events")
    kafka.admin.delete_consumer_groups([marker])[marker].result(10)
    # All that was made is known to be delivered: nothing is in doubt.
    log.write_bytes(data)
    run.finish()
    undisturbed = made(kafka, tmp_path / "undisturbed", log)
    undisturbed.finish()
    assert run.messages() == undisturbed.messages()
