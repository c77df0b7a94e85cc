"""One path read once, to the end that it has when it is opened (``follow: false``)."""

from __future__ import annotations

import errno
import os
from collections import deque

from tailrace.errors import SourceError
from tailrace.sources.chain import Chain, Took
from tailrace.sources.identity import Place
from tailrace.sources.missing import missing
from tailrace.sources.opened import OpenFile, Reading
from tailrace.sources.tracing import by_inode, trace
from tailrace.sources.types import Json


class FinishedPath:
    """A partition: the file at a path and, when resumed, the rotated files that lie before it."""

    seen = True

    def __init__(self, chain: Chain, reading: Reading) -> None:
        self.chain = chain
        self._path = chain.path
        self._reading = reading
        self._left: deque[tuple[str, int]] = deque()
        """Files to read yet, and the size at which each ends."""
        self.ended = False

    @property
    def name(self) -> str:
        """The partition's name."""
        return self.chain.name

    @property
    def ready(self) -> bool:
        """Whether there is something to read."""
        return not self.ended

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes read and bytes in all, as on disk."""
        file = self.chain.file
        now = file.reader.stream.raw_position if file else 0
        whole = (file.extent or 0) if file else 0
        before = self.chain.bytes_before
        return before + now, before + whole + sum(size for _path, size in self._left)

    def open(self, stored: dict[str, Json] | None) -> None:
        """Start at a stored position, or at the begin."""
        place = Place.from_json(self.name, stored) if stored else None
        if place is None:
            self._expect(self._path)
            return
        found = trace(self._path, place, self._reading, place.extent)
        if found is None:
            self.chain.generation = place.generation + 1
            self._expect(self._path)
            self.chain.note(
                "generation_lost",
                f"{self._path}: what was read before is not there any more, nor in a rotated file;"
                " lines after it may be missing. Reading the present file from its begin",
            )
            return
        refuse_if_grown(found.file, place)
        if place.extent is None or found.file.kind:
            found.file.finish_here(found.file.status.st_size)
        self.chain.take_up(found.file, place.generation)
        for path in found.younger:
            self._expect(path)
        if not found.is_current:
            self._expect(self._path)

    @property
    def at_end(self) -> bool:
        """Whether all is read."""
        return self.ended

    def open_gone(self, stored: dict[str, Json], *, wanted: bool) -> None:
        """Take up a stored partition whose path leads to nothing, or that isn't ``wanted`` more."""
        place = Place.from_json(self.name, stored)
        found = trace(self._path, place, self._reading, place.extent) if wanted else None
        if found is not None:
            if place.extent is None or found.file.kind:
                found.file.finish_here(found.file.status.st_size)
            self.chain.take_up(found.file, place.generation)
            for path in found.younger:
                self._expect(path)
            return
        self.ended = True
        if place.extent is None or place.position < place.extent:
            self.chain.note(
                "partition_dropped",
                f"{self._path} is no longer read; {place.position} bytes of it were",
            )

    def read(self, limit: int) -> Took:
        """Read about ``limit`` bytes; SourceError if the file is not what it was."""
        file = self.chain.file or self._next()
        if file is None:
            self.ended = True
            return Took(None, 0)
        # A line cut by the extent is no record while its writer goes on.
        try:
            grown = not file.kind and file.status.st_size > (file.extent or 0)
            took = self.chain.read(limit, keep_last=not grown)
        except FileNotFoundError as error:
            raise missing(file.handle.path, error) from error
        if file.reader.done:
            if file.reader.begun_bytes:
                self.chain.note(
                    "grows",
                    f"{file.handle.path} grows while it is read: its last line had no end and was"
                    " left; set `follow: true` for files that are being written",
                )
            self.chain.leave()
            self.ended = not self._left
            self.chain.generation += not self.ended
        elif took.chunk is None and not took.size and not file.reader.pending:
            raise SourceError(
                f"{file.handle.path} has shrunk from {file.extent} to {file.status.st_size} bytes"
                " while it was read",
                hint="set `follow: true` for files that are truncated by their writer",
            )
        return took

    def close(self) -> None:
        """Close what is open."""
        self.chain.leave()

    def _expect(self, path: str) -> None:
        try:
            self._left.append((path, os.stat(path).st_size))
        except OSError as error:
            raise missing(path, error) from error
        if not os.access(path, os.R_OK):
            raise missing(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))

    def _next(self) -> OpenFile | None:
        if not self._left:
            return None
        path, extent = self._left.popleft()
        try:
            file = OpenFile(path, self._reading, extent, by_inode(path))
        except FileNotFoundError as error:
            raise missing(path, error) from error
        self.chain.take_up(file, self.chain.generation)
        return file


def refuse_if_grown(file: OpenFile, place: Place) -> None:
    """SourceError if a file that was read to its end as a finished one has grown since."""
    size = file.status.st_size
    if place.extent is None or not place.is_file(file.status) or size <= place.extent:
        return
    if file.kind or place.position >= place.extent:
        raise SourceError(
            f"{file.handle.path} was read to its end at {place.extent} bytes and has grown to"
            f" {size} since",
            hint="set `follow: true` for a file that is being written, or begin with a new store",
        )
