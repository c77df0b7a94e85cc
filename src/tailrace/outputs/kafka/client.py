"""Clients of librdkafka for outputs: their settings, and what its errors mean for people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tailrace.errors import OutputError, UnreachableError
from tailrace.sources.kafka.client import NEARBY, Settings, error_of

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message, Producer
    from confluent_kafka.admin import AdminClient

    OnError = Callable[[KafkaError], None]

TRANSACTION_SECONDS = 60.0
"""After so long the cluster gives a transaction up whose process is gone; readers wait for it."""

PRODUCING: Settings = {
    "transaction.timeout.ms": int(TRANSACTION_SECONDS * 1000),
    "delivery.report.only.error": True,
    # A transaction that begins while the one before is being finished is refused for some
    # milliseconds; with the usual 100 between attempts ten transactions a second would be all.
    "retry.backoff.ms": 5,
    "retry.backoff.max.ms": 1_000,
    "queue.buffering.max.messages": 0,
    "queue.buffering.max.kbytes": 262_144,
    # Where nobody answers, noting the marker takes twice as long, whatever it is told.
    "socket.timeout.ms": 6_000,
    "partitioner": "murmur2_random",
}

_LOGGER = logging.getLogger("tailrace.kafka")


def producer(
    bootstrap: str,
    options: Mapping[str, str],
    settings: Settings,
    on_error: OnError,
    on_failure: Callable[[KafkaError | None, Message[bytes, bytes]], None],
) -> Producer:
    """A producer; ``on_failure`` hears of each message that could not be sent."""
    from confluent_kafka import KafkaException, Producer

    merged = {**_base(bootstrap), **PRODUCING, **settings, **options}
    try:
        return Producer(merged, error_cb=on_error, on_delivery=on_failure, logger=_LOGGER)
    except KafkaException as exception:
        raise _wrong_option(exception) from exception


def consumer(bootstrap: str, options: Mapping[str, str], group: str, on_error: OnError) -> Consumer:
    """A consumer that only asks questions, as a member of no group."""
    from confluent_kafka import Consumer, KafkaException

    settings: Settings = {
        "group.id": group,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
    }
    merged = {**_base(bootstrap), **_of_any_client(options), **settings}
    try:
        return Consumer(merged, error_cb=on_error, logger=_LOGGER)
    except KafkaException as exception:
        raise _wrong_option(exception) from exception


def admin(bootstrap: str, options: Mapping[str, str], on_error: OnError) -> AdminClient:
    """A client that asks for topics and makes them."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    merged = {**_base(bootstrap), **_of_any_client(options)}
    try:
        return AdminClient(merged, error_cb=on_error, logger=_LOGGER)
    except KafkaException as exception:
        raise _wrong_option(exception) from exception


def _base(bootstrap: str) -> Settings:
    return {**NEARBY, "bootstrap.servers": bootstrap}


_CONNECTING = ("security.", "sasl.", "ssl.", "enable.ssl", "enable.sasl", "socket.", "broker.")
_ALSO = ("client.id", "client.rack", "api.version.request", "debug", "log_level")


def _of_any_client(options: Mapping[str, str]) -> dict[str, str]:
    """The options that say how to connect; the rest is for producers (or consumers) alone."""
    return {
        name: value
        for name, value in options.items()
        if name.startswith(_CONNECTING) or name in _ALSO
    }


def _wrong_option(exception: Exception) -> OutputError:
    return OutputError(
        f"Kafka's options: {error_of(exception).str()}",
        hint="the options are those of librdkafka's CONFIGURATION.md",
    )


def refuses(error: KafkaError) -> bool:
    """Whether the cluster knows us and won't have us: waiting doesn't help."""
    return error.code() in (
        error._AUTHENTICATION,  # noqa: SLF001 - the library's constants are called so
        error.SASL_AUTHENTICATION_FAILED,
        error.UNSUPPORTED_SASL_MECHANISM,
        error.ILLEGAL_SASL_STATE,
        error.TOPIC_AUTHORIZATION_FAILED,
        error.GROUP_AUTHORIZATION_FAILED,
        error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        error.CLUSTER_AUTHORIZATION_FAILED,
    )


def refusal(bootstrap: str, error: KafkaError) -> OutputError:
    """The error for somebody whom the cluster refuses."""
    return OutputError(
        f"Kafka at {bootstrap} refuses us: {error.str()}",
        hint="its options: security.protocol, sasl.mechanism, sasl.username, sasl.password,"
        " ssl.ca.location; and whether this user may write to the topic, use the transactional id"
        " and read the consumer group, which begin with tailrace-outbox.",
    )


def unreachable(bootstrap: str, error: KafkaError) -> UnreachableError:
    """The error where nobody answers in time."""
    return UnreachableError(
        f"no Kafka broker answers at {bootstrap}: {error.str()}",
        hint="is the address right (brokers), and is the broker up? For TLS or SASL set"
        " options.security.protocol",
    )


def failed(bootstrap: str, error: KafkaError) -> OutputError:
    """The error for everything else."""
    return OutputError(f"Kafka at {bootstrap}: {error.str()}")


def missing_topic(bootstrap: str, topic: str) -> OutputError:
    """The error where the topic isn't there."""
    return OutputError(
        f"there is no topic {topic} at {bootstrap}",
        hint="'tailrace init PIPELINE' makes what a pipeline needs",
    )
