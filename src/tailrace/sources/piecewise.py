"""What readers of lines and of packets have in common: a stream, and a place in it.

What a record is, and where pieces are cut, is theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.sources.identity import BEFORE_BYTES, HEAD_BYTES

if TYPE_CHECKING:
    from tailrace.sources.split import Bytes
    from tailrace.sources.streams import Stream


class Piecewise:
    """A stream that is read a piece at a time.

    ``position`` is the place after the last record returned; ``head``: the first bytes of the
    stream, up to ``HEAD_BYTES`` of them, as far as they were read; ``before``: the bytes before
    ``position``, ``BEFORE_BYTES`` at most.
    """

    def __init__(self, stream: Stream, head: bytes, before: bytes) -> None:
        self.stream = stream
        self.position = stream.position
        self.head = head
        self.before = before
        self._pending = False
        """Whether what was read already may hold whole records."""

    @property
    def begun_bytes(self) -> int:
        """Bytes read of the record whose end has not come."""
        return self.stream.position - self.position

    @property
    def done(self) -> bool:
        """Whether the stream has ended and its records were all returned."""
        return self.stream.ended and not self._pending

    @property
    def pending(self) -> bool:
        """Whether ``read`` may return records without anything new in the stream."""
        return self._pending

    def finish(self) -> None:
        """Expect no more of the stream: what was begun may be its last record."""
        self._pending = self.begun_bytes > 0

    def _readinto(self, target: Bytes) -> int:
        """Read the next bytes of the stream; the first ones are the head."""
        begin = self.stream.position
        filled = self.stream.readinto(target)
        if begin == len(self.head) < HEAD_BYTES:
            self.head += target[: min(filled, HEAD_BYTES - begin)].tobytes()
        return filled


def latest(earlier: bytes, later: bytes) -> bytes:
    """Return the last ``BEFORE_BYTES`` bytes of two runs of bytes that follow each other."""
    return (earlier + later[-BEFORE_BYTES:])[-BEFORE_BYTES:]
