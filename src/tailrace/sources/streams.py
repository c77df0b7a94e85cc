"""A sequence of bytes read forward from a place in it: the plain kind, and what all kinds offer."""

from __future__ import annotations

import os
from typing import Protocol

from tailrace.sources.descriptors import Handle
from tailrace.sources.split import Bytes


class Stream(Protocol):
    """Bytes that are read once, forward."""

    @property
    def position(self) -> int:
        """Bytes (decompressed) before the next one read."""
        ...

    @property
    def raw_position(self) -> int:
        """The same as bytes of the file, for progress."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing will ever follow."""
        ...

    def readinto(self, target: Bytes) -> int:
        """Fill ``target`` from its begin as far as there is something now; return how far.

        SourceError if the bytes can't be read; what was readable before that is returned first.
        """
        ...


class PlainStream:
    """A plain file, up to a fixed end (``extent``) or for as long as it grows (None)."""

    def __init__(self, handle: Handle, position: int, extent: int | None = None) -> None:
        self._handle = handle
        self.position = position
        self.extent = extent

    @property
    def raw_position(self) -> int:
        """The position."""
        return self.position

    @property
    def ended(self) -> bool:
        """Whether the fixed end was reached."""
        return self.extent is not None and self.position >= self.extent

    def readinto(self, target: Bytes) -> int:
        """Fill ``target`` as far as the file goes."""
        if self.extent is not None:
            target = target[: max(0, self.extent - self.position)]
        descriptor = self._handle.descriptor
        filled = 0
        while filled < len(target):
            read = os.preadv(descriptor, [target[filled:].data], self.position)
            if not read:
                break
            filled += read
            self.position += read
        return filled


def pread(handle: Handle, size: int, position: int) -> bytes:
    """Return ``size`` bytes of a plain file at ``position``, fewer at its end."""
    parts = []
    while size and (part := os.pread(handle.descriptor, size, position)):
        parts.append(part)
        size -= len(part)
        position += len(part)
    return b"".join(parts)


class LimitedStream:
    """The bytes of another stream up to ``end``."""

    def __init__(self, stream: Stream, end: int) -> None:
        self._stream = stream
        self._end = end

    @property
    def position(self) -> int:
        """The other's position."""
        return self._stream.position

    @property
    def raw_position(self) -> int:
        """The other's position in its file."""
        return self._stream.raw_position

    @property
    def ended(self) -> bool:
        """Whether the end was reached."""
        return self.position >= self._end

    def readinto(self, target: Bytes) -> int:
        """Fill ``target``, up to the end."""
        return self._stream.readinto(target[: max(0, self._end - self.position)])
