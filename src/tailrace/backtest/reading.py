"""Decoding for a backtest: events outside a span of time left out, who was there taken down."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.backtest.history import Population
from tailrace.formats.build import decode_spec
from tailrace.formats.decoder import NO_FIELDS, Decoder
from tailrace.formats.records import UNTIMED
from tailrace.kernel.time import FOREVER, NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailrace.formats.records import Decoded, Records
    from tailrace.plan.model import Plan

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
        """Take down a batch; ``outside`` of its events were left out already."""
        seen = {name: _firsts(decoded.events[name], decoded.time) for name in self._seen}
        with self._lock:
            self.outside += outside
            known = decoded.time[decoded.time > UNTIMED]
            if len(known):
                self.begins = min(self.begins, int(known.min()))
                self.ends = max(self.ends, int(known.max()))
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


class HistoryDecoder(Decoder):
    """A pipeline's decoder that shows a witness the events in ``[begin, end)`` and drops others."""

    def __init__(self, plan: Plan, witness: Witness, begin: int, end: int) -> None:
        super().__init__(decode_spec(plan.config))
        self._witness, self._begin, self._end = witness, begin, end

    def decode(self, records: Records, path_fields: Mapping[str, str] = NO_FIELDS) -> Decoded:
        """See ``Decoder``; events outside the span are counted by the witness alone."""
        decoded = super().decode(records, path_fields)
        inside = (decoded.time >= self._begin) & (decoded.time < self._end)
        left_out = len(inside) - int(np.count_nonzero(inside))
        if left_out:
            decoded = replace(
                decoded,
                events=decoded.events.filter(pa.array(inside)).combine_chunks(),
                time=decoded.time[inside],
                rows=decoded.rows[inside],
            )
        self._witness.see(decoded, left_out)
        return decoded


def _firsts(values: pa.ChunkedArray, times: np.ndarray) -> pa.Table:
    texts = values.cast(pa.string())
    return _grouped(pa.table({"value": texts, "at": pa.array(times, pa.int64())}))


def _merged(parts: Sequence[pa.Table]) -> pa.Table:
    return parts[0] if len(parts) == 1 else _grouped(pa.concat_tables(parts))


def _grouped(table: pa.Table) -> pa.Table:
    found = table.filter(pa.compute.field("value").is_valid())
    grouped = found.group_by("value").aggregate([("at", "min")])
    return grouped.select(["value", "at_min"]).rename_columns(["value", "at"])
