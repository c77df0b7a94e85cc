"""Spark on a topic whose messages expired before they were read."""

from pathlib import Path

import pytest
from tests.servers.kafka import Kafka
from tests.services.conftest import skipping
from tests.services.spark.conftest import Made
from tests.services.spark.runs import traffic, with_kafka

pytestmark = pytest.mark.timeout(900)


def test_messages_that_expired(kafka: Kafka, tmp_path: Path, run: Made) -> None:
    """A run that goes on after a stop tells of the gap, and reads nothing behind it."""
    lines = [line.rstrip() for line in traffic(1, 500, rate=20.0)]
    topic = kafka.fresh_topic()
    kafka.send(topic, lines[:400])
    source = f"{{kafka: {{brokers: '{kafka.address}', topics: [{topic}]}}}}"
    with skipping():
        spark = run(tmp_path / "spark", source, with_kafka("local[1]"))
    spark.start()
    spark.until(lambda: spark.lines("events") + spark.lines("rejects") >= 390)
    spark.stop()
    before = spark.lines("events"), spark.lines("rejects")
    kafka.send(topic, lines[400:])
    kafka.expire(topic, before=450)
    spark.start()
    assert spark.ended() == 2, spark.said
    assert f"messages of {topic}/0 from offset 400 on are gone before they were read" in spark.said
    assert (spark.lines("events"), spark.lines("rejects")) == before
