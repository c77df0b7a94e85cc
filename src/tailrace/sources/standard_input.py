"""The ``stdin`` source: lines of standard input, read by a thread so that polls don't wait.

What was read is gone: a slice can't be read again, and a restart goes on with what comes.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping

import numpy as np

from tailrace.errors import GoneError, SourceError
from tailrace.formats.records import Records
from tailrace.sources.buffers import Buffers
from tailrace.sources.reader import Reader
from tailrace.sources.split import Bytes
from tailrace.sources.types import Chunk, Json, Poll, Slice

PARTITION = "stdin"
READ_BYTES = 1 << 20
AHEAD_BYTES = 16 << 20
"""Read at most so far ahead of the polls."""


class StandardInput:
    """Standard input, or another descriptor, as one bounded partition.

    A stored position only counts on: positions go up over restarts, and so ids stay distinct.
    """

    bounded = True

    def __init__(self, descriptor: int = 0, *, max_record_bytes: int = 1 << 20) -> None:
        self._stream = PipeStream(descriptor)
        self._max = max_record_bytes
        self._reader: Reader | None = None
        self._appeared = False
        self._ended = False

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Begin to read; once open, what has come is still to be given."""
        if self._reader is not None:
            return
        position = positions.get(PARTITION, {}).get("position", 0)
        if not isinstance(position, int):
            raise SourceError(
                "the position stored for stdin is not that of standard input",
                hint="the store belongs to a pipeline with another source; use a new store",
            )
        self._stream.start(position)
        self._reader = Reader(self._stream, self._max, Buffers())

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:  # noqa: ARG002 - one only
        """Return what has come; it is never known to be at its end before it ends."""
        reader = self._reader
        if reader is None or self._ended:
            return Poll()
        chunks = []
        left = max(max_bytes, 1)
        while left > 0 and not reader.done:
            start, begin = reader.position, self._stream.position
            records = reader.read(min(left, max(self._stream.waiting, 1)))
            if len(records):
                place: dict[str, Json] = {"position": reader.position}
                piece = Slice(PARTITION, 0, start, reader.position, place)
                chunks.append(Chunk(piece, records))
            used = self._stream.position - begin
            if not used and not len(records):
                break
            left -= max(used, 1)
        appeared = () if self._appeared else (PARTITION,)
        self._appeared = True
        self._ended = reader.done
        ended = (PARTITION,) if self._ended else ()
        return Poll(tuple(chunks), appeared, ended, ended)

    def reread(self, piece: Slice) -> Records:
        """GoneError: it can't be done."""
        raise GoneError(
            f"standard input can't be read again; its bytes {piece.start} to {piece.end} are lost",
            hint="what must survive a crash is read from a file or a folder",
        )

    def wait(self, seconds: float) -> None:
        """Sleep until something came or the input ended."""
        self._stream.wait(seconds)

    def totals(self) -> tuple[int, int] | None:
        """Return None: how much will come is unknown."""
        return None

    def close(self) -> None:
        """Stop reading; what the thread waits for is not waited for."""
        self._stream.stop()


class PipeStream:
    """What a thread reads from a descriptor, as a stream."""

    def __init__(self, descriptor: int) -> None:
        self.position = 0
        self._descriptor = descriptor
        self._parts: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ahead = 0
        self._finished = False
        self._stopped = False
        self._error: OSError | None = None

    @property
    def raw_position(self) -> int:
        """The position."""
        return self.position

    @property
    def waiting(self) -> int:
        """Bytes that have come and were not taken."""
        return self._ahead

    @property
    def ended(self) -> bool:
        """Whether the input has ended and was taken."""
        with self._changed:
            return self._finished and not self._ahead and self._error is None

    def start(self, position: int) -> None:
        """Begin to read."""
        self.position = position
        # A daemon: a read of a terminal can't be ended from here.
        threading.Thread(target=self._run, name="tailrace-stdin", daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Sleep until there is something, at most ``seconds``."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ahead or self._finished or self._stopped, max(seconds, 0)
            )

    def readinto(self, target: Bytes) -> int:
        """Take what has come."""
        filled = 0
        with self._changed:
            if self._error is not None and not self._ahead:
                reason = (self._error.strerror or str(self._error)).lower()
                raise SourceError(f"standard input can't be read: {reason}") from self._error
            while self._parts and filled < len(target):
                part = self._parts.popleft()
                taken = part[: len(target) - filled]
                if len(taken) < len(part):
                    self._parts.appendleft(part[len(taken) :])
                target[filled : filled + len(taken)] = np.frombuffer(taken, np.uint8)
                filled += len(taken)
            self._ahead -= filled
            self._changed.notify_all()
        self.position += filled
        return filled

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ahead < AHEAD_BYTES or self._stopped)
                if self._stopped:
                    return
            try:
                part = os.read(self._descriptor, READ_BYTES)
            except OSError as error:
                self._error = error
                part = b""
            with self._changed:
                if part:
                    self._parts.append(part)
                    self._ahead += len(part)
                else:
                    self._finished = True
                self._changed.notify_all()
                if not part:
                    return
