"""Kafka to alerts, against a bare consumer of the same topic, the broker on the same cores.

The bare loop is ``consume(50000)`` of confluent-kafka, partitions assigned by hand, read committed,
with the fetch settings that serve it best. The pipeline has the goals 1 to 4, a store and files.
TAILRACE_KAFKA names a running broker; without it one is started.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from measuring import (
    GOALS,
    Stopwatch,
    Timing,
    alternating,
    head,
    options,
    ordinary,
    pipeline,
    row,
    run,
    speed_ratio,
    stages,
    verdict,
)

sys.path.append(str(Path(__file__).parents[1]))

from tests.servers.kafka import Kafka

TARGET = 0.45
PARTITIONS = (1, 4)
OUTPUTS = ("goal1", "goal2", "goal3", "goal4")


def fill(kafka: Kafka, topic: str, partitions: int, rows: int) -> None:
    """Write the lines of the other benchmarks, in turns to all partitions."""
    producer = Producer(
        kafka.client
        | {"linger.ms": 50, "batch.size": 1 << 20, "queue.buffering.max.kbytes": 1 << 20}
    )
    sent = 0
    for block in ordinary(rows).blocks():
        for line in block.lines.splitlines():
            while True:
                try:
                    producer.produce(topic, line, partition=sent % partitions)
                except BufferError:
                    producer.poll(0.1)
                else:
                    break
            sent += 1
    producer.flush(120)


def bare(kafka: Kafka, topic: str, partitions: int, rows: int) -> Timing:
    """Read everything and do nothing with it."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.address,
            "group.id": "bare",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.message.max.bytes": 8 << 20,
            "queued.max.messages.kbytes": 262_144,
            "fetch.queue.backoff.ms": 10,
        }
    )
    watch = Stopwatch()
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    read = 0
    while read < rows:
        read += len(consumer.consume(50_000, 0.01))
    timing = watch.stop()
    consumer.close()
    return timing


def main() -> None:
    """Measure and print."""
    given = options(1_500_000)
    named = Kafka.found()
    with named if named.given else Kafka(heap="1g", optimized=True) as kafka:
        head()
        for partitions in PARTITIONS:
            measure(kafka, partitions, given.rows, given.runs)


def measure(kafka: Kafka, partitions: int, rows: int, runs: int) -> None:
    """One topic with so many partitions."""
    topic = kafka.fresh_topic(partitions)
    fill(kafka, topic, partitions, rows)
    time.sleep(2)
    source = f'{{kafka: {{brokers: "{kafka.address}", topics: {topic}}}}}'
    text = pipeline(Path("unused"), GOALS, OUTPUTS, source=source)
    done = []

    def alerts() -> Timing:
        found = run(text, until_end=True)
        assert found.events == rows
        done.append(found)
        return found.timing

    consumed, judged = alternating(runs, lambda: bare(kafka, topic, partitions, rows), alerts)
    row(f"bare consume, {partitions} partition(s)", consumed, rows)
    row(f"goals 1-4, {partitions} partition(s)", judged, rows, consumed)
    stages("", done[-1])
    verdict(f"of a bare consumer, {partitions} partition(s)", speed_ratio(consumed, judged), TARGET)
    kafka.delete_topic(topic)


if __name__ == "__main__":
    main()
