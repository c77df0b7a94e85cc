"""Writing a run to a Kafka topic: a message for each line."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tailrace.errors import OutputError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

REACH_SECONDS = 5.0
FLUSH_SECONDS = 60.0
ANY = -1
"""The library's word for a partition as the key says."""
NOW = 0
"""The library's word for a message's time that is now."""
EXAMPLE = "kafka://localhost:9092/test-inter"

_LOGGER = logging.getLogger("tailrace.kafka")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False


@dataclass(frozen=True, slots=True)
class Address:
    """A topic, and where it is: ``kafka://host:port,host:port/topic``."""

    brokers: str
    topic: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read the form above; ValueError if it is another."""
        parts = urlsplit(text)
        topic = parts.path.strip("/")
        if parts.scheme != "kafka" or not parts.netloc or not topic or "/" in topic:
            raise ValueError(f"expected an address such as {EXAMPLE}, found {text!r}")
        return cls(parts.netloc, topic)


class KafkaSink:
    """Takes lines as a file does. Used as a context; at its end everything has arrived.

    ``key``: the field of JSON lines that becomes the message's key; those without it have none.
    ``partition``: where all go; None leaves it to the key. OutputError if the topic doesn't take
    them.
    """

    def __init__(
        self,
        address: Address,
        *,
        key: str | None = None,
        partition: int | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._address = address
        self._key = key
        self._partition = partition
        self._refused: KafkaError | None = None
        self._producer = self._connected(dict(options or {}))

    def _connected(self, options: dict[str, str]) -> Producer:
        try:
            from confluent_kafka import KafkaException, Producer
        except ImportError as error:
            raise OutputError(
                "writing to Kafka needs a library that is not installed",
                hint="pip install 'tailrace[kafka]'",
            ) from error
        settings: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self._address.brokers,
            "linger.ms": 5,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 1_000_000,
            **options,
        }
        brokers, topic = self._address.brokers, self._address.topic
        try:
            producer = Producer(settings, on_delivery=self._told, logger=_LOGGER)
            found = producer.list_topics(topic, timeout=REACH_SECONDS).topics[topic]
        except KafkaException as error:
            raise OutputError(
                f"Kafka at {brokers} can't be used: {error.args[0].str()}",
                hint="is the address right, and is the broker up?",
            ) from error
        if found.error is not None:
            raise OutputError(
                f"the topic {topic} at {brokers} can't be written: {found.error.str()}",
                hint=f"make it: kafka-topics.sh --bootstrap-server {brokers} --create"
                f" --topic {topic} --partitions 1",
            )
        if self._partition is not None and self._partition not in found.partitions:
            raise OutputError(
                f"the topic {topic} has no partition {self._partition}",
                hint=f"it has {len(found.partitions)}, counted from 0",
            )
        return producer

    def write(self, lines: memoryview) -> int:
        """Send whole lines; return their bytes."""
        topic, produce = self._address.topic, self._producer.produce
        partition = ANY if self._partition is None else self._partition
        for line in bytes(lines).splitlines():
            value, key, time_ms = self._message(line)
            while True:
                try:
                    produce(topic, value, key, partition, timestamp=time_ms)
                except BufferError:
                    self._producer.poll(0.1)
                    self._check()
                else:
                    break
        return len(lines)

    def flush(self) -> None:
        """Let the library send; what it waits for isn't waited for."""
        self._producer.poll(0)
        self._check()

    def __enter__(self) -> Self:
        """Write."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until everything has arrived."""
        left = self._producer.flush(FLUSH_SECONDS)
        self._check()
        if left:
            raise OutputError(f"{left} messages did not reach Kafka at {self._address.brokers}")

    def _message(self, line: bytes) -> tuple[bytes, bytes | None, int]:
        """A line's value, key and time; NOW leaves the time to the library."""
        return line, self._key_of(line), NOW

    def _key_of(self, line: bytes) -> bytes | None:
        if self._key is None:
            return None
        try:
            value = json.loads(line)[self._key]
        except (ValueError, KeyError, TypeError):
            return None
        return str(value).encode()

    def _told(self, error: KafkaError | None, _: Message[bytes, bytes]) -> None:
        if error is not None:
            self._refused = error

    def _check(self) -> None:
        if self._refused is not None:
            raise OutputError(
                f"the topic {self._address.topic} takes no messages: {self._refused.str()}"
            )


class KeyedSink(KafkaSink):
    """Takes lines of key, value and time (ms), with tabs between them."""

    def _message(self, line: bytes) -> tuple[bytes, bytes | None, int]:
        key, value, time_ms = line.split(b"\t")
        return value, key, int(time_ms)
