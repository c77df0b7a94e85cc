"""Messages as older systems send them: lines of arrays, envelopes, plain sizes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer
from tests.cli.processes import tailrace
from tests.services.kafka.test_run import place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.kafka import Kafka

CLICKS = """
name: clicks
source: {kafka: {brokers: BROKERS, topics: TOPIC, group: readers-TOPIC}}
format: {json: {array_lines: true}}
time: {field: unix_time, grace: 1s, max_future_skew: 1000d}
fields: {ip: text, type: text, category_id: integer}
archive: {to: events}
outputs: {events: {file: {path: events.ndjson}}}
"""

SIZES = r"""
name: sizes
source: {kafka: {brokers: BROKERS, topics: TOPIC, group: readers-TOPIC}}
format: plain
time: {field: _timestamp, grace: 1s}
fields:
  pair: {type: text, from: _key}
  bytes: {type: integer, from: value}
derive:
  source: hex_address(pair, 1)
  destination: hex_address(pair, 2)
rules:
  - record: volume
    by: [source, destination]
    window: 5m
    select: {bytes: sum(bytes)}
    to: rows
outputs: {rows: {file: {path: rows.ndjson}}}
"""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def click(number: int) -> str:
    return json.dumps({"ip": f"172.10.0.{number}", "unix_time": number, "type": "click"})


def test_lines_of_an_array_as_messages(kafka: Kafka, tmp_path: Path) -> None:
    """Each event once: marks don't count, blank messages and tombstones are counted."""
    topic = kafka.fresh_topic()
    producer = Producer(kafka.client)
    messages = [f"[{click(1)},", f"{click(2)},", "", None, f"{click(3)}]", "[", "]", " ", click(4)]
    for value in [*messages, "[]", f"[{click(5)}]", "{"]:
        producer.produce(topic, value)
    producer.flush(20)
    folder = place(tmp_path, kafka, topic, CLICKS)
    ended = tailrace("run", "--until-end", "--output", "json", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout.splitlines()[-1])
    counts = [summary[name] for name in ("read", "events", "blank", "dead")]
    assert counts == [12, 5, 6, 1]
    assert summary["dead_by_code"] == {"malformed_json": 1}
    found = [(row["ip"], row["unix_time"]) for row in lines(folder / "events.ndjson")]
    assert found == [(f"172.10.0.{n}", f"1970-01-01T00:00:0{n}.000Z") for n in range(1, 6)]


def test_envelopes_of_connect(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic()
    producer = Producer(kafka.client)
    schema = {"type": "string", "optional": False}
    for payload in (f"[{click(1)},", f"{click(2)}]", "]", json.loads(click(3)), None):
        producer.produce(topic, json.dumps({"schema": schema, "payload": payload}))
    producer.produce(topic, None)
    producer.flush(20)
    text = CLICKS.replace("array_lines: true", "array_lines: true, envelope: connect")
    folder = place(tmp_path, kafka, topic, text)
    ended = tailrace("run", "--until-end", "--output", "json", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout.splitlines()[-1])
    counts = [summary[name] for name in ("read", "events", "blank", "dead")]
    assert counts == [6, 3, 2, 1]
    assert summary["dead_by_code"] == {"no_payload": 1}
    assert [row["ip"] for row in lines(folder / "events.ndjson")] == [
        f"172.10.0.{n}" for n in range(1, 4)
    ]


def test_sizes_under_a_key_of_addresses(kafka: Kafka, tmp_path: Path) -> None:
    """The key is two addresses, the value a number, the time the message's."""
    topic = kafka.fresh_topic()
    producer = Producer(kafka.client)
    one, other = r"\0x7f\0x00\0x00\0x01", r"\0xc0\0xa8\0x01\0x0A"
    at = 1_700_000_100_000
    for key, size, after in [
        (one + other, "1500", 0),
        (one + other, " 40\n", 299_999),
        (one + one, "60", 1_000),
        (one + other, "9000000000", 300_000),
        (one, "7", 301_000),
        (one + other, "x", 302_000),
    ]:
        producer.produce(topic, size, key, timestamp=at + after)
    producer.flush(20)
    folder = place(tmp_path, kafka, topic, SIZES)
    ended = tailrace("run", "--until-end", "--output", "json", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout.splitlines()[-1])
    assert summary["dead_by_code"] == {"bad_value": 1}
    found = sorted(
        (row["window"]["start"], row["source"], row["destination"], row["bytes"])
        for row in lines(folder / "rows.ndjson")
    )
    assert found == [
        ("2023-11-14T22:15:00.000Z", "127.0.0.1", "127.0.0.1", 60),
        ("2023-11-14T22:15:00.000Z", "127.0.0.1", "192.168.1.10", 1540),
        ("2023-11-14T22:20:00.000Z", "127.0.0.1", "192.168.1.10", 9_000_000_000),
    ]
