"""`tailrace run` over Kafka: killed, refused, misled, and what becomes of odd messages."""

import json
import random
import re
import signal
import time
from pathlib import Path
from textwrap import dedent

import pytest
from confluent_kafka import Producer
from tests.cli.processes import asked, eventually, running, tailrace
from tests.servers.kafka import Kafka
from tests.services.conftest import Fresh

from tailrace.cli.main import run
from tailrace.generate.attacks import parse_attack
from tailrace.generate.nginx import NginxTraffic
from tailrace.sources.kafka import broker
from tailrace.store.dump import dump
from tailrace.store.store import Store

PIPELINE = """
name: web
source:
  kafka: {brokers: BROKERS, topics: TOPIC, group: readers-TOPIC}
time: {field: "@timestamp", grace: 2s, idle_after: 1h}
fields:
  client_ip: text
  host: text
  status: integer
  request_time: double
  place: {type: integer, from: _offset}
rules:
  - alert: flood
    by: client_ip
    window: 10s every 1s
    when: count(*) > 60
    update_every: 4s
    to: [incidents]
  - record: latency
    by: host
    window: 7s
    select: {mean: avg(request_time), last: max(place)}
    to: [rows]
  - alert: slow
    when: request_time > 2
    to: [slow]
archive: {to: [events]}
outputs:
  incidents: {file: {path: incidents.ndjson}}
  rows: {file: {path: rows.ndjson}, rows: windows}
  slow: {file: {path: slow.ndjson}}
  events: {file: {path: events.ndjson}}
"""
OUTPUTS = ("incidents", "rows", "slow", "events")


def place(folder: Path, kafka: Kafka, topic: str, text: str = PIPELINE) -> Path:
    folder.mkdir(exist_ok=True)
    text = dedent(text).replace("BROKERS", f'"{kafka.address}"').replace("TOPIC", topic)
    (folder / "pipeline.yaml").write_text(text)
    return folder


def contents(folder: Path) -> dict[str, object]:
    store = Store.open(folder / ".tailrace" / "web.duckdb", "web")
    try:
        found: dict[str, object] = {"store": dump(store)}
    finally:
        store.close()
    for name in OUTPUTS:
        rows = [json.loads(line) for line in (folder / f"{name}.ndjson").read_text().splitlines()]
        kept = [row for row in rows if row.get("state") != "notice"]
        for row in kept:
            row.pop("sent_at", None)
            row.pop("notices", None)
        found[name] = sorted(map(json.dumps, kept))
    return found


def test_killed_while_messages_come(kafka: Kafka, tmp_path: Path) -> None:
    draw = random.Random(4)
    topic = kafka.fresh_topic(partitions=3)
    made = NginxTraffic(
        seed=4,
        rate=200.0,
        count=9000,
        start_us=1_767_225_600_000_000,
        clients=50,
        hosts=6,
        attacks=(parse_attack("flood@5s+12s:rate=0.5"), parse_attack("slow-host@20s+10s")),
        malformed=0.01,
    )
    lines = b"".join(made.chunks()).splitlines()
    producer = Producer(kafka.client | {"transactional.id": topic})
    producer.init_transactions(20)
    folder = place(tmp_path / "killed", kafka, topic)
    written = kills = 0
    while kills < 5 or written < len(lines):
        with running("run", "--output", "json", cwd=folder) as process:
            if kills == 0:
                eventually(lambda: asked(folder).process is not None)
            moment = time.monotonic() + draw.uniform(0.8, 2.0)
            while time.monotonic() < moment:
                # Most transactions are committed, some not.
                some = lines[written : written + draw.randint(1, 500)]
                commit = draw.random() < 0.8 or kills >= 5
                producer.begin_transaction()
                for line in some:
                    producer.produce(topic, line, partition=hash(line) % 3)
                producer.flush(20)
                if commit:
                    producer.commit_transaction(20)
                    written += len(some)
                else:
                    producer.abort_transaction(20)
                time.sleep(0.02)
            process.signal(signal.SIGKILL)
            kills += 1
    undisturbed = place(tmp_path / "undisturbed", kafka, topic)
    for one in (folder, undisturbed):
        ended = tailrace("run", "--until-end", cwd=one)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        (one / "pipeline.yaml").unlink()
    found, expected = contents(folder), contents(undisturbed)
    for name, value in expected.items():
        assert found[name] == value, f"{name} differs after {kills} kills"
    assert len(expected["events"]) > 8000  # type: ignore[arg-type]  # a list
    assert expected["incidents"]


def test_a_second_process_is_refused(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic()
    text = PIPELINE.replace("group:", "options: {session.timeout.ms: 2000}, group:")
    one = place(tmp_path / "one", kafka, topic, text)
    other = place(tmp_path / "other", kafka, topic, text)
    with running("run", cwd=one) as first:
        eventually(lambda: asked(one).process is not None)
        refused = tailrace("run", cwd=other)
        assert refused.returncode == 2
        assert "another process reads this pipeline" in refused.stderr
        assert f"readers-{topic}" in refused.stderr
        assert "Spark engine" in refused.stderr
        assert first.process.poll() is None
        first.signal(signal.SIGKILL)
    # The store of one that died is taken up, as it is after an ordinary end.
    with running("run", cwd=one) as again:
        eventually(lambda: asked(one).process is not None)
        again.signal(signal.SIGINT)
        assert again.ends() == 0
    ended = tailrace("run", "--until-end", cwd=other)
    assert ended.returncode == 0, ended.stderr


def test_a_broker_that_is_away_is_shown_and_makes_no_epochs(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, ['{"@timestamp": "2026-01-01T00:00:00Z", "host": "a"}'])
    folder = place(tmp_path, kafka, topic)
    with running("run", "--no-progress", cwd=folder) as process:
        eventually(lambda: (status := asked(folder)).read == 1 and status.source_error is None)
        epoch = asked(folder).epoch
        kafka.kill()
        eventually(lambda: asked(folder).source_error is not None)
        shown = tailrace("status", cwd=folder).stdout
        assert "! the source: Kafka can't be reached: no" in shown
        kafka.start()
        eventually(lambda: asked(folder).source_error is None)
        # Both notes, and what the broker says of a partition, are in two epochs at most.
        assert asked(folder).epoch <= epoch + 2
        process.signal(signal.SIGTERM)


@pytest.mark.parametrize("source", ["kafka", "file"])
def test_a_broker_that_hangs_does_not_hold_up_a_stop(
    kafka: Kafka, tmp_path: Path, source: str
) -> None:
    topic, told = kafka.fresh_topic(), kafka.fresh_topic()
    to_topic = f"  slow: {{kafka: {{brokers: [BROKERS], topic: {told}}}}}\n"
    text = re.sub(r"  slow: \{file.*\n", to_topic, PIPELINE)
    if source == "file":
        text = re.sub(r"  kafka: .*\n", "  file: {path: in.ndjson, follow: true}\n", text, count=1)
        text = text.replace("  place: {type: integer, from: _offset}\n", "  place: integer\n")
    folder = place(tmp_path, kafka, topic, text)
    line = '{"@timestamp": "2026-01-01T00:00:00Z", "host": "a", "request_time": 3}\n'
    log = folder / "in.ndjson"
    log.write_text(line)
    kafka.send(topic, [line])
    with running("run", "--no-progress", cwd=folder) as process:
        eventually(lambda: kafka.values(told) != [])
        kafka.pause()
        if source == "kafka":
            eventually(lambda: asked(folder).source_error is not None)
        else:
            log.write_text(line * 5)
            eventually(lambda: asked(folder).outputs[2].waiting_rows == 4)
        process.signal(signal.SIGTERM)
        assert process.process.wait(60) == 0
        process.ends()
    # Nothing but what it says itself: no library complains of what was left behind.
    last = "next run delivers them" if source == "file" else "events     file   1 rows"
    assert process.lines[-1].endswith(last), process.said()
    kafka.resume()
    kafka.send(topic, [line] * 4)
    ended = tailrace("run", "--until-end", cwd=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(kafka.values(told)) == 5


def test_odd_messages_are_accounted_for(kafka: Kafka, tmp_path: Path) -> None:
    text = """
    name: web
    source: {kafka: {brokers: BROKERS, topics: TOPIC, group: readers-TOPIC}}
    time: {field: _timestamp, grace: 1s}
    limits: {max_record_bytes: 100}
    fields:
      bot: {type: text, from: _key}
      own: {type: text, from: [_key]}
      trace: {type: integer, from: _headers.trace}
      at: {type: time, from: _timestamp}
      status: integer
    rules:
      - {record: bots, by: bot, window: 10s, select: {n: count(*), t: sum(trace)}, to: rows}
    archive: {to: events}
    outputs:
      rows: {file: {path: rows.ndjson}}
      events: {file: {path: events.ndjson}}
    """
    topic = kafka.fresh_topic()
    producer = Producer(kafka.client)
    at = 1_700_000_000_500
    for value, trace in [
        (b'{"status": 200, "_key": "inner"}', b"7"),
        (b'{"status": "404"}', b"8"),
        (None, b"9"),
        (b"", b"9"),
        (b"{" + b" " * 200 + b"}", b"9"),
        (b'{"status": "x"}', b"9"),
        (b'{"status": 200}', b"nine"),
        (b"not json", b"9"),
    ]:
        producer.produce(topic, value, b"k", headers=[("trace", trace)], timestamp=at)
        at += 1
    producer.flush(20)
    folder = place(tmp_path, kafka, topic, text)
    ended = tailrace("run", "--until-end", "--output", "json", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout.splitlines()[-1])
    assert (summary["read"], summary["events"], summary["dead"], summary["blank"]) == (8, 2, 4, 2)
    assert summary["dead_by_code"] == {"bad_value": 2, "malformed_json": 1, "too_long": 1}
    events = [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()]
    assert [(e["bot"], e["own"], e["trace"], e["status"], e["at"]) for e in events] == [
        ("k", "inner", 7, 200, "2023-11-14T22:13:20.500Z"),
        ("k", None, 8, 404, "2023-11-14T22:13:20.501Z"),
    ]
    (row,) = [json.loads(line) for line in (folder / "rows.ndjson").read_text().splitlines()]
    assert (row["bot"], row["n"], row["t"]) == ("k", 2, 15)


def test_times_ahead_of_their_message(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic()
    producer = Producer(kafka.client)
    for ahead in (0, 3600, 3601):
        value = json.dumps({"@timestamp": 1_700_000_000 + ahead, "request_time": 1})
        producer.produce(topic, value, timestamp=1_700_000_000_000)
    producer.flush(20)
    folder = place(tmp_path, kafka, topic)
    ended = tailrace("run", "--until-end", "--output", "json", cwd=folder)
    summary = json.loads(ended.stdout.splitlines()[-1])
    assert summary["dead_by_code"] == {"future_time": 1}
    assert summary["events"] == 2


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{brokers: localhost:1, topics: TOPIC}", "no Kafka broker answers at localhost:1"),
        ("{brokers: no.such.host.invalid:9092, topics: TOPIC}", "no Kafka broker answers"),
        ("{brokers: BROKERS, topics: [TOPIC, TOPICS]}", "did you mean 'TOPIC'"),
        ("{brokers: BROKERS, topics: gone}", "/pipeline.yaml' makes what a pipeline needs"),
        ("{brokers: BROKERS, topics: [gone, too]}", "there is no topic too at BROKERS"),
        ("{brokers: BROKERS, topics: TOPIC, options: {no.such: 1}}", "source.kafka.options"),
        ("{brokers: BROKERS, topics: TOPIC, options: {fetch.min.bytes: x}}", "fetch.min.bytes"),
    ],
)
def test_mistakes(
    kafka: Kafka,
    tmp_path: Path,
    source: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    topic = kafka.fresh_topic()
    text = PIPELINE.replace("{brokers: BROKERS, topics: TOPIC, group: readers-TOPIC}", source)
    impatient(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert run(["run", str(place(tmp_path, kafka, topic, text) / "pipeline.yaml")]) == 2
    said = said.replace("BROKERS", kafka.address).replace("TOPIC", topic)
    assert said in capsys.readouterr().err


def test_all_that_is_missing_is_told_at_once(
    kafka: Kafka,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    topic = kafka.fresh_topic()
    monkeypatch.chdir(tmp_path)
    text = PIPELINE.replace("topics: TOPIC", "topics: [no-source]")
    for name in ("slow", "events"):
        kind = f"{{kafka: {{brokers: [BROKERS], topic: no-{name}}}}}"
        text = text.replace(f"{{file: {{path: {name}.ndjson}}}}", kind)
    path = place(tmp_path, kafka, topic, text) / "pipeline.yaml"
    assert run(["run", str(path)]) == 2
    told = capsys.readouterr().err
    for name in ("no-source", "no-slow", "no-events"):
        assert told.count(f"there is no topic {name} at {kafka.address}") == 1
    assert f"'tailrace init {path}' makes what a pipeline needs" in told


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process give a cluster up soon."""
    monkeypatch.setattr(broker, "CONNECT_SECONDS", 1.5)
    monkeypatch.setattr(broker, "REACH_SECONDS", 0.5)


def test_passwords(
    fresh: Fresh[Kafka],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    right_word, wrong_word = {"KAFKA_PASSWORD": "s3cret-one"}, {"KAFKA_PASSWORD": "wr0ng-one"}
    kafka = fresh(Kafka(accounts={"reader": right_word["KAFKA_PASSWORD"]}))
    topic = kafka.fresh_topic()
    kafka.send(topic, [b'{"@timestamp": 1700000000, "request_time": 1}'])
    options = (
        "{security.protocol: SASL_PLAINTEXT, sasl.mechanism: PLAIN, sasl.username: reader,"
        ' sasl.password: "${KAFKA_PASSWORD}"}'
    )
    source = f"{{brokers: '{kafka.sasl_address}', topics: TOPIC, options: {options}}}"
    text = PIPELINE.replace("{brokers: BROKERS, topics: TOPIC, group: readers-TOPIC}", source)
    folder = place(tmp_path, kafka, topic, text)
    wrong = tailrace("run", "--until-end", cwd=folder, **wrong_word)
    assert wrong.returncode == 2
    assert f"Kafka at {kafka.sasl_address} refuses us" in wrong.stderr
    right = tailrace("run", "--until-end", cwd=folder, **right_word)
    assert right.returncode == 0, right.stderr
    assert "1 events" in right.stdout
    # A client that speaks plainly to that door waits in vain; it is told so.
    plain = source.replace(options, "{}")
    other = place(tmp_path / "plain", kafka, topic, text.replace(source, plain))
    impatient(monkeypatch)
    monkeypatch.chdir(other)
    assert run(["run", "--until-end", str(other / "pipeline.yaml")]) == 2
    assert "no Kafka broker answers" in capsys.readouterr().err
    explained = tailrace("explain", cwd=folder, **right_word)
    for said in (wrong, right, explained):
        assert not re.search("s3cret|wr0ng", said.stdout + said.stderr)
