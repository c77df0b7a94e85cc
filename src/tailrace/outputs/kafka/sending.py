"""One producer: transactions of messages and a marker, and what their errors mean.

It is thrown away after the first error: whether a transaction was committed is read from the
marker by the next one (``topic``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.kafka.client import (
    failed,
    missing_topic,
    producer,
    refusal,
    refuses,
    unreachable,
)
from tailrace.outputs.kafka.rows import FRAME_BYTES
from tailrace.sources.kafka.client import Settings, error_of

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

    from tailrace.outputs.kafka.place import Place
    from tailrace.outputs.kafka.rows import Row


class TooLargeError(OutputError):
    """The cluster refuses messages; ``size``: bytes of the smallest that is known."""

    size = 0


OVERTIME_SECONDS = 5.0
"""How much longer than its own time a transaction is waited for."""


class Sender:
    """Sends to one topic under one transactional id, fencing whoever did before."""

    def __init__(
        self, place: Place, identity: str, owner: str, limit: int, *, one_by_one: bool
    ) -> None:
        """Start: OutputError or UnreachableError.

        ``identity``: the transactional id; ``owner`` is noted beside the marker. ``limit``: bytes
        of a message; ``one_by_one``: each is sent, and refused, alone.
        """
        self._config = config = place.config
        self._owner = owner
        self._group = place.group_metadata
        self._failures: list[tuple[KafkaError, int]] = []
        self._errors: list[KafkaError] = []
        settings: Settings = {
            "transactional.id": identity,
            "message.max.bytes": max(1000, limit),
            "batch.size": max(1, min(1_000_000, limit - FRAME_BYTES)),
        }
        if one_by_one:
            settings["batch.num.messages"] = 1
        self._producer: Producer | None = producer(
            config.bootstrap, config.options, settings, self._errors.append, self._fails
        )
        try:
            place.ask(self._producer.init_transactions)
        except BaseException:
            # It would go on trying, and fence the next one.
            self.drop()
            raise
        self._errors.clear()

    def send(self, rows: Iterable[Row], seq: int, seconds: float) -> None:
        """Send messages, and the number of their batch as the marker: all or nothing.

        OutputError where it isn't known which. librdkafka may forget the time that it is given when
        a broker goes away while offsets are sent, and never come back: then the call is left behind
        with its producer, which the next one fences.
        """
        ended = threading.Event()
        problems: list[BaseException] = []

        def work() -> None:
            try:
                self._transaction(rows, seq, seconds)
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                problems.append(error)
            finally:
                ended.set()

        threading.Thread(target=work, name="tailrace-kafka-send", daemon=True).start()
        if not ended.wait(seconds + OVERTIME_SECONDS):
            bootstrap = self._config.bootstrap
            raise UnreachableError(
                f"Kafka at {bootstrap} did not answer within {seconds + OVERTIME_SECONDS:.0f} s",
                hint="a new transaction finds out what became of this one",
            )
        if problems:
            raise problems[0]

    def _transaction(self, rows: Iterable[Row], seq: int, seconds: float) -> None:
        from confluent_kafka import KafkaException, TopicPartition

        made = self._producer
        assert made is not None  # noqa: S101 - it wasn't dropped
        marker = TopicPartition(self._config.topic, 0, seq + 1, self._owner)
        until = time.monotonic() + seconds
        try:
            made.poll(0)
            made.begin_transaction()
            self._produce(made, rows, until)
            again(lambda s: made.send_offsets_to_transaction([marker], self._group, s), until)
            again(made.commit_transaction, until)
        except KafkaException as exception:
            with suppress(KafkaException):
                made.poll(0)
            raise self._meaning(error_of(exception)) from exception

    def drop(self) -> None:
        """Give the producer up; what it was doing is ended by the next one."""
        made, self._producer = self._producer, None
        if made is not None:
            with suppress(Exception):
                made.purge(blocking=False)

    def _produce(self, made: Producer, rows: Iterable[Row], until: float) -> None:
        topic, produce = self._config.topic, made.produce
        for value, key, partition in rows:
            while True:
                try:
                    produce(topic, value, key, partition)
                except BufferError:
                    if time.monotonic() > until:
                        raise OutputError(f"Kafka at {self._config.bootstrap} is slow") from None
                    made.poll(0.05)
                else:
                    break

    def _fails(self, error: KafkaError | None, message: Message[bytes, bytes]) -> None:
        """A message could not be sent."""
        if error is not None:
            size = len(message.value() or b"") + len(message.key() or b"")
            self._failures.append((error, size))

    def _meaning(self, error: KafkaError) -> OutputError:
        """What an error in a transaction means for people."""
        bootstrap, topic = self._config.bootstrap, self._config.topic
        too_large = [size for e, size in self._failures if e.code() == e.MSG_SIZE_TOO_LARGE]
        if too_large:
            found = TooLargeError(f"the topic {topic} refuses messages as too large")
            found.size = min(too_large)
            return found
        purged = (error._PURGE_QUEUE, error._PURGE_INFLIGHT)  # noqa: SLF001 - the library's constants are called so
        causes = [each for each, _ in self._failures if each.code() not in purged]
        meaning = unreachable if is_out_of_reach(error) else failed
        cause = causes[0] if causes else error
        for each in (*causes, error, *self._errors):
            if refuses(each):
                meaning, cause = refusal, each
                break
            if each.code() in (each._UNKNOWN_TOPIC, each.UNKNOWN_TOPIC_OR_PART):  # noqa: SLF001 - as above
                return missing_topic(bootstrap, topic)
        return meaning(bootstrap, cause)


def is_out_of_reach(error: KafkaError) -> bool:
    """Whether nobody has answered."""
    return error.code() in (error._TIMED_OUT, error._TRANSPORT, error._ALL_BROKERS_DOWN)  # noqa: SLF001 - as above


def again(call: Callable[[float], object], until: float) -> None:
    """Call with the seconds that are left, again while the library says that it may be."""
    from confluent_kafka import KafkaException

    while True:
        left = until - time.monotonic()
        try:
            call(max(0.1, left))
        except KafkaException as exception:
            if left <= 0 or not error_of(exception).retriable():
                raise
        else:
            return
