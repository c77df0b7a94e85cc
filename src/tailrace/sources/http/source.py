"""The ``http`` source: bodies that were sent, spooled before an epoch takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tailrace.errors import SourceError
from tailrace.sources.buffers import Buffers
from tailrace.sources.http.inbox import Body, Inbox
from tailrace.sources.http.keys import KeyFile, Known
from tailrace.sources.http.spool import Spool
from tailrace.sources.identity import whole
from tailrace.sources.memory import read_out
from tailrace.sources.reader import Reader
from tailrace.sources.split import Bytes
from tailrace.sources.types import Chunk, Json, Note, Poll, Slice

if TYPE_CHECKING:
    from tailrace.config.http_source import HttpSource
    from tailrace.formats.records import Records
    from tailrace.sources.http.server import HttpServer

PARTITION = "http"
LEAST_WAITING_BYTES = 64 << 20
"""What connections have read and what waits is bounded by this, or by two of the longest bodies."""


class HttpRecords:
    """One partition, in the order in which bodies came.

    ``folder`` is where bodies are kept until they are committed. ``listens`` False: nothing new is
    taken, and there is nothing but what an unfinished epoch reads again.
    """

    def __init__(
        self, config: HttpSource, folder: str, *, listens: bool, max_record_bytes: int
    ) -> None:
        """Listen to nothing yet."""
        self.bounded = not listens
        self._config = config
        self._max = max_record_bytes
        self._spool = Spool(folder)
        self._keys = KeyFile(f"{folder}/keys.ndjson")
        self._inbox = Inbox(max(LEAST_WAITING_BYTES, 2 * config.max_body_bytes))
        self._server: HttpServer | None = None
        self._position = 0
        self._begun = False
        self._said = False

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Bind the address, so that a mistake is told at once; answer with the first poll."""
        self._position = whole(positions.get(PARTITION, {}).get("position", 0))
        if not self.bounded and self._server is None:
            from tailrace.sources.http.server import HttpServer

            self._server = HttpServer(self._config, self._inbox)

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Return bodies that have come, once they are on disk."""
        del watermarks
        appeared = () if self._said else (PARTITION,)
        self._said = True
        if self.bounded:
            return Poll(appeared=appeared, ended=(PARTITION,) if appeared else ())
        if not self._begun:
            self._begin()
        bodies = self._inbox.take(max_bytes)
        if not bodies:
            return Poll(appeared=appeared, at_end=(PARTITION,))
        start = self._spool.position
        data = b"".join(body.data for body in bodies)
        try:
            end = self._keep(bodies, data)
        except OSError as error:
            self._inbox.refuse(bodies)
            text = f"{self._spool.folder} can't be written: {error.strerror}"
            note = Note("not_kept", PARTITION, text, len(bodies))
            return Poll(appeared=appeared, notes=(note,))
        piece = Slice(PARTITION, 0, start, end, {"position": end})
        return Poll((Chunk(piece, self._records(data, start)),), appeared)

    def reread(self, piece: Slice) -> Records:
        """Read a slice from disk."""
        return self._records(self._spool.read(piece.start, piece.end), piece.start)

    def committed(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """See ``Mirroring.committed``: those whose bodies are committed are answered."""
        position = whole(positions.get(PARTITION, {}).get("position", 0))
        self._inbox.committed(position)
        if self._begun:
            self._spool.release(position)

    def wait(self, seconds: float) -> None:
        """Sleep until a body came."""
        self._inbox.wait(seconds)

    def totals(self) -> tuple[int, int] | None:
        """Return None: how much will come is unknown."""
        return None

    def close(self) -> None:
        """Answer those who wait with what is known, and stop listening."""
        self._inbox.close()
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._begun:
            self._spool.finish(self._inbox.position)
            self._begun = False

    def _begin(self) -> None:
        """Cut off what no epoch has, and answer."""
        try:
            self._spool.begin(self._position)
            known = self._keys.load(self._position)
        except OSError as error:
            raise SourceError(
                f"{self._spool.folder} can't be written: {error.strerror}",
                hint="bodies are kept there until they are committed",
            ) from error
        self._inbox.remember(known, self._position)
        assert self._server is not None  # noqa: S101 - it was opened
        self._server.start()
        self._begun = True

    def _keep(self, bodies: list[Body], data: bytes) -> int:
        end = self._spool.position
        known = []
        for body in bodies:
            end += len(body.data)
            body.end = end
            if body.key is not None:
                known.append(Known(body.key, body.digest, end, body.at))
        if self._keys.long:
            self._keys.load(self._spool.position)
        start = self._spool.position
        self._spool.append(data)
        try:
            self._keys.append(known)
        except OSError:
            self._spool.go_back(start)
            raise
        return end

    def _records(self, data: bytes, start: int) -> Records:
        reader = Reader(_Received(data, start), self._max, Buffers())
        return read_out(reader, len(data))


class _Received:
    """Bytes that begin at a position, as a stream that ends."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._start = position
        self.position = position

    @property
    def raw_position(self) -> int:
        """The position."""
        return self.position

    @property
    def ended(self) -> bool:
        """Whether all was read."""
        return self.position >= self._start + len(self._data)

    def readinto(self, target: Bytes) -> int:
        """Fill ``target`` as far as there is something."""
        at = self.position - self._start
        part = self._data[at : at + len(target)]
        target[: len(part)] = np.frombuffer(part, np.uint8)
        self.position += len(part)
        return len(part)
