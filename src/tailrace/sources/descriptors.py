"""Open files, not too many at once: the least recently used are closed and opened again."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

MOST_OPEN = 256


class Descriptors:
    """At most ``most`` open file descriptors, by handle."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._open: OrderedDict[Handle, int] = OrderedDict()

    def get(self, handle: Handle) -> int:
        """Return the handle's descriptor, opened (again) where needed."""
        descriptor = self._open.get(handle)
        if descriptor is None:
            descriptor = handle.reopen()
            self.put(handle, descriptor)
        self._open.move_to_end(handle)
        return descriptor

    def put(self, handle: Handle, descriptor: int) -> None:
        """Take over an open descriptor."""
        self._open[handle] = descriptor
        while len(self._open) > self._most:
            os.close(self._open.popitem(last=False)[1])

    def drop(self, handle: Handle) -> None:
        """Close the handle's descriptor, if it is open."""
        descriptor = self._open.pop(handle, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Close all."""
        while self._open:
            os.close(self._open.popitem()[1])


class Handle:
    """One file, known by device and inode, whatever its name becomes.

    ``find`` returns the present path of (device, inode) when the file is at its path no more, or
    None. FileNotFoundError when it is nowhere.
    """

    def __init__(
        self,
        path: str,
        descriptors: Descriptors,
        find: Callable[[os.stat_result], str | None] = lambda _status: None,
    ) -> None:
        self.path = path
        self._descriptors = descriptors
        self._find = find
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.status = os.fstat(descriptor)
        """As it was when opened."""
        descriptors.put(self, descriptor)

    @property
    def descriptor(self) -> int:
        """An open descriptor of the file, good until the next handle's is asked for."""
        return self._descriptors.get(self)

    def reopen(self) -> int:
        """Return a new descriptor of the same file."""
        with suppress(FileNotFoundError):
            return self._same(self.path)
        path = self._find(self.status)
        if path is None:
            raise FileNotFoundError(self.path)
        descriptor = self._same(path)
        self.path = path
        return descriptor

    def _same(self, path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        if not os.path.samestat(os.fstat(descriptor), self.status):
            os.close(descriptor)
            raise FileNotFoundError(path)
        return descriptor

    def close(self) -> None:
        """Close the file."""
        self._descriptors.drop(self)
