"""One file being read: opened, recognised, placed at a position, and its place described."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tailrace.errors import SourceError
from tailrace.formats.records import Records
from tailrace.sources.archives import ArchiveStream, archive_kind
from tailrace.sources.buffers import Buffers
from tailrace.sources.descriptors import Descriptors, Handle
from tailrace.sources.identity import BEFORE_BYTES, HEAD_BYTES, Place, digest
from tailrace.sources.piecewise import latest
from tailrace.sources.reader import Reader, nothing
from tailrace.sources.split import Bytes, joined
from tailrace.sources.streams import LimitedStream, PlainStream, Stream, pread
from tailrace.sources.types import Json

ARCHIVE_PIECE_BYTES = 8 << 20
SKIPPED_BYTES = 1 << 20
REREAD_BYTES = 32 << 20


class RecordReader(Protocol):
    """What finds records in a stream: `sources.reader.Reader` does for lines."""

    stream: Stream
    position: int
    head: bytes
    before: bytes

    @property
    def state(self) -> dict[str, Json]:
        """What else must be known to read on at ``position``."""
        ...

    @property
    def begun_bytes(self) -> int:
        """Bytes read of the record whose end has not come."""
        ...

    @property
    def done(self) -> bool:
        """Whether the stream has ended and its records were all returned."""
        ...

    @property
    def pending(self) -> bool:
        """Whether ``read`` may return records without anything new in the stream."""
        ...

    @property
    def recent(self) -> bytes:
        """The bytes last read from the stream."""
        ...

    def finish(self) -> None:
        """Expect no more of the stream."""
        ...

    def read(self, limit: int, *, keep_last: bool = True) -> Records:
        """Read about ``limit`` bytes more; return the records that end there, perhaps none."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a stream before the place where a reader begins."""

    head: bytes = b""
    before: bytes = b""
    state: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What all files of a source share; ``reader`` makes what finds records in them."""

    max_record_bytes: int
    buffers: Buffers = field(default_factory=Buffers)
    descriptors: Descriptors = field(default_factory=Descriptors)
    reader: Callable[[Stream, Seen, Reading], RecordReader] = lambda stream, seen, reading: Reader(
        stream, reading.max_record_bytes, reading.buffers, head=seen.head, before=seen.before
    )


class OpenFile:
    """A file and the reader of its records.

    ``extent``: the bytes on disk at which reading ends, None while it is followed. An archive is
    always read to its end.
    """

    def __init__(
        self,
        path: str,
        reading: Reading,
        extent: int | None = None,
        find: Callable[[os.stat_result], str | None] = lambda _status: None,
    ) -> None:
        self._reading = reading
        self.handle = open_file(path, reading.descriptors, find)
        self.kind = archive_kind(pread(self.handle, 4, 0))
        self.extent = extent
        if self.kind and extent is None:
            self.extent = self.handle.status.st_size
        self.reader = self._reader(self._stream(0))

    @property
    def status(self) -> os.stat_result:
        """What the file system says of the file now."""
        return os.fstat(self.handle.descriptor)

    def begins_as(self, place: Place) -> bool:
        """Whether the first bytes are those of the place's file."""
        head = self.first_bytes(place.head_bytes)
        return len(head) == place.head_bytes and digest(head) == place.head

    def first_bytes(self, size: int) -> bytes:
        """Return the first decompressed bytes; the reader stays where it is."""
        if not self.kind:
            return pread(self.handle, size, 0)
        target = np.empty(size, np.uint8)
        return target[: ArchiveStream(self.handle, self.kind).readinto(target)].tobytes()

    def seek(self, place: Place) -> bool:
        """Go to the place; False, and the file is unusable, if it is not in this file."""
        if not self.begins_as(place):
            return False
        seen = self._to(place.position)
        if seen is None or not place.agrees(*seen):
            return False
        self.reader = self._reader(self.reader.stream, Seen(*seen, place.reader))
        return True

    def start_at(self, position: int) -> bool:
        """Go to a position; False if the file ends before it."""
        seen = self._to(position)
        if seen is None:
            return False
        self.reader = self._reader(self.reader.stream, Seen(*seen))
        return True

    def finish_here(self, size: int) -> None:
        """Let a followed file end at ``size`` bytes."""
        self.extent = size
        stream = self.reader.stream
        if isinstance(stream, PlainStream):
            stream.extent = size
        self.reader.finish()

    def read(self, limit: int, *, keep_last: bool) -> tuple[Records, int]:
        """Return the records in about ``limit`` bytes more, and how many bytes that took."""
        begin = self.reader.stream.position
        records = self.reader.read(min(limit, self._worth_asking()), keep_last=keep_last)
        return records, self.reader.stream.position - begin

    def _worth_asking(self) -> int:
        stream = self.reader.stream
        size = self.status.st_size if self.extent is None else self.extent
        left = max(size - stream.raw_position, 0)
        # Logs shrink about to a tenth; asking for too little costs one more turn.
        return min(ARCHIVE_PIECE_BYTES, (left << 4) + (1 << 16)) if self.kind else left

    def place(self, generation: int) -> Place:
        """Describe the place after the last record returned."""
        reader = self.reader
        head = reader.head[: reader.position]
        return Place(
            generation=generation,
            position=reader.position,
            device=self.handle.status.st_dev,
            inode=self.handle.status.st_ino,
            head=digest(head),
            head_bytes=len(head),
            before=digest(reader.before),
            extent=self.extent,
            reader=reader.state,
        )

    def reread(self, start: int, place: Place, state: Mapping[str, Json]) -> Records | None:
        """Return the records from ``start`` to the place again; None if the file differs.

        ``state``: that of the reader at ``start``.
        """
        seen = self._to(start)
        if seen is None:
            return None
        limited = LimitedStream(self.reader.stream, place.position)
        reader = self._reader(limited, Seen(*seen, state))
        parts = []
        while not reader.done:
            begin = limited.position
            records = reader.read(min(place.position - start, REREAD_BYTES))
            parts.append(records)
            if limited.position == begin and not len(records):
                return None
        head = reader.head if len(reader.head) >= place.head_bytes else b""
        if reader.position != place.position or not place.agrees(head, reader.before):
            return None
        parts = [records for records in parts if len(records)] or [nothing()]
        return parts[0] if len(parts) == 1 else joined(parts)

    def holds_recent(self) -> bool:
        """Whether the bytes read last, and the first ones, are still there (plain files).

        Lines of equal length with equal ends are common: the first bytes tell those apart.
        """
        head, recent = self.reader.head, self.reader.recent
        position = self.reader.stream.position
        return (
            pread(self.handle, len(recent), position - len(recent)) == recent
            and pread(self.handle, len(head), 0) == head
        )

    def close(self) -> None:
        """Close the file."""
        self.handle.close()

    def _stream(self, position: int) -> Stream:
        if self.kind:
            return ArchiveStream(self.handle, self.kind)
        return PlainStream(self.handle, position, self.extent)

    def _reader(self, stream: Stream, seen: Seen | None = None) -> RecordReader:
        return self._reading.reader(stream, seen or Seen(), self._reading)

    def _to(self, position: int) -> tuple[bytes, bytes] | None:
        """Put the stream at ``position``; return the file's head and the bytes before there."""
        if self.kind:
            stream = self._stream(0)
            self.reader = self._reader(stream)
            return pass_over(stream, position)
        if position > self.status.st_size:
            return None
        self.reader = self._reader(self._stream(position))
        size = min(position, BEFORE_BYTES)
        head = pread(self.handle, min(position, HEAD_BYTES), 0)
        return head, pread(self.handle, size, position - size)


def open_file(
    path: str, descriptors: Descriptors, find: Callable[[os.stat_result], str | None]
) -> Handle:
    """Open a regular file; SourceError says why it can't be, FileNotFoundError is left alone."""
    try:
        refuse_unless_regular(path, os.stat(path))
        return Handle(path, descriptors, find)
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(
            f"{path} can't be read: {reason.lower()}",
            hint="is the user that runs this allowed to read it?"
            if isinstance(error, PermissionError)
            else None,
        ) from error


def refuse_unless_regular(path: str, status: os.stat_result) -> None:
    """SourceError for a folder, a device, a pipe or a socket."""
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(
            f"{path} is a folder, not a file",
            hint="read its files as one partition with `folder: {path: ...}`, or each as its own"
            f" with `file: {{path: {os.path.join(path, '*')}}}`",
        )
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(
            f"{path} is no regular file",
            hint="pipes and terminals are read with the source `stdin: {}`",
        )


def pass_over(stream: Stream, position: int) -> tuple[bytes, bytes] | None:
    """Read forward to ``position``; return the first and last bytes, None if it isn't reached."""
    target: Bytes = np.empty(min(SKIPPED_BYTES, max(position, 1)), np.uint8)
    head = before = b""
    while stream.position < position:
        filled = stream.readinto(target[: position - stream.position])
        if not filled:
            return None
        if len(head) < HEAD_BYTES:
            head += target[: min(filled, HEAD_BYTES - len(head))].tobytes()
        before = latest(before, target[max(0, filled - BEFORE_BYTES) : filled].tobytes())
    return head, before
