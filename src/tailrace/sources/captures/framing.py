"""What both file formats share: a piece of a file goes in, packets come out of its begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tailrace.formats.packets.record import HEAD, HEAD_BYTES, Breach
from tailrace.formats.packets.view import runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.sources.types import Json


@dataclass(frozen=True, slots=True)
class Broken:
    """Nothing can be read from a place on: why, and the length that is told there."""

    breach: Breach
    length: int = 0


@dataclass(slots=True)
class Framed:
    """What a piece of a file holds.

    ``used``: bytes up to the end of the last whole part. ``places``: where each packet's part
    begins; ``begins``, ``ends``: its captured bytes; ``heads``: what stands before them (HEAD).
    ``begins`` None: parts follow each other up to ``used``, and of each the bytes captured follow
    on as many as a head has; there are no ``ends`` then.
    ``names``: each packet's interface, None where the format has none. ``missing``: bytes that are
    to come until the part begun is whole. ``broken``: why there is nothing after ``used``.
    """

    used: int = 0
    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    begins: list[int] | None = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    heads: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, HEAD))
    names: list[str | None] | None = None
    missing: int = 0
    broken: Broken | None = None

    def content(self, data: bytes) -> tuple[bytes | memoryview, NDArray[np.int32]]:
        """The packets' records one after another, and their offsets."""
        if self.begins is None:
            return self._in_place(data)
        parts: list[bytes | memoryview] = []
        heads = memoryview(self.heads.tobytes())
        at = 0
        for begin, end in zip(self.begins, self.ends, strict=True):
            parts.append(heads[at : at + HEAD_BYTES])
            parts.append(data[begin:end])
            at += HEAD_BYTES
        sizes = np.subtract(self.ends, self.begins) + HEAD_BYTES
        offsets = np.zeros(len(sizes) + 1, np.int32)
        np.cumsum(sizes, out=offsets[1:])
        return b"".join(parts), offsets

    def _in_place(self, data: bytes) -> tuple[memoryview, NDArray[np.int32]]:
        """The same where heads fit over what stands before the packets: a copy of it all."""
        offsets = np.append(self.places, self.used)
        offsets = (offsets - offsets[0]).astype(np.int32)
        octets = np.frombuffer(data, np.uint8)[self.used - offsets[-1] : self.used].copy()
        runs(octets, HEAD_BYTES)[offsets[:-1]] = self.heads.view(f"V{HEAD_BYTES}")
        return octets.data, offsets


class Framing(Protocol):
    """A file format, at a place in a file."""

    @property
    def state(self) -> dict[str, Json]:
        """What must be known to go on reading here."""
        ...

    def frame(self, data: bytes) -> Framed:
        """Find the packets at the begin of ``data``."""
        ...
