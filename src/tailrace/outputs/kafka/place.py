"""What is at a cluster before rows are sent: the topic, what it takes, and the marker.

The marker is an offset that is committed with each transaction: of a consumer group that nobody
else uses, for partition 0 of the topic, one more than the number of the last batch in the topic.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tailrace.outputs.kafka.client import (
    admin,
    consumer,
    failed,
    missing_topic,
    refusal,
    refuses,
    unreachable,
)
from tailrace.sources.kafka.client import error_of

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError

    from tailrace.config.targets.kafka import KafkaOutput

_Answer = TypeVar("_Answer")

CONNECT_SECONDS = 10.0
"""How long a cluster is waited for."""
USUAL_LIMIT = 1_000_000
"""Bytes of a message that any topic takes unless it was changed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A topic at a cluster. ``limit``: bytes of a message; ``keyed``: it takes none without key."""

    cluster: str
    partitions: int
    limit: int
    keyed: bool


@dataclass(frozen=True, slots=True)
class Marker:
    """``seq``: the number of the last batch in the topic; ``owner``: who said so."""

    seq: int
    owner: str


class Place:
    """Asks the cluster, for one start of the output. Close it soon."""

    def __init__(self, config: KafkaOutput, group: str) -> None:
        """OutputError if an option isn't one of librdkafka's."""
        self.config = config
        self._errors: list[KafkaError] = []
        self._client: Consumer = consumer(
            config.bootstrap, config.options, group, self._errors.append
        )
        self._until = time.monotonic() + CONNECT_SECONDS
        self.group_metadata: object = self._client.consumer_group_metadata()

    def find(self) -> Found:
        """The topic; OutputError if it isn't there, UnreachableError if nobody answers."""
        topic = self.config.topic
        metadata = self.ask(lambda seconds: self._client.list_topics(topic, timeout=seconds))
        known = metadata.topics[topic]
        if known.error is not None and refuses(known.error):
            raise refusal(self.config.bootstrap, known.error)
        if known.error is not None or not known.partitions:
            raise missing_topic(self.config.bootstrap, topic)
        settings = self._settings()
        return Found(
            str(metadata.cluster_id or ""),
            len(known.partitions),
            int(settings.get("max.message.bytes") or USUAL_LIMIT),
            keyed="compact" in str(settings.get("cleanup.policy")),
        )

    def marker(self) -> Marker | None:
        """What is committed; None if nothing is."""
        from confluent_kafka import TopicPartition

        asked = [TopicPartition(self.config.topic, 0)]
        (found,) = self.ask(lambda seconds: self._client.committed(asked, timeout=seconds))
        if found.error is not None:
            raise refusal(self.config.bootstrap, found.error)
        return Marker(found.offset - 1, found.metadata or "") if found.offset >= 0 else None

    def _settings(self) -> dict[str, str | None]:
        """The topic's settings; none for somebody who may not see them."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import ConfigResource

        config = self.config
        client = admin(config.bootstrap, config.options, self._errors.append)
        resource = ConfigResource(ConfigResource.Type.TOPIC, config.topic)
        with suppress(KafkaException):
            asked = client.describe_configs([resource], request_timeout=CONNECT_SECONDS / 2)
            return {name: entry.value for name, entry in asked[resource].result().items()}
        return {}

    def ask(self, question: Callable[[float], _Answer]) -> _Answer:
        """The answer to a question, asked again until the time is up."""
        from confluent_kafka import KafkaException

        while True:
            left = self._until - time.monotonic()
            try:
                return question(max(0.1, min(1.0, left)))
            except KafkaException as exception:
                error = error_of(exception)
                self._client.poll(0)
                for each in (error, *self._errors):
                    if refuses(each):
                        raise refusal(self.config.bootstrap, each) from exception
                if error.fatal() or error.code() == error.INVALID_TRANSACTION_TIMEOUT:
                    raise failed(self.config.bootstrap, error) from exception
                if left <= 0:
                    seen = [e for e in self._errors if e.code() != e._ALL_BROKERS_DOWN]  # noqa: SLF001 - a constant
                    raise unreachable(
                        self.config.bootstrap, seen[-1] if seen else error
                    ) from exception
                if error.code() != error._TIMED_OUT:  # noqa: SLF001 - as above
                    time.sleep(0.05)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
