"""JSON lines in one file: appended and synced, the length kept, cut back to it after a crash."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.errors import OutputError
from tailrace.outputs.batches import OutboxBatch
from tailrace.outputs.durably import make_folder, sync_folder
from tailrace.outputs.output import Receipt, State, wall_clock
from tailrace.outputs.texts import as_json
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLICE_ROWS = 16_384


class NdjsonFile:
    """Appends rows given as JSON text. State: its path, its length and the last batch in it.

    A file at another path than the state's is a new one, which must be empty: the length says
    nothing about it.
    """

    remote = False

    def __init__(
        self, path: Path, zone: tzinfo = UTC, clock: Callable[[], int] = wall_clock
    ) -> None:
        self._path = path
        self._zone = zone
        self._clock = clock
        self._file: int | None = None
        self._length = 0
        self._seq = -1

    def open(self, saved: State | None) -> State:
        """See ``Output.open``; another process that has the file open is an error."""
        self.close()
        make_folder(self._path.parent)
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            sync_folder(self._path.parent)
            self._go_back(self._file, saved)
        except OSError as error:
            self.close()
            raise OutputError(f"{self._path} can't be opened: {error.strerror}") from error
        except OutputError:
            self.close()
            raise
        return self._state()

    def at_once(self, batch: OutboxBatch) -> bool:  # noqa: ARG002 - as others have it
        """See ``Revocable.at_once``."""
        return True

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``."""
        if batch.seq <= self._seq:
            return Receipt(self._state())
        file = self._own_file()
        end = self._length
        try:
            for piece in self._pieces(batch):
                end = _write(file, piece, end)
            os.fsync(file)
        except OSError as error:
            self._take_back(file)
            raise OutputError(f"{self._path} can't be written: {error.strerror}") from error
        self._length = end
        self._seq = batch.seq
        return Receipt(self._state())

    def close(self) -> None:
        """See ``Output.close``."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _state(self) -> State:
        return {"path": str(self._path), "length": self._length, "seq": self._seq}

    def _go_back(self, file: int, saved: State | None) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(f"{self._path} is in use by another process or output") from error
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise OutputError(f"{self._path} is not a regular file")
        if saved is None or saved.get("path") != str(self._path):
            if found.st_size:
                raise OutputError(
                    f"{self._path} holds {found.st_size} bytes that this store didn't write",
                    hint="move the file away, or name another path",
                )
            self._length = 0
            self._seq = -1 if saved is None else int(str(saved["seq"]))
            return
        self._length, self._seq = int(str(saved["length"])), int(str(saved["seq"]))
        if found.st_size < self._length:
            raise OutputError(
                f"{self._path} has {found.st_size} bytes, but {self._length} were written to it",
                hint="put the file back as it was; to begin anew, begin with a new store as well",
            )
        if found.st_size > self._length:
            os.ftruncate(file, self._length)
            os.fsync(file)

    def _own_file(self) -> int:
        """The open file, if the path still leads to it and nobody else has written to it."""
        if self._file is None:
            raise OutputError(f"{self._path} is not open")
        mine = os.fstat(self._file)
        try:
            there = self._path.stat()
        except OSError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            raise OutputError(
                f"{self._path} was moved or replaced while rows were being written to it",
                hint="put the file back; where files are rotated, copy and keep the original",
            )
        if mine.st_size != self._length:
            raise OutputError(
                f"{self._path} has {mine.st_size} bytes, but {self._length} were written to it",
                hint="nobody else may write to the file or shorten it",
            )
        return self._file

    def _take_back(self, file: int) -> None:
        """Cut off a part of a batch: what is left is what was confirmed."""
        try:
            os.ftruncate(file, self._length)
        except OSError as error:
            raise OutputError(
                f"{self._path} can't be cut back to {self._length} bytes: {error.strerror}"
            ) from error

    def _pieces(self, batch: OutboxBatch) -> Iterator[memoryview]:
        """The batch's lines, some thousands at a time."""
        sent = f',"sent_at":{as_json(iso(self._clock(), self._zone))}}}'
        for piece in batch.pieces(_SLICE_ROWS):
            texts = piece.rows.column("json").combine_chunks()
            if piece.content.told:
                texts = pa.array([text[:-1] + sent for text in texts.to_pylist()], pa.string())
            all_rows = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
            lines = pc.binary_join(all_rows, "\n")[0]
            yield memoryview(lines.as_buffer())
            yield memoryview(b"\n")


def _write(file: int, piece: memoryview, at: int) -> int:
    """Write all of a piece at a place; the place after it."""
    while piece:
        written = os.pwrite(file, piece, at)
        piece, at = piece[written:], at + written
    return at
