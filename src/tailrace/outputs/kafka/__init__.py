"""Kafka topics as outputs: rows in transactions that also say how far the outbox is delivered.

``topic`` is the output, ``sending`` one producer and its transactions. ``place`` finds what is at a
cluster: the topic, its limits, the marker. ``rows`` judges which rows can be messages.
``preparing`` makes topics for `tailrace init`. ``client`` is the only module that configures
librdkafka. What a pipeline file says is in ``tailrace.config.targets.kafka``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.outputs.extras import extra

if TYPE_CHECKING:
    from tailrace.config.outputs import Output as OutputConfig
    from tailrace.outputs.making import OutputContext
    from tailrace.outputs.output import Output
    from tailrace.outputs.preparing import Preparation


def make(name: str, config: OutputConfig, context: OutputContext) -> Output:
    """The output called ``name``, not yet open; OutputError if the library is missing."""
    extra("kafka", "confluent_kafka")
    from tailrace.outputs.kafka.topic import KafkaTopic

    assert config.kafka is not None  # noqa: S101 - the caller looked
    return KafkaTopic(name, config.kafka, context.store_id)


def prepare(name: str, config: OutputConfig, context: OutputContext) -> Preparation:  # noqa: ARG001 - as all have it
    """The topic of the output called ``name``; OutputError if the library is missing."""
    extra("kafka", "confluent_kafka")
    from tailrace.outputs.kafka.preparing import Topics

    target = config.kafka
    assert target is not None  # noqa: S101 - the caller looked
    return Topics(target.bootstrap, target.options, (target.topic,), target.create)
