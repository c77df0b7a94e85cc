"""Rows of Spark's Kafka connector as records, whole columns at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from tailrace.config.kafka import HEADER
from tailrace.formats.records import UNKNOWN_ARRIVAL, Records
from tailrace.sources.kafka.messages import header_json, header_text, texts
from tailrace.sources.kafka.part import partition_name

COLUMNS = ("topic", "partition", "offset", "unix_micros(timestamp) as stamp", "value")
"""What every pipeline takes of a message; ``timestamp`` is there in Spark's microseconds."""

MESSAGE_BYTES = 32
"""What a message costs at least in the account of what waits."""


@dataclass(frozen=True, slots=True)
class Run:
    """Messages of one partition in order."""

    partition: str
    topic: str
    number: int
    rows: pa.Table

    @property
    def first(self) -> int:
        """The first offset."""
        return int(self.rows["offset"][0].as_py())

    @property
    def last(self) -> int:
        """The last offset."""
        return int(self.rows["offset"][-1].as_py())

    def records(self, max_bytes: int, wanted: Iterable[str]) -> Records:
        """The messages as records, as ``sources.kafka`` makes them of its own."""
        value = self.rows["value"].combine_chunks()
        if isinstance(value, pa.ChunkedArray):
            value = value.chunk(0)
        value, oversize = _cut(value, max_bytes)
        bounds = np.frombuffer(value.buffers()[1], np.int32)[value.offset :][: len(value) + 1]
        data = value.buffers()[2] or pa.py_buffer(b"")
        base = int(bounds[0])
        stamps = self.rows["stamp"].to_numpy()
        return Records(
            data.slice(base, int(bounds[-1]) - base),
            (bounds - np.int32(base)).astype(np.int32),
            self.rows["offset"].to_numpy().astype(np.int64),
            arrival=np.where(stamps >= 0, stamps, UNKNOWN_ARRIVAL),
            oversize=oversize,
            beside=self._beside(wanted, stamps),
        )

    def _beside(self, wanted: Iterable[str], stamps: Any) -> Mapping[str, pa.StringArray]:  # noqa: ANN401 - NumPy
        return {name: self._column(name, stamps) for name in wanted}

    def _column(self, name: str, stamps: Any) -> pa.StringArray:  # noqa: ANN401 - NumPy
        count = self.rows.num_rows
        match name:
            case "_timestamp":
                millis = stamps // 1000
                return pa.array(millis, pa.timestamp("ms", "UTC"), mask=stamps < 0).cast(
                    pa.string()
                )
            case "_key":
                return texts(self.rows["key"].to_pylist())
            case "_topic":
                return pa.repeat(self.topic, count)
            case "_partition":
                return pa.repeat(str(self.number), count)
            case "_offset":
                return self.rows["offset"].combine_chunks().cast(pa.string())
        take: Callable[[Any], str | None] = header_json
        if name.startswith(HEADER):
            wanted = name.removeprefix(HEADER)
            take = lambda pairs: header_text(pairs, wanted)  # noqa: E731 - one of two
        pairs = [
            None if row is None else [(one["key"], one["value"]) for one in row]
            for row in self.rows["headers"].to_pylist()
        ]
        return pa.array(map(take, pairs), pa.string())


def _cut(value: pa.Array, max_bytes: int) -> tuple[pa.Array, Any]:
    """Values without those parts that are beyond ``max_bytes``, and which those are, if any."""
    lengths = np.diff(np.frombuffer(value.buffers()[1], np.int32)[value.offset :][: len(value) + 1])
    oversize = lengths > max_bytes
    if not oversize.any():
        return value, None
    whole = [b"" if one is None else one[:max_bytes] for one in value.to_pylist()]
    return pa.array(whole, pa.binary()), oversize


def runs_of(batches: Iterable[pa.RecordBatch], most_bytes: int) -> Iterator[Run]:
    """Cut a task's rows into runs of one partition and about ``most_bytes``."""
    waiting: list[pa.Table] = []
    where: tuple[str, int] | None = None
    size = 0
    for batch in batches:
        for place, part in _parts(batch):
            if waiting and place != where:
                yield _run(where, waiting)
                waiting, size = [], 0
            where = place
            waiting.append(part)
            size += part["value"].nbytes + MESSAGE_BYTES * part.num_rows
            if size >= most_bytes:
                yield _run(where, waiting)
                waiting, size = [], 0
    if waiting:
        yield _run(where, waiting)


def _parts(batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, int], pa.Table]]:
    """The rows of a batch by partition, as they follow each other."""
    if not batch.num_rows:
        return
    table = pa.Table.from_batches([batch])
    numbers = batch.column("partition").to_numpy()
    topics = batch.column("topic").dictionary_encode()
    places = topics.indices.to_numpy().astype(np.int64) << 32 | numbers
    edges = [0, *(np.flatnonzero(places[1:] != places[:-1]) + 1).tolist(), batch.num_rows]
    for begin, end in pairwise(edges):
        topic = str(topics.dictionary[topics.indices[begin].as_py()])
        yield (topic, int(numbers[begin])), table.slice(begin, end - begin)


def _run(where: tuple[str, int] | None, parts: list[pa.Table]) -> Run:
    assert where is not None  # noqa: S101 - rows wait
    topic, number = where
    return Run(partition_name(topic, number), topic, number, pa.concat_tables(parts))
