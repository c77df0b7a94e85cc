"""`tailrace consume` and `generate --to` against a broker."""

import json
import signal
import threading
from pathlib import Path

from confluent_kafka import Producer
from tests.cli.processes import running, tailrace
from tests.servers.kafka import Kafka


def test_consume_shows_what_a_terminal_can_bear(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic()
    producer = Producer(kafka.client | {"transactional.id": topic})
    producer.init_transactions(20)
    at = 1_700_000_000_123
    producer.begin_transaction()
    producer.produce(topic, b"plain", b"k", timestamp=at, headers=[("h", b"1")])
    producer.produce(topic, b"\x1b[2J\xff\n", timestamp=at)
    producer.produce(topic, None, b"\xff", timestamp=at)
    producer.commit_transaction(20)
    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(20)
    producer.abort_transaction(20)
    where = ("consume", topic, "--brokers", kafka.address, "--from-beginning", "--until-end")
    found = tailrace(*where, cwd=tmp_path)
    time = "2023-11-14T22:13:20.123Z"
    assert found.stdout.splitlines() == [
        f"{topic}/0:0 {time} k plain",
        rf"{topic}/0:1 {time} - \x1b[2J\xff\x0a",
        rf"{topic}/0:2 {time} \xff (no value)",
    ]
    rows = tailrace(*where, "--max", "2", "--output", "json", cwd=tmp_path).stdout.splitlines()
    first = {"topic": topic, "partition": 0, "offset": 0, "time": time, "key": "k"}
    assert json.loads(rows[0]) == first | {"value": "plain", "headers": {"h": "1"}}
    assert json.loads(rows[1])["value_base64"] == "G1sySv8K"
    assert len(rows) == 2


def test_consume_follows_until_it_is_interrupted(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic(partitions=2)
    kafka.send(topic, [b"old"])
    with running("consume", topic, "--brokers", kafka.address, cwd=tmp_path) as process:
        # It begins at the end as that is when it connects: some may come before that.
        sending = threading.Event()

        def send() -> None:
            while not sending.wait(0.2):
                kafka.send(topic, [b"new"], partition=1)

        sender = threading.Thread(target=send)
        sender.start()
        process.says(f"{topic}/1:", "new")
        sending.set()
        sender.join()
        process.signal(signal.SIGINT)
        assert process.ends() == 0
    assert not any("old" in line for line in process.lines)


def test_generated_traffic_goes_to_a_topic(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic(partitions=3)
    address = f"kafka://{kafka.address}/{topic}"
    made = ("generate", "nginx", "--seed", "5", "--start", "2026-01-01T00:00:00Z")
    for more in (("--key", "client_ip"), ("--partition", "2")):
        ended = tailrace(*made, "--count", "300", "--to", address, *more, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
    expected = tailrace(*made, "--count", "300", cwd=tmp_path).stdout.encode().splitlines()
    messages = kafka.messages(topic)
    keyed = [message for message in messages if message.key() is not None]
    assert sorted(m.value() or b"" for m in keyed) == sorted(expected)
    assert all(json.loads(m.value() or b"")["client_ip"].encode() == m.key() for m in keyed)
    assert len({m.partition() for m in keyed}) == 3
    whole = [m.value() for m in messages if m.key() is None]
    assert whole == expected
    assert {m.partition() for m in messages if m.key() is None} == {2}


def test_generated_packets_are_messages_with_key_and_time(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic()
    made = ("generate", "packets", "--start", "2026-01-01T00:00:00Z", "--duration", "5s")
    ended = tailrace(*made, "--to", f"kafka://{kafka.address}/{topic}", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    lines = tailrace(*made, "--form", "topic", cwd=tmp_path).stdout.splitlines()
    expected = [(key, value, int(time)) for key, value, time in map(str.split, lines)]
    assert len(expected) == 500
    assert expected == [
        ((m.key() or b"").decode(), (m.value() or b"").decode(), m.timestamp()[1])
        for m in kafka.messages(topic)
    ]


def test_topics_that_cant_be_written_or_read(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.fresh_topic()
    generate = ("generate", "nginx", "--count", "1")
    for args, said in [
        ((*generate, "--to", f"kafka://{kafka.address}/gone"), "the topic gone at"),
        (
            (*generate, "--to", f"kafka://{kafka.address}/{topic}", "--partition", "7"),
            "partition 7",
        ),
        ((*generate, "--to", kafka.address), "expected an address such as kafka://"),
        ((*generate, "--key", "a"), "are for --to"),
        (("consume", "gone", "--brokers", kafka.address), "there is no topic gone"),
        (("consume", topic, "--brokers", kafka.address, "--option", "x"), "NAME=VALUE"),
    ]:
        ended = tailrace(*args, cwd=tmp_path)
        assert ended.returncode == 2
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
