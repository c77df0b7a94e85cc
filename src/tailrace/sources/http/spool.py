"""Bodies on disk, from before their epoch is planned until it is committed: files of bytes.

Positions count all bytes that the store has ever received. A file is named after the position of
its first byte; the last one is appended to, and a file goes when all of it is committed. Whatever
lies behind the position at which appending begins was never part of an epoch and is cut off.
"""

from __future__ import annotations

import os

from tailrace.errors import SourceError

FILE_BYTES = 16 << 20
"""A file that has grown to so much is followed by another."""

SUFFIX = ".bytes"


class Spool:
    """The files in a folder; one thread appends, any thread may release."""

    def __init__(self, folder: str) -> None:
        """Touch nothing yet."""
        self.folder = folder
        self.position = 0
        """Where the next bytes go."""
        self._starts: list[int] = []
        self._file: int | None = None

    def begin(self, position: int) -> None:
        """Go on at ``position``: make the folder, cut off what lies behind; OSError if it can't."""
        self.close()
        self.position = position
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        for start in self._found():
            if start > position or (start == position and not self._size(start)):
                os.unlink(self._path(start))
        self._starts = self._found()
        if self._starts and position - self._starts[-1] > self._size(self._starts[-1]):
            # A copy of the store that is newer than the files, whose bytes nobody needs any more.
            for start in self._starts:
                os.unlink(self._path(start))
            self._starts = []
        if self._starts:
            self._open(self._starts[-1])
            self._cut()

    def append(self, data: bytes) -> int:
        """Write and sync; return the position after it. OSError, and nothing is there, else."""
        if self._file is None or self.position - self._starts[-1] >= FILE_BYTES:
            self._next()
        assert self._file is not None  # noqa: S101 - just opened
        at = self.position - self._starts[-1]
        try:
            view = memoryview(data)
            while view:
                written = os.pwrite(self._file, view, at)
                view, at = view[written:], at + written
            os.fsync(self._file)
        except OSError:
            self._cut()
            raise
        self.position += len(data)
        return self.position

    def go_back(self, position: int) -> None:
        """Undo the last ``append``, which began at ``position``."""
        self.position = position
        self._cut()

    def read(self, start: int, end: int) -> bytes:
        """Return bytes that were appended; SourceError if they are gone."""
        parts = []
        at = start
        try:
            for first in [s for s in self._found() if s < end]:
                with open(self._path(first), "rb") as file:
                    stop = min(end, first + os.fstat(file.fileno()).st_size)
                    if first <= at < stop:
                        file.seek(at - first)
                        parts.append(file.read(stop - at))
                        at = stop
        except OSError as error:
            raise SourceError(f"{self.folder} can't be read: {error.strerror}") from error
        if at != end:
            raise SourceError(
                f"what was received (bytes {start} to {end}) is no longer in {self.folder}",
                hint="put the folder back as it was beside the store",
            )
        return b"".join(parts)

    def release(self, position: int) -> None:
        """Remove files whose bytes are all before ``position``, but for the one appended to."""
        while len(self._starts) > 1 and self._starts[1] <= position:
            os.unlink(self._path(self._starts.pop(0)))

    def finish(self, committed: int) -> None:
        """Close; remove what is left if all of it is committed."""
        self.close()
        if committed == self.position:
            for start in self._starts:
                os.unlink(self._path(start))
            self._starts = []

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _next(self) -> None:
        self.close()
        self._starts.append(self.position)
        self._open(self.position)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open(self, start: int) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._path(start), flags, 0o600)

    def _cut(self) -> None:
        assert self._file is not None  # noqa: S101 - the caller opened it
        os.ftruncate(self._file, self.position - self._starts[-1])

    def _found(self) -> list[int]:
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        numbers = (name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))
        return sorted(int(number) for number in numbers if number.isdigit())

    def _size(self, start: int) -> int:
        return os.stat(self._path(start)).st_size

    def _path(self, start: int) -> str:
        return os.path.join(self.folder, f"{start:020}{SUFFIX}")
