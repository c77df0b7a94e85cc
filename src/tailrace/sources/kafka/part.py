"""One partition of a topic: what was fetched of it and waits to be taken, and where it stands."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.records import Records
from tailrace.sources.chain import Took
from tailrace.sources.reader import nothing
from tailrace.sources.split import joined
from tailrace.sources.types import Chunk, Json, Slice

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_BYTES = 32
"""What a message costs at least in the account of what waits, so that tiny ones are bounded."""


def partition_name(topic: str, number: int) -> str:
    """The name of a partition; no topic's name has a slash."""
    return f"{topic}/{number}"


def offsets_of(positions: Mapping[str, Mapping[str, Json]]) -> dict[tuple[str, int], int]:
    """Stored positions by topic and number."""
    found = {}
    for name, stored in positions.items():
        topic, _, number = name.rpartition("/")
        offset = stored.get("offset")
        if isinstance(offset, int) and number.isdecimal():
            found[topic, int(number)] = offset
    return found


class Part:
    """A partition that is read.

    ``position``: the offset after what was taken last. ``fetched``: the one after what was fetched.
    ``end``: where reading stops, None while it is followed. ``reached``: the offset at which the
    broker said that there is no more, None since something came after that.
    """

    def __init__(
        self, topic: str, number: int, position: int, *, generation: int, identity: str
    ) -> None:
        self.topic, self.number = topic, number
        self.name = partition_name(topic, number)
        self.position = self.fetched = position
        self.generation = generation
        self.identity = identity
        self.end: int | None = None
        self.reached: int | None = None
        self.waiting_bytes = 0
        self.paused = False
        self.ended = False
        self.stored = True
        """Whether the store has, or will have, its position."""
        self._waiting: deque[Records] = deque()

    @property
    def ready(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    @property
    def complete(self) -> bool:
        """Whether everything before ``end`` was fetched."""
        return self.end is not None and max(self.fetched, self.reached or 0) >= self.end

    @property
    def short(self) -> bool:
        """Whether only marks of transactions, or what was aborted, is left before ``end``."""
        return self.end is not None and self.complete and self.position < self.end

    def add(self, records: Records) -> None:
        """Take what was fetched; nothing at or after ``end``."""
        if self.end is not None and len(records) and records.positions[-1] >= self.end:
            records = rows(records, 0, int(np.searchsorted(records.positions, self.end)))
            self.reached = self.end
        else:
            self.reached = None
        if len(records):
            self.fetched = int(records.positions[-1]) + 1
            self.waiting_bytes += cost(records)
            self._waiting.append(records)

    def reach(self, offset: int) -> None:
        """Know that there is nothing before ``offset`` that was not fetched, and nothing after."""
        self.reached = offset if self.end is None else min(offset, self.end)

    def clear(self) -> None:
        """Forget what waits: it is fetched again."""
        self._waiting.clear()
        self.waiting_bytes = 0
        self.fetched, self.reached = self.position, None

    def begin_anew(self, first: int, identity: str) -> None:
        """Stand at the first message of another log under the same name."""
        self.position, self.identity = first, identity
        self.generation += 1
        self.stored = False

    def read(self, limit: int) -> Took:
        """Take about ``limit`` bytes of what waits."""
        taken, size = [self._waiting.popleft()], 0
        while True:
            size += cost(taken[-1])
            if size >= limit or not self._waiting:
                break
            taken.append(self._waiting.popleft())
        if size > limit:
            last = taken[-1]
            size -= cost(last)
            count = fitting(last, limit - size) or (0 if size else 1)
            self._waiting.appendleft(rows(last, count, len(last)))
            taken[-1] = rows(last, 0, count)
            size += cost(taken[-1])
        while self._waiting and not len(self._waiting[0]):
            self._waiting.popleft()
        taken = [records for records in taken if len(records)]
        records = taken[0] if len(taken) == 1 else joined(taken)
        self.waiting_bytes -= size
        start = self.position
        self.position = int(records.positions[-1]) + 1
        if not self._waiting and self.reached is not None:
            # Marks of transactions lie between the last message and the end.
            self.position = max(self.position, self.reached)
        return Took(Chunk(self._slice(start), records), size)

    def move(self) -> Chunk:
        """A slice without messages, so that the store has the position reached."""
        start = self.position
        self.position = max(start, self.reached or 0)
        return Chunk(self._slice(start), nothing())

    def _slice(self, start: int) -> Slice:
        self.stored = True
        place: dict[str, Json] = {
            "offset": self.position,
            "generation": self.generation,
            "topic_id": self.identity,
        }
        return Slice(self.name, self.generation, start, self.position, place)


def fitting(records: Records, limit: int) -> int:
    """How many of the records cost no more than the limit together."""
    ends = records.offsets[1:] + np.arange(1, len(records) + 1) * MESSAGE_BYTES
    return int(np.searchsorted(ends, limit, side="right"))


def cost(records: Records) -> int:
    """Bytes that records stand for."""
    return int(records.offsets[-1]) + MESSAGE_BYTES * len(records)


def rows(records: Records, begin: int, end: int) -> Records:
    """A stretch of records, over the same memory."""
    offsets = records.offsets[begin : end + 1]
    base = int(offsets[0])
    beside: Mapping[str, object] | None = records.beside
    return replace(
        records,
        data=records.data.slice(base, int(offsets[-1]) - base),
        offsets=offsets - np.int32(base),
        positions=records.positions[begin:end],
        arrival=None if records.arrival is None else records.arrival[begin:end],
        oversize=None if records.oversize is None else records.oversize[begin:end],
        beside=None
        if beside is None
        else {name: column.slice(begin, end - begin) for name, column in beside.items()},  # type: ignore[attr-defined]  # an Arrow array
    )
