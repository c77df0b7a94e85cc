"""Messages of a topic for people to look at: nothing is stored, no group is joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tailrace.sources.kafka.broker import Broker, places_of
from tailrace.sources.kafka.client import READING, consumer, refusal, refused

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

    from tailrace.config import KafkaSource

BATCH = 1_000
WAIT_SECONDS = 0.2


def looked_at(
    config: KafkaSource,
    *,
    from_beginning: bool,
    until_end: bool,
    stopped: Callable[[], bool],
) -> Iterator[list[Message[bytes, bytes]]]:
    """Batches of messages, from now on or ``from_beginning``, until ``stopped``.

    ``until_end``: only those that are there now. SourceError if the topic can't be read.
    """
    from confluent_kafka import TopicPartition

    broker = Broker(config)
    broker.connect()
    places = places_of(broker.topics())
    ends = broker.ends(places)
    begins = broker.earliest(places) if from_beginning else ends
    open_ = {place for place in places if not until_end or begins[place] < ends[place]}
    refusals: list[KafkaError] = []
    reader = consumer(
        config,
        {**READING, "group.id": "tailrace-consume"},
        lambda error: refusals.append(error) if refused(error) else None,
    )
    try:
        reader.assign([TopicPartition(*place, begins[place]) for place in sorted(open_)])
        while open_ and not stopped():
            taken = reader.consume(BATCH, WAIT_SECONDS)
            batch = []
            for message in taken:
                place = (message.topic() or "", message.partition() or 0)
                offset, error = message.offset() or 0, message.error()
                if error is not None and refused(error):
                    refusals.append(error)
                if until_end and (place not in open_ or offset >= ends[place]):
                    open_.discard(place)
                elif error is None:
                    batch.append(message)
                    if until_end and offset + 1 >= ends[place]:
                        open_.discard(place)
            if refusals:
                raise refusal(config.bootstrap, refusals[-1])
            if batch:
                yield batch
    finally:
        reader.close()
