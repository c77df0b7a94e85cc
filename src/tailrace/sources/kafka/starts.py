"""Where each partition is read from when a source is opened, and where it ends if it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tailrace.config.kafka import is_pattern, start_ms
from tailrace.errors import SourceError
from tailrace.sources.kafka.broker import Broker, Place, Topic, places_of
from tailrace.sources.kafka.gaps import begun_anew, passed_over, replaced
from tailrace.sources.kafka.part import Part, partition_name
from tailrace.sources.types import Json, Note

if TYPE_CHECKING:
    from tailrace.config import KafkaSource

Positions = Mapping[str, dict[str, Json]]

DROPPED = "partition_dropped"


def opened(
    config: KafkaSource, broker: Broker, positions: Positions, *, until_end: bool
) -> tuple[list[Part], list[Note]]:
    """The partitions at the places where they are to be read, and what is to be said of them.

    A stored position wins. Of a topic that is known, or that a pattern found later, a partition
    without one is new and read from its beginning. SourceError if messages are gone.
    """
    topics = broker.topics()
    places = places_of(topics)
    stored = {place: positions[name] for place in places if (name := _name(place)) in positions}
    first = broker.earliest(places)
    last = broker.ends(stored, committed=False)
    chosen = _chosen(config, broker, topics, positions)
    parts, notes = [], []
    for place in places:
        topic = topics[place[0]]
        if place in stored:
            part, note = _resumed(config, topic, place, stored[place], first[place], last[place])
            notes += note
        else:
            begin = chosen.get(place, first[place])
            part = Part(*place, begin, generation=0, identity=topic.identity)
            part.stored = begin == first[place] == 0
        parts.append(part)
    if until_end:
        for place, end in broker.ends(places).items():
            part = next(p for p in parts if (p.topic, p.number) == place)
            part.end = end
    known = {part.name for part in parts}
    for name in positions:
        if name not in known:
            text = f"{name} is no longer read: not configured, or deleted"
            notes.append(Note(DROPPED, name, text))
    return parts, notes


def _name(place: Place) -> str:
    return partition_name(*place)


def _chosen(
    config: KafkaSource, broker: Broker, topics: Mapping[str, Topic], positions: Positions
) -> dict[Place, int]:
    """What ``start`` says, for the partitions of topics that it applies to."""
    if config.start == "earliest":
        return {}
    known = {name.rpartition("/")[0] for name in positions}
    fresh = {
        name: topic
        for name, topic in topics.items()
        if name not in known and (not known or name in config.topics)
    }
    if known and not any(not is_pattern(name) for name in config.topics):
        return {}
    places = places_of(fresh)
    at = start_ms(config.start)
    return broker.ends(places) if at is None else broker.at(places, at)


def _resumed(
    config: KafkaSource,
    topic: Topic,
    place: Place,
    stored: dict[str, Json],
    first: int,
    last: int,
) -> tuple[Part, list[Note]]:
    offset, generation = stored.get("offset"), stored.get("generation")
    if not isinstance(offset, int) or not isinstance(generation, int):
        raise SourceError(
            f"the position stored for {_name(place)} is not one of Kafka",
            hint="the store belongs to a pipeline with another source; use a new store",
        )
    notes = []
    if replaced(stored.get("topic_id"), topic.identity) or offset > last:
        notes.append(begun_anew(config, *place, offset, last))
        offset, generation = first, generation + 1
    elif offset < first:
        notes.append(passed_over(config, *place, offset, first))
        offset = first
    return Part(*place, offset, generation=generation, identity=topic.identity), notes
