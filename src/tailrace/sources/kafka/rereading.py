"""Messages between two offsets read again, for an epoch that a crash interrupted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tailrace.errors import AwayError, SourceError
from tailrace.sources.kafka.gaps import passed_over
from tailrace.sources.kafka.messages import records_of
from tailrace.sources.kafka.part import Part
from tailrace.sources.reader import nothing
from tailrace.sources.split import joined

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka import Consumer

    from tailrace.config import KafkaSource
    from tailrace.formats.records import Records
    from tailrace.sources.types import Note, Slice

PATIENCE_SECONDS = 30.0
"""Without anything new for so long the broker is given up."""
BATCH = 50_000


def reread(
    config: KafkaSource,
    consumer: Consumer,
    piece: Slice,
    first: int,
    max_bytes: int,
    wanted: Collection[str],
) -> tuple[Records, list[Note]]:
    """The messages of a slice, and a note if some are gone; ``first``: the first that is kept.

    SourceError if messages are gone and that isn't allowed, or nobody answers.
    """
    from confluent_kafka import TopicPartition

    topic, _, number = piece.partition.rpartition("/")
    notes = []
    start = piece.start
    if start < first and start < piece.end:
        start = min(first, piece.end)
        notes.append(passed_over(config, topic, int(number), piece.start, start))
    part = Part(topic, int(number), start, generation=piece.generation, identity="")
    part.end = piece.end
    if not part.complete:
        consumer.assign([TopicPartition(topic, int(number), start)])
        _fetch(part, consumer, max_bytes, wanted)
        consumer.unassign()
    found = []
    while part.ready:
        took = part.read(1 << 62)
        if took.chunk is not None:
            found.append(took.chunk.records)
    if not found:
        return nothing(), notes
    return found[0] if len(found) == 1 else joined(found), notes


def _fetch(part: Part, consumer: Consumer, max_bytes: int, wanted: Collection[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not part.complete:
        messages = consumer.consume(BATCH, 0.25)
        for message in messages:
            error = message.error()
            if error is None:
                continue
            if error.code() == error._PARTITION_EOF:  # noqa: SLF001 - a constant
                reached = message.offset() or 0
                good = [m for m in messages if m.error() is None]
                if good:
                    part.add(records_of(good, max_bytes, wanted))
                part.reach(reached)
                if not part.complete:
                    raise SourceError(
                        f"{part.name}: messages up to {part.end} are to be read again, and the"
                        f" partition ends at {reached}",
                        hint="the topic has lost its end or was made anew; use a new store",
                    )
                return
        good = [m for m in messages if m.error() is None]
        if good:
            part.add(records_of(good, max_bytes, wanted))
            deadline = time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            raise AwayError(
                f"{part.name}: messages {part.fetched} to {part.end} could not be read again:"
                " Kafka doesn't answer",
                hint="run again when it is back",
            )
