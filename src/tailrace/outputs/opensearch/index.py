"""The output: opens on an index that fits, and delivers batches as bulk requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tailrace.config.targets.opensearch import OpenSearchOutput
from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.batches import Content, OutboxBatch
from tailrace.outputs.opensearch.bulk import Bulk
from tailrace.outputs.opensearch.cluster import Cluster
from tailrace.outputs.opensearch.documents import documents
from tailrace.outputs.opensearch.existing import Existing
from tailrace.outputs.opensearch.mapping import TIME
from tailrace.outputs.opensearch.naming import Indices
from tailrace.outputs.output import Receipt, Refused, State
from tailrace.outputs.shapes import Shape

LEAST_REQUEST_BYTES = 64 << 10
"""To which requests shrink when answers don't come in time."""


@dataclass(frozen=True, slots=True)
class _Part:
    """How far a batch has come whose delivery was broken off."""

    seq: int
    documents: int
    refused: tuple[Refused, ...]


class Index:
    """Documents whose ids are those of the rows: what is sent again changes nothing."""

    remote = True

    def __init__(
        self, config: OpenSearchOutput, cluster: Cluster, shapes: Iterable[Shape] = ()
    ) -> None:
        self._cluster = cluster
        self._indices = Indices.of_config(config)
        self._most_bytes = self._request_bytes = config.max_request_bytes
        shapes = tuple(shapes)
        self._existing = Existing(cluster, self._indices, shapes)
        self._bulk = Bulk(cluster, stream=config.data_stream)
        self._part: _Part | None = None
        self._own_time = {
            (shape.content, shape.rule)
            for shape in shapes
            if TIME in {**shape.keys, **shape.values}
        }

    def open(self, saved: State | None) -> State:  # noqa: ARG002 - ids say all that is needed
        """See ``Output.open``: an index that is missing or has other types is an error."""
        self._existing.check()
        return self._state()

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``. What an earlier call for the batch has sent isn't sent again."""
        self._still_there()
        own_time = self._has_own_time(batch)
        made = documents(batch, self._indices, own_time=own_time)
        part = self._part
        if part is None or part.seq != batch.seq:
            part = _Part(batch.seq, 0, made.refused)
        done, refused = part.documents, list(part.refused)
        try:
            for piece in made.pieces(self._request_bytes, done):
                refused += self._bulk.send(piece)
                done += len(piece.rows)
        except OutputError as error:
            self._part = _Part(batch.seq, done, tuple(refused))
            if isinstance(error, UnreachableError):
                # A server that is too slow for so much in the time it has.
                self._request_bytes = max(self._request_bytes // 2, LEAST_REQUEST_BYTES)
            raise
        self._part = None
        self._request_bytes = min(2 * self._request_bytes, self._most_bytes)
        return Receipt(self._state(), tuple(sorted(refused, key=lambda one: one.row)))

    def close(self) -> None:
        """See ``Output.close``."""
        self._cluster.close()

    def _state(self) -> State:
        return {"index": self._indices.name}

    def _has_own_time(self, batch: OutboxBatch) -> bool:
        """Whether the rows have a field ``@timestamp``: the archive's time, as a rule."""
        if batch.content in (Content.ARCHIVE, Content.WINDOWS):
            return (batch.content, batch.rule) in self._own_time
        return False

    def _still_there(self) -> None:
        """OutputError if the index is gone: the server would make one without types."""
        if self._indices.template is not None:
            return
        answer = self._cluster.ask("HEAD", f"/{self._indices.name}")
        if answer.status == 404:
            raise OutputError(
                f"the index {self._indices.name} at {self._cluster.name} is gone",
                hint="`tailrace init PIPELINE` makes it",
            )
