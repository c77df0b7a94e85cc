"""Records read from a stream a piece at a time; the line that a piece cuts in two waits here.

What lives here knows lines and positions; which file is read and when, others decide.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tailrace.formats.records import Records
from tailrace.sources.buffers import Buffers
from tailrace.sources.identity import BEFORE_BYTES
from tailrace.sources.piecewise import Piecewise, latest
from tailrace.sources.split import Bytes, Offsets, cut, line_ends, too_long
from tailrace.sources.streams import Stream
from tailrace.sources.types import Json

MAX_READ_BYTES = 1 << 30
"""Offsets are int32: a piece and the line begun before it stay under 2 GiB together."""


class Reader(Piecewise):
    """The records of one stream in order.

    The memory needed beyond the piece being read is about ``max_record_bytes``, however long a line
    is. ``position`` is the place after the last record returned: reading that begins there gives
    the same records, wherever pieces are cut.
    """

    def __init__(
        self,
        stream: Stream,
        max_record_bytes: int,
        buffers: Buffers,
        *,
        head: bytes = b"",
        before: bytes = b"",
    ) -> None:
        super().__init__(stream, head, before)
        self._max = max_record_bytes
        self._buffers = buffers
        self._unsplit = b""
        """What was read after ``position``; the begin of a line, once too long its first bytes."""
        self._skipping = False
        """Whether a line is known to be too long and its end has not come."""
        self._skipped = b""
        """While skipping: the last bytes passed over."""

    @property
    def state(self) -> dict[str, Json]:
        """Nothing: a line begins anywhere."""
        return {}

    @property
    def recent(self) -> bytes:
        """The bytes last read from the stream, ``BEFORE_BYTES`` at most."""
        return self._skipped if self._skipping else latest(self.before, self._unsplit)

    @property
    def header(self) -> bytes | None:
        """The stream's first line, if its end is within the first bytes."""
        line, end, _ = self.head.partition(b"\n")
        return line + end if end else None

    def read(self, limit: int, *, keep_last: bool = True) -> Records:
        """Read about ``limit`` bytes more; return the records that end there, perhaps none.

        Once the stream has ended its unterminated last line is a record, if ``keep_last``.
        """
        limit = min(max(limit, 1), MAX_READ_BYTES)
        if self._skipping:
            return self._skip(limit, keep_last=keep_last)
        begun = len(self._unsplit)
        buffer = self._buffers.take(begun + limit)
        buffer[:begun] = np.frombuffer(self._unsplit, np.uint8)
        filled = begun + self._readinto(buffer[begun:])
        ends = line_ends(buffer[:filled])
        last_ends = filled > (ends[-1] if len(ends) else 0) and self.stream.ended and keep_last
        offsets = np.empty(len(ends) + 1 + last_ends, np.int32)
        offsets[0] = 0
        offsets[1 : len(ends) + 1] = ends
        if last_ends:
            offsets[-1] = filled
        used = int(offsets[-1])
        self.before = latest(self.before, buffer[max(0, used - BEFORE_BYTES) : used].tobytes())
        self._keep(buffer[used:filled])
        return self._records(buffer, offsets)

    def _keep(self, rest: Bytes) -> None:
        self._pending = False
        self._skipping = len(rest) > self._max + 1  # one more may be a return before the line end
        self._unsplit = rest[: self._max].tobytes() if self._skipping else rest.tobytes()
        if self._skipping:
            self._skipped = latest(self.before, rest[-BEFORE_BYTES:].tobytes())

    def _records(self, buffer: Bytes, offsets: Offsets) -> Records:
        positions = offsets[:-1].astype(np.int64)
        positions += self.position
        self.position += int(offsets[-1])
        rows = too_long(buffer, offsets, self._max)
        if not len(rows):
            data = pa.py_buffer(buffer[: offsets[-1]])
            return Records(data, offsets, positions, header=self.header)
        offsets = cut(buffer, offsets, rows, self._max)
        oversize = np.zeros(len(positions), np.bool_)
        oversize[rows] = True
        return Records(
            pa.py_buffer(buffer), offsets, positions, oversize=oversize, header=self.header
        )

    def _skip(self, limit: int, *, keep_last: bool) -> Records:
        """Pass over what follows the first bytes of a line that is too long, up to its end."""
        self._pending = False
        buffer = self._buffers.take(limit)
        filled = self._readinto(buffer)
        ends = line_ends(buffer[:filled])
        after = int(ends[0]) if len(ends) else filled
        self._skipped = latest(
            self._skipped, buffer[max(0, after - BEFORE_BYTES) : after].tobytes()
        )
        if not len(ends) and not (self.stream.ended and keep_last):
            return nothing()
        cut_line = Records(
            pa.py_buffer(self._unsplit),
            np.array([0, self._max], np.int32),
            np.array([self.position], np.int64),
            oversize=np.array([True]),
            header=self.header,
        )
        self.position = self.stream.position - (filled - after)
        self.before = self._skipped
        self._unsplit = buffer[after:filled].tobytes()
        self._skipping = False
        self._pending = bool(self._unsplit)
        return cut_line


def nothing() -> Records:
    """Return no records."""
    return Records(pa.py_buffer(b""), np.zeros(1, np.int32), np.empty(0, np.int64))
