"""A Kafka topic that rows go to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from tailrace.config.base import Given
from tailrace.config.cluster import (
    RESERVED,
    Brokers,
    NewTopic,
    TopicName,
    bootstrap,
    reserved_options,
)
from tailrace.config.complaints import Complaint
from tailrace.config.scalars import Filled, LabelText
from tailrace.config.targets.target import Target, TemplateText

_TRANSACTIONS = "rows are sent in transactions, which need it as it is"
_RESERVED = {
    **RESERVED,
    "transactional.id": "it belongs to the store and the output",
    "group.id": "it belongs to the store and the output",
    "enable.idempotence": _TRANSACTIONS,
    "enable.gapless.guarantee": _TRANSACTIONS,
    "acks": _TRANSACTIONS,
    "request.required.acks": _TRANSACTIONS,
    "max.in.flight": _TRANSACTIONS,
    "max.in.flight.requests.per.connection": _TRANSACTIONS,
    "retries": _TRANSACTIONS,
    "message.send.max.retries": _TRANSACTIONS,
    "message.timeout.ms": "a transaction has one time-out, transaction.timeout.ms",
    "delivery.timeout.ms": "a transaction has one time-out, transaction.timeout.ms",
    "delivery.report.only.error": "only what fails is looked at",
    "message.max.bytes": "the topic's own limit, max.message.bytes, holds",
}


class KafkaOutput(Target):
    """Messages of a Kafka topic, exactly once for those who read committed messages.

    Each transaction also notes in a consumer group, `tailrace-outbox.` with the store's id and the
    output's name, how far the store's rows are in the topic. A row whose message is larger than
    the topic takes, or whose `partition` is none of its partitions, is refused: see the table
    `refused` of the store. The library is installed by `pip install 'tailrace[kafka]'`.
    """

    kind: ClassVar[str] = "kafka"

    elsewhere: ClassVar[Mapping[str, str]] = {
        "bootstrap_servers": "did you mean 'brokers'?",
        "bootstrap.servers": "did you mean 'brokers'?",
        "partitions": "how many the topic gets: create: {partitions: 3}",
        "replication": "how many copies the topic gets: create: {replication: 3}",
        "compression": "as an option of the producer: options: {compression.type: zstd}",
    }

    brokers: Brokers = Field(
        default=("localhost:9092",),
        description="Addresses of some brokers of the cluster, `host:port`; the rest is found.",
    )
    topic: TopicName = Field(
        description="The topic; `tailrace init` makes it.", examples=["goal1-topic"]
    )
    key: TemplateText | None = Field(
        default=None,
        description=(
            "The message's key; by default it has none. Messages of one key go to one partition,"
            " the one that Java's clients take."
        ),
        examples=["{client_ip}"],
    )
    value: TemplateText | None = Field(
        default=None, description="The message's value as plain text. By default the row as JSON."
    )
    partition: TemplateText | None = Field(
        default=None,
        description="The partition's number; by default the key decides.",
        examples=["0", "{shard}"],
    )
    options: Mapping[Filled, LabelText] = Field(
        default={},
        description=(
            "Further options of librdkafka's producer, such as `compression.type`,"
            " `security.protocol`, `sasl.mechanism`, `sasl.username`, `sasl.password`,"
            " `ssl.ca.location`. Passwords are best taken from the environment:"
            " `${KAFKA_PASSWORD}`."
        ),
        examples=[{"compression.type": "zstd"}],
    )
    create: NewTopic = Field(
        default=NewTopic(),
        description="How `tailrace init` makes the topic if it is not there.",
        examples=[{"partitions": 3}],
    )
    on_doubt: Literal["stop", "deliver"] = Field(
        default="stop",
        description=(
            "What follows when it can't be known which rows are in the topic already, because the"
            " consumer group is gone or the store is an older copy: `stop` with an error, or"
            " `deliver` what waits, some of it perhaps a second time. Meant for one start: `--set"
            " outputs.NAME.kafka.on_doubt=deliver`."
        ),
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Options that would undo what the output promises."""
        yield from reserved_options(given, _RESERVED)

    @property
    def told(self) -> str:
        """Topic and brokers."""
        return f"kafka {self.topic} at {self.bootstrap}"

    @property
    def addressed(self) -> bool:
        """Rows have an id."""
        return True

    @property
    def templates(self) -> Mapping[str, str]:
        """Key, value and partition."""
        given = {"key": self.key, "value": self.value, "partition": self.partition}
        return {name: text for name, text in given.items() if text is not None}

    @property
    def bootstrap(self) -> str:
        """The addresses as librdkafka takes them."""
        return bootstrap(self.brokers)
