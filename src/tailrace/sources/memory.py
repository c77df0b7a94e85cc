"""Records from memory, for the Python interface and for tests: cut anywhere, silent anywhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tailrace.errors import SourceError
from tailrace.formats.records import Records
from tailrace.sources.buffers import Buffers
from tailrace.sources.chain import Took
from tailrace.sources.identity import HEAD_BYTES, whole
from tailrace.sources.reader import Reader, nothing
from tailrace.sources.split import Bytes, joined
from tailrace.sources.turns import Turns
from tailrace.sources.types import Chunk, Json, Note, Poll, Slice


@dataclass(frozen=True, slots=True)
class Step:
    """One poll of a script: how far partitions are read, and what is said of them.

    ``read``: partition to the number of bytes (of the line ends before it) after which this poll
    stops; in this order. ``at_end``, ``notes``: as in ``Poll``. Partitions appear with their first
    mention; they end when all their bytes are read, unless the script says ``at_end`` only.
    """

    read: Mapping[str, int] = field(default_factory=dict)
    at_end: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


class MemorySource:
    r"""Lines of bytes held in memory, one run of bytes for each partition.

    Without a ``script`` the input is bounded and an unterminated last line is a record.
    ``cuts``: for a partition, positions at which a poll's chunk ends at the latest (at the line end
    before them). With a ``script`` each poll does one step of it and the source is as ``bounded``
    as asked; after its last step a bounded source goes on to the end, one that isn't is silent.

    >>> source = MemorySource({"a": b"one\ntwo\n"})
    >>> source.open({})
    >>> source.poll(1 << 20, {}).chunks[0].records.positions.tolist()
    [0, 4]
    """

    def __init__(
        self,
        contents: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        *,
        cuts: Mapping[str, Iterable[int]] | None = None,
        script: Iterable[Step] | None = None,
        bounded: bool = True,
        max_record_bytes: int = 1 << 20,
    ) -> None:
        self.bounded = bounded
        self._contents: dict[str, bytes] = {}
        pairs = contents.items() if isinstance(contents, Mapping) else contents
        for name, data in pairs:
            self._contents[name] = self._contents.get(name, b"") + data
        self._cuts = {name: sorted(places) for name, places in (cuts or {}).items()}
        self._script = deque(script or ())
        self._scripted = script is not None
        self._max = max_record_bytes
        self._turns = Turns()
        self._parts: dict[str, MemoryPart] = {}
        self._said: set[str] = set()
        self._ended: set[str] = set()

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Start at stored positions; SourceError if one lies beyond what there is."""
        self._said.clear()
        self._ended.clear()
        for name, data in self._contents.items():
            start = whole(positions[name]["position"]) if name in positions else 0
            if start > len(data):
                raise SourceError(f"{name} has {len(data)} bytes; {start} were read before")
            self._parts[name] = MemoryPart(
                name, data, start, self._cuts.get(name, []), self._max, bounded=self.bounded
            )

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Do the next step of the script, or read on."""
        step = self._script.popleft() if self._script else None
        if step is None and self._scripted and not self.bounded:
            return Poll()
        if step is None:
            chunks = self._turns.take(list(self._parts.values()), max_bytes, watermarks)
            at_end: tuple[str, ...] = tuple(
                name for name, part in self._parts.items() if not part.ready
            )
        else:
            chunks = [
                chunk for name, end in step.read.items() for chunk in self._parts[name].read_to(end)
            ]
            at_end = step.at_end
        named = self._parts if step is None else (*step.read, *step.at_end)
        appeared = tuple(name for name in named if name not in self._said)
        self._said.update(appeared)
        ended = [
            name
            for name, part in self._parts.items()
            if self.bounded and not part.ready and name in self._said - self._ended
        ]
        self._ended.update(ended)
        notes = step.notes if step else ()
        return Poll(tuple(chunks), appeared, at_end, tuple(ended), notes)

    def reread(self, piece: Slice) -> Records:
        """Read a slice again."""
        data = self._contents.get(piece.partition, b"")
        if len(data) < piece.end:
            raise SourceError(f"{piece.partition} has no bytes {piece.start} to {piece.end}")
        stream = MemoryStream(data[: piece.end], piece.start, final=True)
        reader = Reader(stream, self._max, Buffers(), head=data[: min(piece.start, HEAD_BYTES)])
        return read_out(reader, piece.end - piece.start)

    def wait(self, seconds: float) -> None:
        """Return at once: nothing comes by itself."""

    def totals(self) -> tuple[int, int] | None:
        """Return bytes read and bytes in all."""
        if not self.bounded:
            return None
        read = sum(part.reader.position for part in self._parts.values())
        return read, sum(map(len, self._contents.values()))

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


class MemoryStream:
    """Bytes in memory as a stream."""

    def __init__(self, data: bytes, position: int, *, final: bool) -> None:
        self._data = data
        self._final = final
        self.position = position
        self.limit = len(data)
        """Where reading pauses."""

    @property
    def raw_position(self) -> int:
        """The position."""
        return self.position

    @property
    def ended(self) -> bool:
        """Whether all was read and no more will come."""
        return self._final and self.position >= len(self._data)

    def readinto(self, target: Bytes) -> int:
        """Fill ``target`` as far as there is something before the limit."""
        part = self._data[self.position : min(self.position + len(target), self.limit)]
        target[: len(part)] = np.frombuffer(part, np.uint8)
        self.position += len(part)
        return len(part)


class MemoryPart:
    """One partition of a memory source."""

    def __init__(
        self, name: str, data: bytes, start: int, cuts: list[int], max_bytes: int, *, bounded: bool
    ) -> None:
        self.name = name
        self._size = len(data)
        self._cuts = deque(place for place in cuts if place > start)
        self._stream = MemoryStream(data, start, final=bounded)
        head = data[: min(start, HEAD_BYTES)]
        self.reader = Reader(self._stream, max_bytes, Buffers(), head=head)

    @property
    def ready(self) -> bool:
        """Whether there is something to read."""
        return self._stream.position < self._size or self.reader.pending

    def read(self, limit: int) -> Took:
        """Read about ``limit`` bytes, up to the next cut."""
        begin = self._stream.position
        end = begin + limit
        while self._cuts and self._cuts[0] <= begin:
            self._cuts.popleft()
        chunks = self.read_to(min(end, self._cuts[0]) if self._cuts else end)
        return Took(chunks[0] if chunks else None, self._stream.position - begin)

    def read_to(self, end: int) -> list[Chunk]:
        """Read to ``end``; return one chunk or none."""
        start = self.reader.position
        self._stream.limit = max(min(end, self._size), self._stream.position)
        records = read_out(self.reader, self._stream.limit - self._stream.position)
        if not len(records):
            return []
        stop = self.reader.position
        return [Chunk(Slice(self.name, 0, start, stop, {"position": stop}), records)]


def read_out(reader: Reader, size: int) -> Records:
    """Return all records that end within ``size`` more bytes."""
    parts = []
    while True:
        begin = reader.stream.position
        parts.append(reader.read(size))
        if (not reader.pending and reader.stream.position == begin) or reader.done:
            break
    parts = [records for records in parts if len(records)]
    return joined(parts) if len(parts) > 1 else parts[0] if parts else nothing()
