"""A folder of Parquet files: one for each batch, named after it, there only when complete."""

from __future__ import annotations

import re
from collections.abc import Callable
from os import fsync
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tailrace.errors import OutputError
from tailrace.outputs.batches import OutboxBatch
from tailrace.outputs.durably import make_folder, sync_folder
from tailrace.outputs.output import Receipt, State, wall_clock

_COMPLETE = re.compile(r"rows-(\d{12})\.parquet")
_UNFINISHED = re.compile(r"\.rows-\d{12}\.parquet\.unfinished")


class ParquetFolder:
    """Writes a file for each batch of typed rows. State: its path and the last batch written.

    Readers of ``*.parquet`` see whole files only. A file that is confirmed is never touched again.
    """

    remote = False
    revocable = True

    def __init__(self, path: Path, clock: Callable[[], int] = wall_clock) -> None:
        self._path = path
        self._clock = clock
        self._seq = -1

    def open(self, saved: State | None) -> State:
        """See ``Output.open``: unfinished files and those of unconfirmed batches are removed."""
        make_folder(self._path)
        self._seq = -1 if saved is None else int(str(saved["seq"]))
        try:
            names = sorted(entry.name for entry in self._path.iterdir())
            if saved is None or saved.get("path") != str(self._path):
                self._refuse_foreign(names)
            for name in names:
                complete = _COMPLETE.fullmatch(name)
                if _UNFINISHED.fullmatch(name) or (complete and int(complete[1]) > self._seq):
                    (self._path / name).unlink()
            sync_folder(self._path)
        except OSError as error:
            raise OutputError(f"{self._path} can't be used: {error.strerror}") from error
        return self._state()

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``; a batch without rows makes no file."""
        if batch.seq > self._seq:
            if batch.rows.num_rows:
                self._write(f"rows-{batch.seq:012}.parquet", self._table(batch))
            self._seq = batch.seq
        return Receipt(self._state())

    def close(self) -> None:
        """See ``Output.close``: nothing stays open."""

    def _state(self) -> State:
        return {"path": str(self._path), "seq": self._seq}

    def _refuse_foreign(self, names: list[str]) -> None:
        foreign = [name for name in names if name.endswith(".parquet")]
        if foreign:
            raise OutputError(
                f"{self._path} holds {len(foreign)} Parquet files that this store didn't write,"
                f" such as {foreign[0]}",
                hint="move them away, or name another folder",
            )

    def _table(self, batch: OutboxBatch) -> pa.Table:
        # What the batch is, is the outbox's business.
        table = batch.rows.replace_schema_metadata(None)
        if batch.content.told:
            instant = pa.timestamp("us", "UTC")
            sent = pa.repeat(pa.scalar(self._clock(), pa.int64()), table.num_rows).cast(instant)
            table = table.append_column("sent_at", sent)
        return table

    def _write(self, name: str, table: pa.Table) -> None:
        write_whole(self._path / name, table)


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
