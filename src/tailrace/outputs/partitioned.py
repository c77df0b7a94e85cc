"""Parquet files in folders by event time, as Hive has them: ``date=2026-01-31/hour=07``.

Rows of many epochs are held in memory, and in the outbox, until a file is worth it. A file is named
after the batches in it: those after the last confirmed one are removed and written again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.errors import OutputError
from tailrace.outputs.batches import OutboxBatch
from tailrace.outputs.durably import make_folder, sync_folder
from tailrace.outputs.output import Receipt, State
from tailrace.outputs.parquet import write_whole

_COMPLETE = re.compile(r"rows-(\d{12})-(\d{12})\.parquet")
_UNFINISHED = re.compile(r"\.rows-\d{12}-\d{12}\.parquet\.unfinished")
NO_TIME = "__HIVE_DEFAULT_PARTITION__"
"""The folder of rows without an event time: what readers of such folders take for null."""
_UNIT = {"day": 86_400_000_000, "hour": 3_600_000_000}


class PartitionedParquet:
    """Writes held rows as one file a folder. State: its path and the last batch written.

    ``roll_bytes`` (of rows in memory) and ``roll_seconds`` (since the oldest held batch came) say
    when that is.
    """

    remote = False

    def __init__(
        self,
        path: Path,
        *,
        by: Literal["day", "hour"],
        roll_bytes: int,
        roll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._by = by
        self._roll_bytes = roll_bytes
        self._roll_seconds = roll_seconds
        self._clock = clock
        self._seq = -1
        self._held: list[OutboxBatch] = []
        self._held_bytes = 0
        self._held_since = 0.0
        self._begun = False
        """Some files of what is held may be there."""
        self._schema: pa.Schema | None = None
        """The columns of what is held."""

    def open(self, saved: State | None) -> State:
        """See ``Output.open``: unfinished files and those of unconfirmed batches are removed."""
        make_folder(self._path)
        self._held, self._held_bytes, self._begun = [], 0, False
        self._seq = -1 if saved is None else int(str(saved["seq"]))
        ours = saved is not None and saved.get("path") == str(self._path)
        try:
            for file in sorted(self._path.rglob("*.parquet*")):
                complete = _COMPLETE.fullmatch(file.name)
                if complete is not None and not ours:
                    raise OutputError(
                        f"{self._path} holds Parquet files that this store didn't write,"
                        f" such as {file.relative_to(self._path)}",
                        hint="move them away, or name another folder",
                    )
                if _UNFINISHED.fullmatch(file.name) or (complete and int(complete[2]) > self._seq):
                    file.unlink()
                    sync_folder(file.parent)
        except OSError as error:
            raise OutputError(f"{self._path} can't be used: {error.strerror}") from error
        return self._state()

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``: the batch is held until there is enough."""
        if batch.seq <= self._seq:
            return Receipt(self._state(), held=bool(self._held))
        if not self._held or self._held[-1].seq < batch.seq:
            schema = self._schema_with(batch)
            if self._begun or schema is None:
                # Files that were begun would have other names with more in them, and rows would be
                # there twice; columns of types that don't go together can't be in one file.
                self._write()
                schema = self._schema_with(batch)
            self._schema = schema
            if not self._held:
                self._held_since = self._clock()
            self._held.append(batch)
            self._held_bytes += batch.rows.nbytes
        if self._held_bytes < self._roll_bytes:
            return Receipt(self._state(), held=True)
        self._write()
        return Receipt(self._state())

    def flush(self, *, now: bool) -> Receipt | None:
        """See ``Holder.flush``."""
        if not self._held:
            return None
        if not now and self._clock() - self._held_since < self._roll_seconds:
            return None
        self._write()
        return Receipt(self._state())

    def close(self) -> None:
        """See ``Output.close``: what is held stays in the outbox."""
        self._held, self._held_bytes, self._begun = [], 0, False

    def _state(self) -> State:
        return {"path": str(self._path), "seq": self._seq}

    def _schema_with(self, batch: OutboxBatch) -> pa.Schema | None:
        """The columns of what is held and a batch; None if they can't be in one file."""
        own = batch.values.schema.remove_metadata()
        if not self._held or self._schema is None:
            return own
        try:
            return pa.unify_schemas([self._schema, own], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return None

    def _write(self) -> None:
        """Write what is held, all of it or, after an error, all of it the next time."""
        first, last = self._held[0].seq, self._held[-1].seq
        name = f"rows-{first:012}-{last:012}.parquet"
        self._begun = True
        try:
            for folder, rows in self._folders():
                make_folder(folder)
                write_whole(folder / name, rows)
                for parent in folder.relative_to(self._path).parents:
                    sync_folder(self._path / parent)
        except OSError as error:
            raise OutputError(f"{self._path} can't be written: {error.strerror}") from error
        self._seq = last
        self._held, self._held_bytes, self._begun = [], 0, False

    def _folders(self) -> Iterator[tuple[Path, pa.Table]]:
        """Each folder with the rows that go there, in the order in which they came."""
        tables = [batch.values.replace_schema_metadata(None) for batch in self._held]
        rows = pa.concat_tables(tables, promote_options="permissive")
        times = pa.chunked_array([chunk for batch in self._held for chunk in batch.times.chunks])
        known = times.is_valid().to_numpy()
        instants = pc.fill_null(times.cast(pa.int64()), 0).to_numpy()
        units = instants // _UNIT[self._by]
        for unit in np.unique(units[known]).tolist():
            yield self._folder(unit), rows.filter(pa.array(known & (units == unit)))
        if not known.all():
            yield self._path / f"date={NO_TIME}", rows.filter(pa.array(~known))

    def _folder(self, unit: int) -> Path:
        text = str(np.datetime64(unit * _UNIT[self._by] // 1_000_000, "s"))
        date, _, clock = text.partition("T")
        folder = self._path / f"date={date}"
        return folder if self._by == "day" else folder / f"hour={clock[:2]}"
