"""A Kafka source under test: what it gives, checked on the way against what holds for each poll."""

import json
import time
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import Any

import pyarrow as pa
from tests.servers.kafka import Kafka

from tailrace.config import KafkaSource
from tailrace.formats.records import Records
from tailrace.sources.kafka.source import KafkaTopics
from tailrace.sources.types import Json, Poll, Slice

DEADLINE_SECONDS = 120
Positions = Mapping[str, dict[str, Json]]


def opened(
    kafka: Kafka,
    *topics: str,
    until_end: bool = False,
    holder: str | None = None,
    wanted: Collection[str] = (),
    max_record_bytes: int = 1 << 20,
    **options: Any,
) -> KafkaTopics:
    config = KafkaSource(brokers=(kafka.address,), topics=topics, **options)
    return KafkaTopics(
        config,
        pipeline="-".join(topics).strip("^.*"),
        holder=holder,
        until_end=until_end,
        wanted=wanted,
        max_record_bytes=max_record_bytes,
        refresh_seconds=0.3,
    )


class Taken:
    """Polls a source and keeps what it gave, by partition."""

    def __init__(self, source: KafkaTopics, positions: Positions | None = None) -> None:
        self.source = source
        self.values: dict[str, list[bytes]] = {}
        self.offsets: dict[str, list[int]] = {}
        self.beside: dict[str, list[str | None]] = {}
        self.arrivals: list[int] = []
        self.oversize: list[bool] = []
        self.resume: dict[str, dict[str, Json]] = dict(positions or {})
        self.slices: list[tuple[Slice, list[bytes]]] = []
        self.appeared: list[str] = []
        self.ended: list[str] = []
        self.notes: list[str] = []
        self.texts: list[str] = []
        self.counts: dict[str, int] = {}
        source.open(positions or {})

    def poll(self, max_bytes: int = 1 << 20, watermarks: Mapping[str, int] | None = None) -> Poll:
        found = self.source.poll(max_bytes, watermarks or {})
        self.appeared += found.appeared
        for chunk in found.chunks:
            self._take(chunk.slice, chunk.records)
        for note in found.notes:
            self.notes.append(note.code)
            self.texts.append(note.text)
            self.counts[note.code] = self.counts.get(note.code, 0) + note.count
        self.ended += found.ended
        return found

    def _take(self, piece: Slice, records: Records) -> None:
        name = piece.partition
        assert name in self.appeared
        assert name not in self.ended
        before = self.resume.get(name)
        if before is not None and before["generation"] == piece.generation:
            assert piece.start >= int(str(before["offset"]))
        positions = records.positions.tolist()
        assert positions == sorted(set(positions))
        assert all(piece.start <= position < piece.end for position in positions)
        assert json.loads(json.dumps(piece.resume)) == piece.resume
        assert piece.resume["offset"] == piece.end
        self.resume[name] = piece.resume
        values = lines(records)
        self.slices.append((piece, values))
        self.values.setdefault(name, []).extend(values)
        self.offsets.setdefault(name, []).extend(positions)
        if records.arrival is not None:
            self.arrivals += records.arrival.tolist()
        if len(records):
            flags = records.oversize
            self.oversize += [False] * len(records) if flags is None else flags.tolist()
        for kind, column in (records.beside or {}).items():
            assert column.type == pa.string()
            assert len(column) == len(records)
            self.beside.setdefault(kind, []).extend(column.to_pylist())

    @property
    def all(self) -> list[bytes]:
        return [value for name in sorted(self.values) for value in self.values[name]]

    def until(self, done: Callable[[Poll], object], **options: Any) -> "Taken":
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not done(found := self.poll(**options)):
            assert time.monotonic() < deadline, (found, self.all[-3:], self.texts)
            if not found.chunks:
                self.source.wait(0.05)
        return self

    def has(self, count: int) -> "Taken":
        return self.until(lambda _: len(self.all) >= count)

    def to_end(self) -> "Taken":
        """Until every partition is at its end, or has ended."""
        return self.until(
            lambda found: not found.chunks and {*found.at_end, *self.ended} >= set(self.appeared)
        )

    def noted(self, code: str) -> "Taken":
        return self.until(lambda _: code in self.notes)

    def close(self) -> "Taken":
        self.source.close()
        return self


def lines(records: Records) -> list[bytes]:
    data = memoryview(records.data)
    return [bytes(data[start:end]) for start, end in pairwise(records.offsets.tolist())]
