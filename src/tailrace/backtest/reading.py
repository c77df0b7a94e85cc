"""Decoding for a backtest: events outside a span of time left out, who was there taken down."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.backtest.history import Population
from tailrace.formats.build import decode_spec
from tailrace.formats.decoder import NO_FIELDS, Decoder
from tailrace.kernel.time import FOREVER, NEVER, settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailrace.formats.records import Decoded, Records
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Chunk

_MERGE_ROWS = 1_000_000


class Witness:
    """What all decoding threads of a run saw of the events, together."""

    def __init__(self, fields: Sequence[str]) -> None:
        """``fields``: the declared fields whose values are taken down."""
        self.outside = 0
        self.begins, self.ends = FOREVER, NEVER
        self._lock = threading.Lock()
        self._seen: dict[str, list[pa.Table]] = {name: [] for name in fields}

    def see(self, decoded: Decoded, outside: int) -> None:
        """Take down a batch of events with times; ``outside`` of them were left out already."""
        seen = {name: _firsts(decoded.events[name], decoded.time) for name in self._seen}
        with self._lock:
            self.outside += outside
            if len(decoded.time):
                self.begins = min(self.begins, int(decoded.time.min()))
                self.ends = max(self.ends, int(decoded.time.max()))
            for name, table in seen.items():
                parts = self._seen[name]
                parts.append(table)
                if sum(part.num_rows for part in parts) > _MERGE_ROWS:
                    parts[:] = [_merged(parts)]

    def populations(self) -> dict[str, Population]:
        """By field: each value as text, and when its first event was."""
        found = {}
        for name, parts in self._seen.items():
            table = _merged(parts) if parts else None
            columns = table.to_pydict() if table is not None else {"value": [], "at": []}
            found[name] = Population(dict(zip(columns["value"], columns["at"], strict=True)))
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """The events in ``[begin, end)``, which a witness sees; others are left out."""

    witness: Witness
    begin: int
    end: int

    def kept(self, decoded: Decoded) -> Decoded:
        """A batch without the events outside, which the witness alone counts; all have times."""
        inside = (decoded.time >= self.begin) & (decoded.time < self.end)
        left_out = len(inside) - int(np.count_nonzero(inside))
        if left_out:
            decoded = replace(
                decoded,
                events=decoded.events.filter(pa.array(inside)).combine_chunks(),
                time=decoded.time[inside],
                rows=decoded.rows[inside],
                words={},
            )
        self.witness.see(decoded, left_out)
        return decoded


class HistoryDecoder(Decoder):
    """A pipeline's decoder that keeps to a span of time; each decoding thread has one."""

    def __init__(self, plan: Plan, span: Span) -> None:
        super().__init__(decode_spec(plan.config))
        self._span = None if may_be_untimed(plan) else span

    def decode(self, records: Records, path_fields: Mapping[str, str] = NO_FIELDS) -> Decoded:
        """See ``Decoder``; all events of a pipeline where some may lack a time (``Settling``)."""
        decoded = super().decode(records, path_fields)
        return decoded if self._span is None else self._span.kept(decoded)


def may_be_untimed(plan: Plan) -> bool:
    """Whether events may get their time from those before them, so that these must be known."""
    return plan.config.on_error == "classify"


class Settling:
    """Gives events a time that have none, in their order, before a span is kept to.

    Such an event takes the greatest time before it in its partition, be that within the span or
    not: what it lies behind may be left out, and it then is, too.
    """

    def __init__(self, span: Span) -> None:
        self._span = span
        self._maxima: dict[str, int] = {}

    def kept(self, chunk: Chunk, decoded: Decoded) -> Decoded:
        """The next batch of a partition, kept to the span."""
        name = chunk.slice.partition
        before = self._maxima.get(name, NEVER)
        times = settled(decoded.time, before)
        if len(times):
            self._maxima[name] = max(before, int(times.max()))
        return self._span.kept(replace(decoded, time=times))


def _firsts(values: pa.ChunkedArray, times: np.ndarray) -> pa.Table:
    texts = values.cast(pa.string())
    return _grouped(pa.table({"value": texts, "at": pa.array(times, pa.int64())}))


def _merged(parts: Sequence[pa.Table]) -> pa.Table:
    return parts[0] if len(parts) == 1 else _grouped(pa.concat_tables(parts))


def _grouped(table: pa.Table) -> pa.Table:
    found = table.filter(pa.compute.field("value").is_valid())
    grouped = found.group_by("value").aggregate([("at", "min")])
    return grouped.select(["value", "at_min"]).rename_columns(["value", "at"])
