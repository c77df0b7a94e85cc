"""What the driver knows of the input between batches: new slices of files, ends of partitions."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tailrace.config import KafkaSource
from tailrace.engines.liveness import over
from tailrace.errors import SourceError
from tailrace.sources.inline import with_records
from tailrace.sources.kafka.broker import Broker, places_of
from tailrace.sources.kafka.gaps import replaced
from tailrace.sources.kafka.membership import Membership
from tailrace.sources.kafka.part import offsets_of, partition_name
from tailrace.sources.kafka.watch import Watch
from tailrace.sources.types import Chunk, Input, Mirroring, Note, Poll, Source, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailrace.engines.state import EngineState
    from tailrace.sources.kafka.broker import Place
    from tailrace.sources.types import Json

PLAN_BYTES = 512 << 20
"""So much one plan reads at most: a batch has a price, and its slices are read side by side."""

CARRIED_BYTES = 8 << 20
"""So much one plan carries: it stands in Spark's offset log, and in its progress."""

POLL_BYTES = 24 << 20
"""So much a slice has at most: what one task reads at a time."""

REFRESH_SECONDS = 10.0


class Watched(Input, Protocol):
    """An input as the driver's loop sees it."""

    def look(self, state: EngineState) -> Poll:
        """What is new, without waiting; slices without records, or with them to carry."""
        ...

    @property
    def plan_bytes(self) -> int:
        """So much one plan takes at most."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep until there may be news, at most so long."""
        ...

    @property
    def ended(self) -> bool:
        """Whether all of it was given out."""
        ...


class PlannedInput:
    """A source of ours. The driver reads it to find slices; workers read these again.

    ``carried``: what only this process has (standard input, what is sent by HTTP) goes along.
    """

    def __init__(self, source: Source, *, carried: bool) -> None:
        self._source = source
        self._carried = carried
        self._open: set[str] = set()
        self._done = False
        self.plan_bytes = CARRIED_BYTES if carried else PLAN_BYTES

    @property
    def bounded(self) -> bool:
        """Whether the input ends by itself."""
        return self._source.bounded

    def open(self, positions: Mapping[str, dict[str, Json]], running: set[str]) -> None:
        """Start at stored positions; ``running``: partitions that had not ended then."""
        self._source.open(positions)
        self._open = set(running)

    def look(self, state: EngineState) -> Poll:
        """Read on, up to one slice of each partition."""
        watermarks = {name: p.maximum for name, p in state.partitions.items()}
        poll = self._source.poll(min(POLL_BYTES, self.plan_bytes), watermarks)
        self._open |= set(poll.appeared)
        self._open -= over(poll)
        self._done = self.bounded and not self._open
        if self._carried:
            chunks = tuple(
                Chunk(with_records(one.slice, one.records), one.records) for one in poll.chunks
            )
            poll = replace(poll, chunks=chunks)
        return poll

    @property
    def ended(self) -> bool:
        """Whether all of it was given out."""
        return self._done

    def committed(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Hear of the positions that the store has; see ``Mirroring``."""
        if isinstance(self._source, Mirroring):
            self._source.committed(positions)

    def wait(self, seconds: float) -> None:
        """Sleep until there may be news."""
        self._source.wait(seconds)

    def totals(self) -> tuple[int, int] | None:
        """Bytes read and in all."""
        return self._source.totals()

    def close(self) -> None:
        """Give back files and threads."""
        self._source.close()


class KafkaInput:
    """Topics that Spark reads: here only what the broker says of them."""

    ended = False
    plan_bytes = PLAN_BYTES

    def __init__(self, config: KafkaSource, *, pipeline: str, holder: str, until_end: bool) -> None:
        """``holder``: who reads, so that no other does."""
        self.bounded = until_end
        self._config = config
        self._broker = Broker(config)
        group = config.group or f"tailrace-{pipeline}"
        self._membership = Membership(config, group, holder, self._broker.client)
        refresh = None if until_end else REFRESH_SECONDS
        self._watch = Watch(self._broker, self._membership, refresh_seconds=refresh)
        self._known: set[str] = set()
        self._appeared: list[str] = []
        self.planned: dict[str, int] = {}
        """How far concluded batches have read, marks of transactions included."""
        self._seen: dict[str, int] = {}
        self.identities: dict[str, str] = {}
        """What the cluster calls the topics, whatever their names."""

    def connect(self) -> None:
        """Reach the cluster and join the group.

        SourceError if nobody answers, a topic is missing or another process reads the pipeline.
        """
        self._broker.connect()
        self._membership.claim()
        if self._membership.problem is not None:
            self._watch.notes.append(Note("group_unusable", "", self._membership.problem))
        self._topics = self._broker.topics()
        self.identities = {name: topic.identity for name, topic in self._topics.items()}

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Begin to watch; SourceError if a topic isn't the one of which there are positions."""
        topics = self._topics
        for name, position in positions.items():
            topic = topics.get(name.rpartition("/")[0])
            if topic is not None and replaced(position.get("topic_id"), topic.identity):
                raise self._made_anew(topic.name)
        self._take(places_of(topics))
        self._watch.asked = tuple(places_of(topics))
        self._watch.start()

    def _take(self, places: Iterable[Place]) -> None:
        for name in (partition_name(*place) for place in places):
            if name not in self._known:
                self._known.add(name)
                self._appeared.append(name)

    def look(self, state: EngineState) -> Poll:
        """Partitions that are new, and those of which all was concluded."""
        failure = self._watch.failure
        if failure is not None:
            raise failure
        topics, self._watch.topics = self._watch.topics, None
        if topics is not None:
            for name, topic in topics.items():
                if replaced(self.identities.setdefault(name, topic.identity), topic.identity):
                    raise self._made_anew(name)
            self._watch.asked = tuple(places_of(topics))
            self._take(places_of(topics))
        appeared, self._appeared = tuple(self._appeared), []
        at_end = []
        for place, end in self._watch.ends().items():
            name = partition_name(*place)
            partition = state.partitions.get(name)
            if partition is None:
                continue
            # The end may have been asked for before the last messages came.
            still = self._seen.get(name) == partition.read
            self._seen[name] = partition.read
            if still and max(self.planned.get(name, 0), partition.position) >= end:
                at_end.append(name)
        notes = []
        while self._watch.notes:
            notes.append(self._watch.notes.popleft())
        return Poll(appeared=appeared, at_end=tuple(at_end), notes=tuple(notes))

    def committed(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """The store has these positions; they are copied to the group when there is time."""
        self._watch.committed = offsets_of(positions)

    def _made_anew(self, topic: str) -> SourceError:
        return SourceError(
            f"the topic {topic} at {self._config.bootstrap} was deleted and made anew",
            hint="begin with a new store and checkpoint",
        )

    def trouble(self) -> Trouble | None:
        """What is wrong now."""
        return self._watch.trouble

    def totals(self) -> tuple[int, int] | None:
        """Not known."""
        return None

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def close(self) -> None:
        """Stop asking, and leave the group."""
        self._watch.stop()
