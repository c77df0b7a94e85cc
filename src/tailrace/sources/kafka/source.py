"""The ``kafka`` source: partitions assigned by hand, read in large batches, placed by offsets."""

from __future__ import annotations

import gc
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tailrace.errors import SourceError
from tailrace.sources.kafka.broker import ANSWER_SECONDS, Broker, Place, places_of
from tailrace.sources.kafka.client import READING, consumer, refusal, refused
from tailrace.sources.kafka.gaps import begun_anew, passed_over, replaced
from tailrace.sources.kafka.membership import Membership
from tailrace.sources.kafka.messages import by_partition, records_of
from tailrace.sources.kafka.part import Part, offsets_of
from tailrace.sources.kafka.rereading import reread
from tailrace.sources.kafka.starts import opened
from tailrace.sources.kafka.watch import REFRESH_SECONDS, Watch
from tailrace.sources.turns import Turns
from tailrace.sources.types import Chunk, Json, Note, Poll, Slice, Trouble

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message

    from tailrace.config import KafkaSource
    from tailrace.formats.records import Records

BATCH = 8_000
"""Messages taken from the library at a time: as many as stay in the processor's cache, and let
other threads have the interpreter's lock every few milliseconds."""
AHEAD_BYTES = 64 << 20
"""What may wait while the partition that is furthest behind has not been heard of."""
PAUSE_BYTES = 32 << 20
RESUME_BYTES = 8 << 20
"""A partition of which more than the first waits is left alone until less than the second does."""
MOVE_SECONDS = 2.0
"""A position that only marks of transactions have moved is stored after so long a silence."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Without searches for garbage in cycles, of which messages make none: a fifth of all work."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class KafkaTopics:
    """Topics and patterns of topics, followed or up to what is there at the start."""

    def __init__(
        self,
        config: KafkaSource,
        *,
        pipeline: str,
        holder: str | None = None,
        until_end: bool = False,
        max_record_bytes: int = 1 << 20,
        wanted: Collection[str] = (),
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        """Read nothing yet.

        ``holder``: who reads, so that no other does; None to look without that. ``wanted``: what
        fields take of messages beside their values.
        """
        self.bounded = until_end
        self._config = config
        self._group = config.group or f"tailrace-{pipeline}"
        self._holder = holder
        self._max = max_record_bytes
        self._wanted = tuple(wanted)
        self._refresh_seconds = None if until_end else refresh_seconds
        self._broker: Broker | None = None
        self._watch: Watch | None = None
        self._consumer: Consumer | None = None
        self._rereading: Consumer | None = None
        self._parts: dict[Place, Part] = {}
        self._topics: dict[str, int] = {}
        self._turns = Turns()
        self._held: list[Message[bytes, bytes]] = []
        self._notes: list[Note] = []
        self._new: list[str] = []
        self._astray: dict[Place, float] = {}
        self._complained: dict[str, str] = {}
        self._refusal: KafkaError | None = None
        self._silent_since: dict[Place, float] = {}
        self._read_bytes = self._read_messages = 0

    # -- opening and closing -----------------------------------------------------------------------

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Connect and find every partition's place.

        SourceError if nobody answers, a topic isn't there, messages are gone, or another process
        reads the same pipeline.
        """
        broker = self._connected()
        parts, notes = opened(self._config, broker, positions, until_end=self.bounded)
        self._parts = {(part.topic, part.number): part for part in parts}
        self._topics = {topic: index for index, topic in enumerate(self._names())}
        self._new = [part.name for part in parts]
        self._notes += notes
        self._turns = Turns()
        self._held.clear()
        self._astray.clear()
        self._assign()

    def _connected(self) -> Broker:
        if self._broker is not None:
            return self._broker
        broker = Broker(self._config)
        self._consumer = consumer(
            self._config, {**READING, "group.id": self._group}, self._on_error
        )
        broker.connect()
        membership = None
        if self._holder is not None:
            membership = Membership(self._config, self._group, self._holder, broker.client)
            membership.claim()
            if membership.problem is not None:
                self._notes.append(Note("group_unusable", "", membership.problem))
        self._watch = Watch(broker, membership, refresh_seconds=self._refresh_seconds)
        self._watch.start()
        self._broker = broker
        return broker

    def close(self) -> None:
        """Leave the group and give back connections."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
        for each in (self._consumer, self._rereading):
            if each is not None:
                each.close()
        self._consumer = self._rereading = None

    def _assign(self) -> None:
        from confluent_kafka import KafkaException, TopicPartition

        names = self._names()
        with suppress(KafkaException):
            # A reader that knows the leaders begins at once, not after a second.
            self._reader.list_topics(names[0] if len(names) == 1 else None, ANSWER_SECONDS)
        self._reader.assign(
            [
                TopicPartition(*place, part.fetched)
                for place, part in self._parts.items()
                if not part.complete
            ]
        )

    @property
    def _reader(self) -> Consumer:
        assert self._consumer is not None  # noqa: S101 - it is open
        return self._consumer

    def _names(self) -> list[str]:
        return list(dict.fromkeys(topic for topic, _ in self._parts))

    # -- polling -----------------------------------------------------------------------------------

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Return what has been fetched, lowest watermark first."""
        watch = self._watch
        assert watch is not None  # noqa: S101 - it is open
        if watch.failure is not None:
            raise watch.failure
        if self._refusal is not None:
            raise refusal(self._config.bootstrap, self._refusal)
        if watch.topics is not None:
            self._take_up_new(watch)
        if self._astray:
            self._bring_back()
        with uncollected():
            self._fetch(max_bytes, watermarks)
        chunks = self._turns.take(list(self._parts.values()), max_bytes, watermarks)
        self._resume()
        quiet = [place for place, p in self._parts.items() if p.reached is not None and not p.ready]
        watch.asked = tuple(quiet) or tuple(list(self._parts)[:1])
        at_end = self._confirmed(quiet, watch.ends())
        chunks += self._moved(quiet, watch.ends())
        for chunk in chunks:
            self._read_bytes += len(chunk.records.data)
            self._read_messages += len(chunk.records)
        appeared, self._new = tuple(self._new), []
        notes, self._notes = [*self._notes], []
        while watch.notes:
            notes.append(watch.notes.popleft())
        return Poll(tuple(chunks), appeared, at_end, self._ended(), tuple(notes))

    def _fetch(self, max_bytes: int, watermarks: Mapping[str, int]) -> None:
        while self._wants_more(max_bytes, watermarks):
            messages, self._held = self._held, []
            taken = self._reader.consume(BATCH, 0.0)
            messages += taken
            if not messages:
                return
            self._sort(messages)
            if len(taken) < BATCH:
                return

    def _wants_more(self, max_bytes: int, watermarks: Mapping[str, int]) -> bool:
        waiting = sum(part.waiting_bytes for part in self._parts.values())
        if waiting < max_bytes or waiting >= AHEAD_BYTES:
            return waiting < max_bytes
        behind = min(
            (p for p in self._parts.values() if p.ready or p.reached is None),
            key=lambda part: watermarks.get(part.name, -(1 << 63)),
        )
        return not behind.ready

    def _sort(self, messages: list[Message[bytes, bytes]]) -> None:
        from confluent_kafka import Message, TopicPartition

        errors = list(map(Message.error, messages))
        told: list[tuple[Message[bytes, bytes], KafkaError]] = []
        if any(errors):
            told = [(m, e) for m, e in zip(messages, errors, strict=True) if e is not None]
            messages = [m for m, e in zip(messages, errors, strict=True) if e is None]
        for topic, number, mine in by_partition(messages, self._topics):
            part = self._parts[topic, number]
            part.add(records_of(mine, self._max, self._wanted))
            self._complained.pop(part.name, None)
            if part.waiting_bytes > PAUSE_BYTES and not part.paused:
                part.paused = True
                self._reader.pause([TopicPartition(topic, number)])
        for message, error in told:
            self._hear(message, error)

    def _resume(self) -> None:
        from confluent_kafka import TopicPartition

        for place, part in self._parts.items():
            if part.paused and part.waiting_bytes < RESUME_BYTES:
                part.paused = False
                self._reader.resume([TopicPartition(*place)])

    def _confirmed(self, quiet: list[Place], ends: Mapping[Place, int]) -> tuple[str, ...]:
        """Names of partitions that the broker says have no more than was read."""
        found = []
        for place in quiet:
            part = self._parts[place]
            if place in ends and (part.reached or 0) >= ends[place]:
                found.append(part.name)
        return tuple(found)

    def _moved(self, quiet: list[Place], ends: Mapping[Place, int]) -> list[Chunk]:
        """Positions that the store doesn't have: where reading began, marks of transactions."""
        now = time.monotonic()
        chunks = [
            part.move()
            for part in self._parts.values()
            if not part.ready and (not part.stored or part.short)
        ]
        for place in quiet:
            part = self._parts[place]
            if part.position >= (part.reached or 0):
                self._silent_since.pop(place, None)
            elif now - self._silent_since.setdefault(place, now) > MOVE_SECONDS and place in ends:
                del self._silent_since[place]
                chunks.append(part.move())
        return chunks

    def _ended(self) -> tuple[str, ...]:
        from confluent_kafka import TopicPartition

        ended = []
        for place, part in self._parts.items():
            if part.complete and not part.ready and not part.ended:
                part.ended = True
                ended.append(part.name)
                if place in {(p.topic, p.partition) for p in self._reader.assignment()}:
                    self._reader.incremental_unassign([TopicPartition(*place)])
        return tuple(ended)

    # -- what isn't a message ----------------------------------------------------------------------

    def _hear(self, message: Message[bytes, bytes], error: KafkaError) -> None:
        """Something that the library says instead of a message."""
        place = (message.topic() or "", message.partition() or 0)
        part = self._parts.get(place)
        code = error.code()
        if code == error._PARTITION_EOF:  # noqa: SLF001 - the library's constants are called so
            if part is not None:
                part.reach(message.offset() or 0)
        elif code in (error._AUTO_OFFSET_RESET, error.OFFSET_OUT_OF_RANGE, error._LOG_TRUNCATION):  # noqa: SLF001 - as above
            if part is not None:
                self._astray.setdefault(place, 0.0)
        elif refused(error):
            raise refusal(self._config.bootstrap, error)
        elif error.fatal():
            raise SourceError(f"Kafka at {self._config.bootstrap}: {error.str()}")
        else:
            name = part.name if part is not None else ""
            if self._complained.get(name) != error.name():
                self._complained[name] = error.name()
                text = f"{name or 'Kafka'}: {error.str()}; trying again"
                self._notes.append(Note("kafka_error", name, text))

    def _on_error(self, error: KafkaError) -> None:
        """What the library says of its connections, called while messages are fetched."""
        if refused(error):
            self._refusal = error

    def _bring_back(self) -> None:
        """Find a place for partitions whose next message is gone, once the rest was taken."""
        from confluent_kafka import TopicPartition

        now = time.monotonic()
        due = [p for p, at in self._astray.items() if not self._parts[p].ready and now >= at]
        broker = self._broker
        if not due or broker is None:
            return
        try:
            identities = broker.identities({topic for topic, _ in due})
            first, last = broker.earliest(due), broker.ends(due, committed=False)
        except SourceError:
            self._astray |= dict.fromkeys(due, now + ANSWER_SECONDS)
            return
        for place in due:
            del self._astray[place]
            part = self._parts[place]
            wanted, identity = part.fetched, identities[place[0]]
            if replaced(part.identity, identity) or wanted > last[place]:
                self._notes.append(begun_anew(self._config, *place, wanted, last[place]))
                part.begin_anew(first[place], identity)
            elif wanted < first[place]:
                self._notes.append(passed_over(self._config, *place, wanted, first[place]))
                part.position = first[place]
            else:
                part.position = wanted
            part.clear()
            self._reader.incremental_unassign([TopicPartition(*place)])
            self._reader.incremental_assign([TopicPartition(*place, part.fetched)])

    def _take_up_new(self, watch: Watch) -> None:
        """Read partitions that were added, and topics that a pattern matches or were made anew."""
        from confluent_kafka import TopicPartition

        topics, watch.topics = watch.topics, None
        broker = self._broker
        for place, part in self._parts.items():
            if topics and place[0] in topics and replaced(part.identity, topics[place[0]].identity):
                self._astray.setdefault(place, 0.0)
        places = [place for place in places_of(topics or {}) if place not in self._parts]
        if not places or broker is None or topics is None:
            return
        try:
            first = broker.earliest(places)
        except SourceError:
            return  # they are found again
        for place in places:
            identity = topics[place[0]].identity
            part = Part(*place, first[place], generation=0, identity=identity)
            self._parts[place] = part
            self._new.append(part.name)
            self._topics.setdefault(place[0], len(self._topics))
        self._reader.incremental_assign(
            [TopicPartition(*place, self._parts[place].fetched) for place in places]
        )

    # -- the rest of the protocol ------------------------------------------------------------------

    def committed(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """The store has these positions; they are copied to the group when there is time."""
        watch = self._watch
        if watch is None:
            return
        watch.committed = offsets_of(positions)

    def trouble(self) -> Trouble | None:
        """Why nothing comes now: the broker is away, or a topic is gone."""
        watch = self._watch
        return None if watch is None else watch.trouble

    def reread(self, piece: Slice) -> Records:
        """Read a slice again; SourceError if messages of it are gone, which is a gap."""
        broker = self._connected()
        topic, _, number = piece.partition.rpartition("/")
        place = (topic, int(number))
        if replaced(piece.resume.get("topic_id"), broker.identities([topic])[topic]):
            raise SourceError(
                f"{piece.partition}: messages {piece.start} to {piece.end - 1} are to be read"
                " again, and the topic was made anew since: they are gone"
            )
        if self._rereading is None:
            self._rereading = consumer(self._config, {**READING, "group.id": self._group})
        first = broker.earliest([place])[place]
        records, notes = reread(
            self._config, self._rereading, piece, first, self._max, self._wanted
        )
        self._notes += notes
        return records

    def wait(self, seconds: float) -> None:
        """Sleep until a message comes."""
        if not self._held and self._consumer is not None:
            self._held = self._consumer.consume(1, seconds)

    def totals(self) -> tuple[int, int] | None:
        """Return bytes read and bytes in all, as far as messages are equally long."""
        if not self.bounded or not self._read_messages:
            return None
        left = sum(max(0, (p.end or 0) - p.position) for p in self._parts.values())
        whole = self._read_bytes * (self._read_messages + left) // self._read_messages
        return self._read_bytes, whole
