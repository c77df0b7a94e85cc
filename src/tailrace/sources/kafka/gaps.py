"""Messages that are gone although they were not read: what the pipeline wants done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.errors import SourceError
from tailrace.sources.kafka.part import partition_name
from tailrace.sources.types import Note

if TYPE_CHECKING:
    from tailrace.config import KafkaSource

GAP = "log_gap"
REPLACED = "log_replaced"


def replaced(known: object, now: str) -> bool:
    """Whether a topic isn't the one that is known by its identity; empty: nobody knows."""
    return bool(known) and bool(now) and known != now


def passed_over(config: KafkaSource, topic: str, number: int, wanted: int, first: int) -> Note:
    """Go on at ``first`` where ``wanted`` was to be read; SourceError if that isn't allowed."""
    name = partition_name(topic, number)
    text = (
        f"{name}: messages {wanted} to {first - 1} are gone (expired or deleted) and were not read"
    )
    if config.on_gap == "stop":
        raise SourceError(
            text,
            hint="set source.kafka.on_gap: count to go on and count what is missing; and let the"
            " topic keep its messages for longer than a stop may take (retention.ms)",
        )
    return Note(GAP, name, f"{text}; reading on at {first}", first - wanted)


def begun_anew(config: KafkaSource, topic: str, number: int, wanted: int, end: int) -> Note:
    """Begin again in a log that isn't the one of which ``wanted`` was the next offset.

    SourceError if that isn't allowed.
    """
    name = partition_name(topic, number)
    text = (
        f"{name}: the topic was made anew, or has lost its end: {wanted} was to be read next, and"
        f" it ends at {end}"
    )
    if config.on_gap == "stop":
        raise SourceError(
            text,
            hint="set source.kafka.on_gap: count to read it from its first message; or use a new"
            " store",
        )
    return Note(REPLACED, name, f"{text}; reading it from its first message")
