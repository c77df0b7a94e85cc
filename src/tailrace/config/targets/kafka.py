"""A Kafka topic that rows go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from tailrace.config.scalars import Filled, Text
from tailrace.config.targets.target import Target, TemplateText


class KafkaOutput(Target):
    """Messages of a Kafka topic, exactly once for those who read committed messages."""

    kind: ClassVar[str] = "kafka"

    brokers: Filled = Field(
        default="localhost:9092",
        description="`host:port` of a broker, or several with commas.",
    )
    topic: Filled = Field(description="The topic; `tailrace init` makes it.", examples=["goal1"])
    key: TemplateText | None = Field(
        default=None,
        description="The message's key. Messages of one key go to one partition.",
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
    options: Mapping[Filled, Text] = Field(
        default={},
        description="Options of librdkafka's producer: TLS, SASL, compression.",
        examples=[{"compression.type": "zstd"}],
    )

    @property
    def addressed(self) -> bool:
        """Rows have an id."""
        return True

    @property
    def templates(self) -> Mapping[str, str]:
        """Key, value and partition."""
        given = {"key": self.key, "value": self.value, "partition": self.partition}
        return {name: text for name, text in given.items() if text is not None}
