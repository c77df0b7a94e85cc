"""Bytes of many packets at once: numbers read at a place of each, without a loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class View:
    """The bytes of packets in one buffer: packet i is ``octets[start[i] : start[i] + size[i]]``.

    What is read beyond a packet's end means nothing; ``has`` says whether it is within.
    """

    octets: NDArray[np.uint8]
    start: Ints
    size: Ints

    def rows(self, rows: Rows) -> Self:
        """Some of the packets."""
        return type(self)(self.octets, self.start[rows], self.size[rows])

    def has(self, at: int | Ints, length: int) -> NDArray[np.bool_]:
        """Whether so many bytes were captured there."""
        within: NDArray[np.bool_] = at + length <= self.size
        return within

    def byte(self, at: int | Ints) -> Ints:
        """One byte of each."""
        return self.octets.take(self.start + at, mode="clip").astype(np.int64)

    def short(self, at: int | Ints) -> Ints:
        """Two bytes of each, the first one counting more."""
        return self._number(at, ">u2")

    def word(self, at: int | Ints) -> Ints:
        """Four bytes of each, the first one counting more."""
        return self._number(at, ">u4")

    def _number(self, at: int | Ints, kind: str) -> Ints:
        width = np.dtype(kind).itemsize
        return self.run(at, width).view(kind).ravel().astype(np.int64)

    def run(self, at: int | Ints, length: int) -> NDArray[np.uint8]:
        """So many bytes of each: an array of (packets, length)."""
        if len(self.octets) < length:
            places = (self.start + at)[:, None] + np.arange(length)
            return self.octets.take(places, mode="clip")
        places = np.clip(self.start + at, 0, len(self.octets) - length)
        taken: NDArray[np.uint8] = runs(self.octets, length)[places].view(np.uint8)
        return taken.reshape(-1, length)


def runs(octets: NDArray[np.uint8], length: int) -> NDArray[np.void]:
    """The bytes from each place on, of which so many are left: a view.

    To be indexed with arrays of places (``take`` would copy all of it first).
    """
    left = max(0, len(octets) - length + 1)
    return np.ndarray(left, f"V{length}", octets.data, strides=(1,))
