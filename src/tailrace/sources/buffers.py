"""Large buffers used again as soon as nobody holds what was read into them."""

from __future__ import annotations

import weakref

import numpy as np

from tailrace.sources.split import Bytes

LARGE_BYTES = 1 << 18
"""Below this the C library's allocator is as fast."""
GRAIN_BYTES = 1 << 20
KEPT = 4


class Buffers:
    """Buffers that come back by themselves.

    A fresh buffer of 64 MB costs more for its page faults than reading into it does. A view handed
    out by ``take`` is given back when the last reference to its memory goes: arrays sliced from it
    and Arrow buffers and arrays over it count.
    """

    def __init__(self) -> None:
        self._free: list[Bytes] = []

    def take(self, size: int) -> Bytes:
        """Return ``size`` writable bytes of any content."""
        if size < LARGE_BYTES:
            return np.empty(size, np.uint8)
        owner = self._reused(size)
        if owner is None:
            owner = np.empty(-(-size // GRAIN_BYTES) * GRAIN_BYTES, np.uint8)
        # Not a slice of the owner: slices of a slice refer to the owner only and let the view go.
        view = np.frombuffer(owner.data, np.uint8, size)
        weakref.finalize(view, self._give_back, owner).atexit = False
        return view

    def _reused(self, size: int) -> Bytes | None:
        for place, owner in enumerate(self._free):
            if len(owner) >= size:
                return self._free.pop(place)
        return None

    def _give_back(self, owner: Bytes) -> None:
        self._free.append(owner)
        if len(self._free) > KEPT:
            self._free.pop(0)
