"""From a producer's timestamp to the early notice in a Kafka topic, at 50,000 events a second.

Three processes beside the broker: a producer that writes to a topic of several partitions,
`tailrace run` that reads it, and this one, which consumes the topic of the notices. The producer
keeps 100,000 clients below the limit and lets a new one cross it every 50 ms; the time runs from
the message that crosses it. TAILRACE_KAFKA names a running broker; without it one is started.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from multiprocessing.queues import Queue
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from measuring import verdict_of, working_folder

sys.path.append(str(Path(__file__).parents[1]))

from tests.servers.kafka import Kafka

TARGET_MS = 250
LIMIT = 50
STEP_SECONDS = 0.005
CROSS_SECONDS = 0.05
WARM_UP_SECONDS = 10
PARTITIONS = 3
PIPELINE = """
name: latency
source: {{kafka: {{brokers: "{brokers}", topics: {topic}, group: {topic}}}}}
format: json
time: {{field: "@timestamp", grace: 5s}}
fields: {{client_ip: text, host: text, country: text, status: integer, request_time: double}}
rules:
  - {{alert: flood, by: client_ip, window: 20s every 1s, when: count(*) > {limit}, to: [notices]}}
  - {{record: hosts, by: host, window: 1m, select: {{mean: avg(request_time)}}, to: [hosts]}}
outputs:
  notices: {{kafka: {{brokers: "{brokers}", topic: {notices}}}}}
  hosts: {{file: {{path: hosts.ndjson}}}}
store: {{path: store.duckdb}}
"""
LINE = (
    '{"server":"s_v3","client_ip":"%s","method":"GET","status":"200","request_time":"0.280",'
    '"host":"api_%d.example.com","country":"IR","@timestamp":"%.6f"}'
)


def produce(
    brokers: str, topic: str, rate: int, seconds: float, crossed: Queue[tuple[str, float]]
) -> None:
    """Write events for so long, and tell of each client that crosses, and when."""
    rng = random.Random(1)
    ordinary = [f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(100_000)]
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "linger.ms": 1,
            "acks": 1,
            "queue.buffering.max.messages": 2_000_000,
        }
    )
    begun = time.monotonic()
    written, crossers = 0, 0
    while (now := time.monotonic()) < begun + seconds:
        due = int((now - begun) * rate) - written
        written += due
        clients = rng.choices(ordinary, k=due)
        crosser = None
        if now - begun >= (crossers + 1) * CROSS_SECONDS:
            crossers += 1
            crosser = f"203.{crossers >> 16 & 255}.{crossers >> 8 & 255}.{crossers & 255}"
            clients += [crosser] * (LIMIT + 1)
        at = time.time()
        partition = written // 100 % PARTITIONS
        for client in clients:
            producer.produce(topic, LINE % (client, rng.randrange(51), at), partition=partition)
        if crosser is not None:
            crossed.put((crosser, at))
        producer.poll(0)
        time.sleep(max(0.0, now + STEP_SECONDS - time.monotonic()))
    producer.flush(10)
    crossed.put(("", float(written)))


def watch(
    brokers: str, topic: str, writer: multiprocessing.Process, patience: float = 3
) -> dict[str, tuple[str, float]]:
    """When the first message about each client came, and what it said.

    ``patience``: seconds after the writer's last event.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "watch",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: dict[str, tuple[str, float]] = {}
    last = time.monotonic()
    while writer.is_alive() or time.monotonic() < last + patience:
        messages = consumer.consume(1000, 0.001)
        seen = time.time()
        if writer.is_alive():
            last = time.monotonic()
        for message in messages:
            row = json.loads(message.value() or b"{}")
            # An alert on single events has the event's fields instead of a key.
            client = row.get("key", row.get("fields"))["client_ip"]
            found.setdefault(client, (row["state"], seen))
    consumer.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=50_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=120, help="how long")
    given = parser.parse_args()
    named = Kafka.found()
    with named if named.given else Kafka(heap="1g", optimized=True) as kafka:
        measure(kafka, given.rate, given.seconds)


def collect(crossed: Queue[tuple[str, float]], written: dict[str, float]) -> None:
    """Keep when each client crossed the limit; under "" how many events there were."""
    while "" not in written:
        client, at = crossed.get()
        written[client] = at


def measure(kafka: Kafka, rate: int, seconds: float) -> None:
    """Run everything at one rate."""
    crossed: Queue[tuple[str, float]] = multiprocessing.Queue()
    topic, notices = kafka.fresh_topic(PARTITIONS), kafka.fresh_topic()
    with working_folder() as path:
        text = PIPELINE.format(brokers=kafka.address, topic=topic, notices=notices, limit=LIMIT)
        (path / "pipeline.yaml").write_text(text)
        command = [sys.executable, "-m", "tailrace.cli.main", "run", "pipeline.yaml"]
        with subprocess.Popen(command, cwd=path, stdout=subprocess.DEVNULL) as engine:
            writer = multiprocessing.Process(
                target=produce,
                args=(kafka.address, topic, rate, seconds + WARM_UP_SECONDS, crossed),
            )
            writer.start()
            written: dict[str, float] = {}
            # While it is written: a pipe that nobody empties would stop the writer.
            crossings = threading.Thread(target=collect, args=(crossed, written))
            crossings.start()
            found = watch(kafka.address, notices, writer)
            writer.join()
            crossings.join()
            engine.send_signal(signal.SIGTERM)
            assert engine.wait(30) == 0
    events = written.pop("")
    first = min(written.values()) + WARM_UP_SECONDS
    measured = {client: at for client, at in written.items() if at >= first}
    latencies = [(found[c][1] - at) * 1000 for c, at in measured.items() if c in found]
    print(f"events written                     {events:.0f}, {rate} a second")
    print(f"clients that crossed the limit     {len(measured)}")
    notes = sum(found[c][0] == "notice" for c in measured if c in found)
    print(f"found, of them by an early notice  {len(latencies)}, {notes}")
    percentiles = statistics.quantiles(latencies, n=100, method="inclusive")
    shown = [("p50", 49), ("p90", 89), ("p99", 98)]
    for name, value in (*((n, percentiles[at]) for n, at in shown), ("max", max(latencies))):
        print(f"{name:<34} {value:7.1f} ms")
    verdict_of("p99 in ms from the timestamp to the notice", round(percentiles[98], 1), TARGET_MS)
    for name in (topic, notices):
        kafka.delete_topic(name)


if __name__ == "__main__":
    main()
