"""A folder of Parquet files, each there only when complete.

Rows of small batches are held in memory, and in the outbox, until a file is worth it: one for each
epoch of a quiet stream would be a million a day. A file is named after the batches in it: those
after the last confirmed one are removed and written again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from os import fsync
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tailrace.errors import OutputError
from tailrace.outputs.batches import OutboxBatch
from tailrace.outputs.durably import make_folder, sync_folder
from tailrace.outputs.output import Receipt, State, wall_clock
from tailrace.outputs.partitioned import By, by_time

LARGE_BYTES = 4 << 20
"""A batch of so many bytes of rows is worth a file by itself."""

_COMPLETE = re.compile(r"rows-(\d{12})-(\d{12})\.parquet")
_UNFINISHED = re.compile(r"\.rows-\d{12}-\d{12}\.parquet\.unfinished")


class ParquetFolder:
    """Writes typed rows as one file, or with ``by`` as one for each day or hour of event time.

    ``roll_bytes`` (of rows in memory) and ``roll_seconds`` (since the oldest held batch came) say
    when that is. State: the folder's path and the last batch written. Readers of ``*.parquet`` see
    whole files only. A file that is confirmed is never touched again.
    """

    remote = False

    def __init__(
        self,
        path: Path,
        *,
        by: By | None = None,
        roll_bytes: int,
        roll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = wall_clock,
    ) -> None:
        self._path = path
        self._by = by
        self._roll_bytes = roll_bytes
        self._roll_seconds = roll_seconds
        self._clock = clock
        self._wall = wall
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
        self._forget()
        self._seq = -1 if saved is None else int(str(saved["seq"]))
        ours = saved is not None and saved.get("path") == str(self._path)
        try:
            # In folders, too: ``by`` may have been another when they were written.
            for file in sorted(self._path.rglob("*.parquet*")):
                complete = _COMPLETE.fullmatch(file.name)
                beside = self._by is None and file.parent == self._path
                if not ours and (complete or (beside and file.suffix == ".parquet")):
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

    def at_once(self, batch: OutboxBatch) -> bool:
        """See ``Revocable.at_once``: in a folder without others, one that is worth a file."""
        return self._by is None and batch.rows.nbytes >= LARGE_BYTES

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``: the batch is held until there is enough."""
        if batch.seq <= self._seq:
            return Receipt(self._state(), held=bool(self._held))
        if not self._held or self._held[-1].seq < batch.seq:
            self._hold(batch)
        if self._held_bytes < self._roll_bytes and not self.at_once(batch):
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
        self._forget()

    def _state(self) -> State:
        return {"path": str(self._path), "seq": self._seq}

    def _forget(self) -> None:
        self._held, self._held_bytes, self._begun = [], 0, False

    def _hold(self, batch: OutboxBatch) -> None:
        schema = self._schema_with(batch)
        if self._begun or schema is None:
            # Files that were begun would have other names with more in them, and rows would be
            # there twice; and no value changes its type because of others in the file.
            self._write()
            schema = self._schema_with(batch)
        self._schema = schema
        if not self._held:
            self._held_since = self._clock()
        self._held.append(batch)
        self._held_bytes += batch.rows.nbytes

    def _schema_with(self, batch: OutboxBatch) -> pa.Schema | None:
        """The columns of what is held and a batch; None if they can't be in one file."""
        own = batch.values.schema.remove_metadata()
        if not self._held or self._schema is None:
            return own
        try:
            return pa.unify_schemas([self._schema, own])
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
        self._forget()

    def _folders(self) -> Iterator[tuple[Path, pa.Table]]:
        """Each folder with the rows that go there, in the order in which they came."""
        tables = [self._table(batch) for batch in self._held]
        rows = pa.concat_tables(tables, promote_options="default")
        if self._by is None:
            if rows.num_rows:
                yield self._path, rows
            return
        times = pa.chunked_array([chunk for batch in self._held for chunk in batch.times.chunks])
        for folder, found in by_time(rows, times, self._by):
            yield self._path / folder, found

    def _table(self, batch: OutboxBatch) -> pa.Table:
        # What the batch is, is the outbox's business.
        table = batch.values.replace_schema_metadata(None)
        if batch.content.told:
            instant = pa.timestamp("us", "UTC")
            sent = pa.repeat(pa.scalar(self._wall(), pa.int64()), table.num_rows).cast(instant)
            table = table.append_column("sent_at", sent)
        return table


def write_whole(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that is there for good, or not at all; OutputError if it can't be."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            fsync(file.fileno())
        unfinished.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{path} can't be written: {error.strerror or error}") from error
