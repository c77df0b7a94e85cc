"""What Kafka's source and outputs have in common in the pipeline file: brokers, topics, options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.scalars import Count, Filled, LabelText
from tailrace.config.several import Several
from tailrace.config.values import shown

RESERVED = {
    "bootstrap.servers": "the key 'brokers' says it",
    "metadata.broker.list": "the key 'brokers' says it",
    "group.instance.id": "the group only holds positions and tells that somebody reads",
    "group.protocol": "the group only holds positions",
    "isolation.level": "only committed messages are read",
    "plugin.library.paths": "it would load foreign code",
    "ssl.engine.location": "it would load foreign code",
}
"""Options of librdkafka that a pipeline can't set, and why."""

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


def _brokers(brokers: tuple[str, ...]) -> tuple[str, ...]:
    for text in brokers:
        for broker in text.split(","):
            if re.fullmatch(r"\s*(\[[0-9A-Fa-f:.%]+\]|[^\s:/]+):[0-9]{1,5}\s*", broker) is None:
                raise refusal(
                    f"{shown(broker)} is not the address of a broker", "for example localhost:9092"
                )
    return brokers


Brokers = Annotated[Several, AfterValidator(_brokers)]
"""Addresses ``host:port``; each text may have several with commas."""


def bootstrap(brokers: tuple[str, ...]) -> str:
    """The addresses as librdkafka takes them."""
    return ",".join(part.strip() for text in brokers for part in text.split(","))


def is_topic(name: str) -> bool:
    """Whether a topic may be called so."""
    return _TOPIC.fullmatch(name) is not None and name not in (".", "..")


def _topic(name: str) -> str:
    if not is_topic(name):
        raise refusal(f"{shown(name)} is not the name of a topic", "letters, digits, '.', '_', '-'")
    return name


TopicName = Annotated[Filled, AfterValidator(_topic)]


def reserved_options(given: Given, reserved: Mapping[str, str]) -> Iterator[Complaint]:
    """Complaints of options that would undo what is promised; ``reserved`` says why."""
    options = given.get("options")
    for name in options if isinstance(options, Mapping) else ():
        reason = reserved.get(str(name).lower())
        if reason is not None:
            message = f"the option {shown(str(name))} can't be set: {reason}"
            yield Complaint(("options", str(name)), message, at_key=True)


class NewTopic(Model):
    """How `tailrace init` makes a topic that is not there; one that is there stays as it is."""

    partitions: Count | None = Field(
        default=None, description="Partitions. By default the broker says it.", examples=[3]
    )
    replication: Count | None = Field(
        default=None,
        description="Copies of each partition. By default the broker says it.",
        examples=[3],
    )
    config: Mapping[Filled, LabelText] = Field(
        default={},
        description="Settings of the topic.",
        examples=[{"retention.ms": "604800000"}],
    )
