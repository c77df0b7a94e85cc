"""Clients of librdkafka: their settings, and what its errors mean for people."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from tailrace.errors import SourceError, TailraceError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError
    from confluent_kafka.admin import AdminClient

    from tailrace.config import KafkaSource

Settings = dict[str, str | int | float | bool]

PREFETCHED_KB = 65_536
"""Read ahead of the polls; at 200 bytes a message some 350,000."""

READING: Settings = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    # One byte is answered at once; nothing at all is said so often, too.
    "fetch.wait.max.ms": 100,
    "fetch.min.bytes": 1,
    "fetch.message.max.bytes": 8 << 20,
    "queued.max.messages.kbytes": PREFETCHED_KB,
    # Else a full queue lets a partition rest for a second.
    "fetch.queue.backoff.ms": 10,
}
NEARBY: Settings = {
    "client.id": "tailrace",
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 2_000,
    "socket.keepalive.enable": True,
    "log_level": 4,
}

_LOGGER = logging.getLogger("tailrace.kafka")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False

OnError = Callable[["KafkaError"], None]


def missing_library() -> TailraceError:
    """What is said where the client library is not installed."""
    return SourceError(
        "reading Kafka needs a library that is not installed",
        hint="pip install 'tailrace[kafka]'",
    )


def consumer(
    config: KafkaSource,
    settings: Settings,
    on_error: OnError = lambda _error: None,
    fixed: Settings | None = None,
) -> Consumer:
    """A consumer; SourceError if an option of the pipeline is not one of librdkafka's.

    The pipeline's options win over ``settings``, and ``fixed`` over those.
    """
    try:
        from confluent_kafka import Consumer, KafkaException
    except ImportError as error:
        raise missing_library() from error
    merged = {**_base(config), **settings, **config.options, **(fixed or {})}
    try:
        return Consumer(merged, error_cb=on_error, logger=_LOGGER)
    except KafkaException as error:
        raise _wrong_option(error) from error


def admin(config: KafkaSource, on_error: OnError = lambda _error: None) -> AdminClient:
    """A client that asks questions; SourceError as for ``consumer``."""
    try:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient
    except ImportError as error:
        raise missing_library() from error
    try:
        merged = {**_base(config), **config.options}
        return AdminClient(merged, error_cb=on_error, logger=_LOGGER)
    except KafkaException as error:
        raise _wrong_option(error) from error


def _base(config: KafkaSource) -> Settings:
    return {**NEARBY, "bootstrap.servers": config.bootstrap}


def _wrong_option(error: Exception) -> SourceError:
    found: KafkaError = error.args[0]
    return SourceError(
        f"source.kafka.options: {found.str()}",
        hint="the options are those of librdkafka's CONFIGURATION.md",
    )


def error_of(exception: Exception) -> KafkaError:
    """The error that an exception of the library carries."""
    error: KafkaError = exception.args[0]
    return error


def refused(error: KafkaError) -> bool:
    """Whether the broker knows us and won't have us: waiting doesn't help."""
    return error.code() in (
        error._AUTHENTICATION,  # noqa: SLF001 - the library's constants are called so
        error.SASL_AUTHENTICATION_FAILED,
        error.TOPIC_AUTHORIZATION_FAILED,
        error.CLUSTER_AUTHORIZATION_FAILED,
        error.UNSUPPORTED_SASL_MECHANISM,
        error.ILLEGAL_SASL_STATE,
    )


def refusal(brokers: str, error: KafkaError) -> SourceError:
    """The error for somebody whom the broker refuses."""
    return SourceError(
        f"Kafka at {brokers} refuses us: {error.str()}",
        hint="source.kafka.options: security.protocol, sasl.mechanism, sasl.username,"
        " sasl.password, ssl.ca.location; and what this user may read",
    )
