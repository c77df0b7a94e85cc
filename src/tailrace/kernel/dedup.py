"""Removing duplicates in event time, within each partition and independent of how it is cut.

An event is a duplicate if an earlier record of its partition has equal ``by`` values and an event
time at most ``within`` away. Events older than the partition's maximum - grace - within are not
judged, so memory is bounded: times down to maximum - grace - 2 within are remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace import calculator
from tailrace.kernel.time import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

    from tailrace.kernel.types import Piece
    from tailrace.plan.model import Dedup


class Deduplicator:
    """Remembers the keys and times of recent events of each partition.

    ``memory`` is an Arrow table of ``partition`` (text), ``code`` (text, the canonical encoding of
    ``by``) and ``time`` (int64 microseconds); ``fresh`` are the rows that the last batch added to
    it.
    """

    SCHEMA = pa.schema([("partition", pa.string()), ("code", pa.string()), ("time", pa.int64())])

    def __init__(self, dedup: Dedup, grace: int) -> None:
        """Start with an empty memory."""
        self._dedup, self._grace = dedup, grace
        self._connection = calculator.connect()
        self.memory = self.SCHEMA.empty_table()
        self.fresh = self.SCHEMA.empty_table()

    def mask(
        self,
        events: pa.Table,
        times: NDArray[np.int64],
        pieces: Sequence[Piece],
        horizon: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Which events are duplicates; ``horizon`` is (earlier maximum - grace) of each."""
        sizes = [len(piece.decoded.time) for piece in pieces]
        names = pa.DictionaryArray.from_arrays(
            pa.array(np.repeat(np.arange(len(pieces), dtype=np.int32), sizes)),
            pa.array([piece.partition for piece in pieces]),
        ).cast(pa.string())
        code = _codes(self._connection, events, self._dedup.by)
        here = pa.table({"partition": names, "code": code, "time": pa.array(times)})
        here = here.append_column("row", pa.array(np.arange(len(times), dtype=np.int64)))
        past = self.memory.append_column(
            "row", pa.array(np.full(self.memory.num_rows, -1, np.int64))
        )
        self._connection.register("seen", pa.concat_tables([past, here]))
        within = self._dedup.within
        query = f"""
            select row from (
              select row, min(row) over (
                partition by partition, code order by time
                range between {within} preceding and {within} following) as first
              from seen where code is not null)
            where first < row
        """
        found = self._connection.sql(query).to_arrow_table()["row"].to_numpy()
        self._connection.unregister("seen")
        duplicate = np.zeros(len(times), np.bool_)
        duplicate[found] = True
        duplicate &= times >= horizon - within
        self.fresh = here.select(["partition", "code", "time"]).filter(pc.is_valid(here["code"]))
        self.memory = pa.concat_tables([self.memory, self.fresh]).combine_chunks()
        return duplicate

    def forget(self, maxima: dict[str, int]) -> None:
        """Drop what can't matter any more, the partitions' maxima being these."""
        floors = {
            p: m - self._grace - 2 * self._dedup.within for p, m in maxima.items() if m != NEVER
        }
        if not floors or not self.memory.num_rows:
            return
        names = self.memory["partition"].combine_chunks().dictionary_encode()
        floor = np.array(
            [floors.get(name, NEVER) for name in names.dictionary.to_pylist()], np.int64
        )
        keep = self.memory["time"].to_numpy() >= floor[names.indices.to_numpy()]
        self.memory = self.memory.filter(pa.array(keep))

    def floors(self, maxima: dict[str, int]) -> dict[str, int]:
        """The least time that each partition still remembers."""
        return {
            p: m - self._grace - 2 * self._dedup.within for p, m in maxima.items() if m != NEVER
        }


def _codes(
    connection: duckdb.DuckDBPyConnection, events: pa.Table, by: tuple[str, ...]
) -> pa.ChunkedArray:
    """A text for the ``by`` values of each event, null where one of them is null."""
    parts = []
    for name in by:
        quoted = '"' + name.replace('"', '""') + '"'
        parts.append(f"strlen({quoted}::varchar) || ':' || {quoted}::varchar")
    connection.register("batch", events)
    table = connection.sql(f"select {' || '.join(parts)} as code from batch").to_arrow_table()
    connection.unregister("batch")
    return table["code"]
