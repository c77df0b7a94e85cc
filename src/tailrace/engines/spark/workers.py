"""What Spark calls on workers in ``mapInArrow``: batches of rows in, frames out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.kafka_rows import Run, runs_of
from tailrace.engines.spark.mapping import PLAN, Place, SliceMapper
from tailrace.errors import AwayError, SourceError
from tailrace.sources.inline import taken_out
from tailrace.sources.opening import open_source
from tailrace.sources.reader import nothing
from tailrace.sources.types import Slice, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailrace.engines.spark.jobs import Job
    from tailrace.engines.spark.sealing import Sealed
    from tailrace.formats.records import Records
    from tailrace.sources.types import Json

RUN_BYTES = 24 << 20
"""So much of a partition is mapped at a time: enough for the cost of a statement not to matter."""

KEPT_MAPPERS = 64
"""So many mappers a worker process keeps; each has a DuckDB connection."""

_SCHEMA = pa.schema([("shard", pa.int32()), ("payload", pa.binary())])
_kept: dict[tuple[str, int], SliceMapper] = {}


def mapper_of(job: Job) -> SliceMapper:
    """This worker's mapper for a job; a task has it for itself."""
    name = (job.run, job.first)
    if name not in _kept:
        for other in [other for other in _kept if other[0] != job.run]:
            del _kept[other]
        if len(_kept) >= KEPT_MAPPERS:
            del _kept[next(iter(_kept))]
        _kept[name] = SliceMapper(job)
    mapper = _kept[name]
    mapper.begin()
    return mapper


class MapPlans:
    """Rows of the source of plans: decisions go to every shard, slices are read and mapped."""

    def __init__(self, sealed: Sealed, keys: tuple[int, ...]) -> None:
        """``keys``: Spark's key of each shard."""
        self._sealed, self._keys = sealed, keys

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Map one task's rows."""
        for batch in batches:
            for text in batch.column(0).to_pylist():
                body = json.loads(text)
                if "decisions" in body:
                    rows = self._decisions(body)
                else:
                    rows = (row for one in body["slices"] for row in self._slice(one))
                for shard, payload in rows:
                    yield row_batch(self._keys[shard], payload)

    def _slice(self, body: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        job = self._sealed.jobs[body["job"]]
        piece, records = taken_out(Slice(**body["slice"]))
        notes: dict[str, int] = {}
        if records is None:
            try:
                records = _read(job, piece)
            except SourceError as error:
                if isinstance(error, AwayError) or not job.accept_loss:
                    raise
                records, notes = nothing(), {"unfinished_lost": piece.end - piece.start}
        place = Place(piece, body["order"], body.get("before"))
        yield from mapper_of(job).frames(place, records, notes)

    def _decisions(self, body: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        for number, decided in body["decisions"].items():
            job = self._sealed.jobs[int(number)]
            head = {"kind": PLAN, "job": job.number, "number": body["number"], **decided}
            payload = Frame(head).pack()
            for shard in range(job.shards):
                yield job.first + shard, payload


def _read(job: Job, piece: Slice) -> Records:
    source: Source = open_source(job.plan.config)
    try:
        return source.reread(piece)
    finally:
        source.close()


class MapKafka:
    """Rows of Spark's Kafka source, as ``query.kafka_frame`` selects them; there is one job."""

    def __init__(
        self,
        sealed: Sealed,
        keys: tuple[int, ...],
        wanted: tuple[str, ...],
        *,
        identities: Mapping[str, str],
        final: bool,
    ) -> None:
        """``wanted``: what fields take of a message beside its value; ``final``: read nothing.

        ``identities``: what the cluster calls the topics, whatever their names.
        """
        self._sealed, self._keys, self._wanted, self._final = sealed, keys, wanted, final
        self._identities = identities

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Map one task's rows, a run of one partition at a time."""
        if self._final:
            return
        (job,) = self._sealed.jobs
        mapper = mapper_of(job)
        most = job.plan.config.limits.max_record_bytes
        for run in runs_of(batches, RUN_BYTES):
            records = run.records(most, self._wanted)
            for shard, payload in mapper.frames(_place(run, self._identities), records):
                yield row_batch(self._keys[shard], payload)


def _place(run: Run, identities: Mapping[str, str]) -> Place:
    resume: dict[str, Json] = {
        "offset": run.last + 1,
        "generation": 0,
        "topic_id": identities.get(run.topic, ""),
    }
    return Place(Slice(run.partition, 0, run.first, run.last + 1, resume), run.first)


def row_batch(key: int, payload: bytes) -> pa.RecordBatch:
    """One row of ``frames.MAPPED``."""
    return pa.record_batch([pa.array([key], pa.int32()), pa.array([payload])], schema=_SCHEMA)
