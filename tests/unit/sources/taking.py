"""Takes what a source gives and checks what holds for every source on the way."""

import json
import time
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from tailrace.formats.records import Records
from tailrace.sources.types import Json, Poll, Slice, Source

DEADLINE_SECONDS = 120


def lines(records: Records) -> list[bytes]:
    data = memoryview(records.data)
    offsets = records.offsets.tolist()
    return [bytes(data[start:end]) for start, end in pairwise(offsets)]


def same(one: Records, other: Records) -> bool:
    flags = [
        [False] * len(records) if records.oversize is None else records.oversize.tolist()
        for records in (one, other)
    ]
    return (
        lines(one) == lines(other)
        and one.positions.tolist() == other.positions.tolist()
        and flags[0] == flags[1]
    )


class Taking:
    """Polls a source; keeps lines by partition, the last resume state, notes, who ended."""

    def __init__(
        self,
        source: Source,
        positions: Mapping[str, dict[str, Json]] | None = None,
        *,
        rereads: bool = True,
    ) -> None:
        self.source = source
        self.lines: dict[str, list[bytes]] = {}
        self.places: dict[str, list[tuple[int, int]]] = {}
        """(generation, position) of each record."""
        self.resume: dict[str, dict[str, Json]] = dict(positions or {})
        self.slices: list[Slice] = []
        self.notes: list[str] = []
        self.texts: list[str] = []
        self.appeared: list[str] = []
        self.ended: list[str] = []
        self.polls = 0
        self._rereads = rereads
        self._ends: dict[str, tuple[int, int]] = {}
        source.open(positions or {})

    @property
    def all_lines(self) -> list[bytes]:
        return [line for some in self.lines.values() for line in some]

    def poll(self, max_bytes: int = 1 << 20) -> Poll:
        found = self.source.poll(max_bytes, {})
        self.polls += 1
        for name in found.appeared:
            assert name not in self.appeared
            self.appeared.append(name)
        for chunk in found.chunks:
            self._take(chunk.slice, chunk.records)
        self.notes += [note.code for note in found.notes]
        self.texts += [note.text for note in found.notes]
        self.ended += found.ended
        return found

    def _take(self, piece: Slice, records: Records) -> None:
        name = piece.partition
        assert name in self.appeared
        assert name not in self.ended
        assert len(records)
        assert records.offsets.dtype == np.int32
        assert records.positions.dtype == np.int64
        assert piece.start == records.positions[0]
        assert piece.end > records.positions[-1]
        assert (np.diff(records.positions) > 0).all()
        generation, end = self._ends.get(name, (piece.generation, piece.start))
        assert (piece.generation, piece.start) >= (generation, end)
        if piece.generation == generation:
            assert piece.start == end
        self._ends[name] = (piece.generation, piece.end)
        assert json.loads(json.dumps(piece.resume)) == piece.resume
        if self._rereads:
            assert same(self.source.reread(piece), records)
        self.lines.setdefault(name, []).extend(lines(records))
        self.places.setdefault(name, []).extend(
            (piece.generation, position) for position in records.positions.tolist()
        )
        self.resume[name] = piece.resume
        self.slices.append(piece)

    def until(self, done: Callable[[Poll], bool], max_bytes: int = 1 << 20) -> "Taking":
        """Poll until it is so; a deadline says that it never will be."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not done(found := self.poll(max_bytes)):
            assert time.monotonic() < deadline, (found, self.all_lines[-3:], self.notes)
            if found.at_end:
                self.source.wait(0.01)
        return self

    def to_end(self, max_bytes: int = 1 << 20) -> "Taking":
        """Poll until a poll finds nothing and every partition is at its end."""
        return self.until(
            lambda found: not found.chunks and {*found.at_end, *self.ended} >= set(self.appeared),
            max_bytes,
        )

    def close(self) -> "Taking":
        self.source.close()
        return self


def take_all(
    source: Source,
    positions: Mapping[str, dict[str, Json]] | None = None,
    max_bytes: int = 1 << 20,
    *,
    rereads: bool = True,
) -> Taking:
    """Take a source that ends, or is at its end soon."""
    return Taking(source, positions, rereads=rereads).to_end(max_bytes).close()
