"""From a batch to the lines of bulk requests: an action and a document for each row.

All rows are written at once, by Arrow: an archive has as many as there are events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.outputs.batches import OutboxBatch
from tailrace.outputs.opensearch.mapping import TIME
from tailrace.outputs.opensearch.naming import Indices
from tailrace.outputs.output import Refused
from tailrace.outputs.texts import as_json, iso_texts, joined, json_texts

LONGEST_ID = 512
"""Bytes of a document's id."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A bulk request: numbers of rows, and their lines."""

    rows: list[int]
    lines: pa.Array

    @property
    def body(self) -> bytes:
        """The lines, one after another."""
        start, length = self.lines.offset, len(self.lines)
        offsets = np.frombuffer(self.lines.buffers()[1], np.int32)[start : start + length + 1]
        return memoryview(self.lines.buffers()[2])[offsets[0] : offsets[-1]].tobytes()

    def of(self, places: list[int]) -> Piece:
        """Only those at some places."""
        return Piece(
            [self.rows[place] for place in places],
            self.lines.take(pa.array(places, pa.int64())),
        )

    def halves(self) -> tuple[Piece, Piece]:
        """The first and the second half."""
        middle = len(self.rows) // 2
        return self.of(list(range(middle))), self.of(list(range(middle, len(self.rows))))


@dataclass(frozen=True, slots=True)
class Documents:
    """What is to be sent for a batch: for each of ``rows`` (numbers within the batch) its lines.

    ``refused``: rows whose id can't be one.
    """

    rows: list[int]
    lines: pa.Array
    refused: tuple[Refused, ...]

    def pieces(self, most_bytes: int, start: int = 0) -> Iterator[Piece]:
        """In order from a place on, bounded in bytes; a longer document is a piece of its own."""
        ends = pc.binary_length(self.lines).to_numpy().cumsum(dtype=np.int64)
        while start < len(ends):
            before = ends[start - 1] if start else 0
            end = int(np.searchsorted(ends, before + most_bytes, "right"))
            end = max(end, start + 1)
            yield Piece(self.rows[start:end], self.lines.slice(start, end - start))
            start = end


def documents(batch: OutboxBatch, indices: Indices, *, own_time: bool) -> Documents:
    """The documents of a batch, in its order.

    Of rows with one id in one index the last replaces the others, which are not sent; in a data
    stream, where nothing is replaced, the first stays. ``own_time``: rows have ``@timestamp``.
    """
    table = batch.rows.combine_chunks()
    texts = batch.texts("id")
    ids = table.column("tailrace.id").combine_chunks() if texts is None else pa.array(texts)
    times = batch.times.combine_chunks()
    names = indices.of(times)
    lengths = pc.binary_length(ids)
    bad = pc.or_(pc.equal(lengths, 0), pc.greater(lengths, LONGEST_ID))
    refused = tuple(
        Refused(row, f"its id has {lengths[row].as_py()} bytes; it may have 1 to {LONGEST_ID}")
        for row in np.flatnonzero(bad.to_numpy(zero_copy_only=False)).tolist()
    )
    places = _sent(names, ids, bad, last=not indices.stream)
    action = "create" if indices.stream else "index"
    index = as_json(names) if isinstance(names, str) else json_texts(names)
    head = joined(f'{{"{action}":{{"_index":', index, ',"_id":', json_texts(ids), "}}\n")
    body = table.column("json").combine_chunks()
    if not own_time:
        body = _with_time(body, times)
    lines = joined(head, body, "\n")
    if len(places) < len(ids):
        lines = lines.take(places)
    return Documents(places.to_pylist(), lines, refused)


def _sent(names: pa.Array | str, ids: pa.Array, bad: pa.Array, *, last: bool) -> pa.Array:
    """The places of rows that are sent: one of each index and id."""
    rows = pa.array(np.arange(len(ids)), pa.int64())
    index = pa.repeat("", len(ids)) if isinstance(names, str) else names
    table = pa.table({"row": rows, "index": index, "id": ids}).filter(pc.invert(bad))
    if pc.count_distinct(table["id"]).as_py() == table.num_rows:
        return table["row"].combine_chunks()
    kept = table.group_by(["index", "id"]).aggregate([("row", "max" if last else "min")])
    column = kept.column(f"row_{'max' if last else 'min'}").combine_chunks()
    return column.take(pc.sort_indices(column))


def _with_time(texts: pa.Array, times: pa.Array) -> pa.Array:
    """JSON objects with the field ``@timestamp`` before the others, where there is a time."""
    instants = pc.fill_null(times.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    rest = pc.utf8_slice_codeunits(texts, 1)
    timed = joined(f'{{"{TIME}":"', iso_texts(instants), '",', rest)
    return timed if not times.null_count else pc.if_else(times.is_valid(), timed, texts)
