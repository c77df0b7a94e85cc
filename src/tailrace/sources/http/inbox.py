"""Where bodies wait for the engine, and senders for their commit. Safe to use from any thread."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum

from tailrace.sources.http.keys import KEPT_SECONDS, MOST, Known


class Outcome(StrEnum):
    """What became of a body."""

    COMMITTED = "committed"
    DROPPED = "dropped"
    """Surely not taken: it may be sent again."""
    UNKNOWN = "unknown"
    """The process ends, and its epoch may be finished by the next one."""


@dataclass(eq=False, slots=True)
class Body:
    """Lines that were sent; ``done`` is set once, ``end`` is its position's end once it has one."""

    data: bytes
    key: str | None
    digest: str
    at: float
    done: Future[Outcome] = field(default_factory=Future)
    end: int | None = None


class KeyClashError(Exception):
    """A key came with another body than before."""


class Inbox:
    """Bodies by their way: waiting, taken by the engine, committed.

    ``most_bytes`` bounds what connections have read so far and what waits, together.
    """

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        """Begin empty."""
        self._most = most_bytes
        self._clock = clock
        self._changed = threading.Condition()
        self._bytes = 0
        self._waiting: deque[Body] = deque()
        self._taken: deque[Body] = deque()
        self._keys: dict[str, Body] = {}
        self._committed = 0
        self._closed = False

    def remember(self, keys: Iterable[Known], position: int) -> None:
        """Know the keys of bodies that were committed earlier, and the position."""
        with self._changed:
            self._committed = position
            for known in keys:
                body = Body(b"", known.key, known.digest, known.at, end=known.end)
                body.done.set_result(Outcome.COMMITTED)
                self._keys[known.key] = body

    # -- for those who listen ----------------------------------------------------------------------

    def reserve(self, size: int) -> bool:
        """Ask for room for bytes that are about to be read."""
        with self._changed:
            if self._closed or self._bytes + size > self._most:
                return False
            self._bytes += size
            return True

    def give_back(self, size: int) -> None:
        """Give room back that was reserved."""
        with self._changed:
            self._bytes -= size

    def put(self, data: bytes, key: str | None) -> Body:
        """Let a body wait, whose room was reserved; return it, or the one that came before it.

        KeyClashError if another body came with this key.
        """
        digest = "" if key is None else hashlib.sha256(data).hexdigest()[:32]
        body = Body(data, key, digest, self._clock())
        with self._changed:
            if key is not None:
                before = self._keys.get(key)
                if before is not None:
                    self._bytes -= len(data)
                    if before.digest != digest:
                        raise KeyClashError
                    return before
                self._keys[key] = body
                self._forget()
            if self._closed:
                self._finish(body, Outcome.DROPPED)
            else:
                self._waiting.append(body)
                self._changed.notify_all()
        return body

    def withdraw(self, body: Body) -> bool:
        """Take a body back that the engine hasn't taken; False if it has."""
        with self._changed:
            try:
                self._waiting.remove(body)
            except ValueError:
                return False
            self._finish(body, Outcome.DROPPED)
            return True

    # -- for the engine ----------------------------------------------------------------------------

    def take(self, most_bytes: int) -> list[Body]:
        """Return the bodies whose turn it is, one at least if any waits."""
        with self._changed:
            found: list[Body] = []
            size = 0
            while self._waiting and (not found or size + len(self._waiting[0].data) <= most_bytes):
                body = self._waiting.popleft()
                found.append(body)
                size += len(body.data)
            self._taken += found
            self._bytes -= size
            return found

    def refuse(self, bodies: Iterable[Body]) -> None:
        """Bodies that were taken could not be kept."""
        with self._changed:
            for body in bodies:
                self._taken.remove(body)
                self._bytes += len(body.data)
                self._finish(body, Outcome.DROPPED)

    def committed(self, position: int) -> None:
        """Everything before ``position`` is committed."""
        with self._changed:
            self._committed = position
            while self._taken and self._taken[0].end is not None:
                if self._taken[0].end > position:
                    break
                body = self._taken.popleft()
                body.data = b""
                body.done.set_result(Outcome.COMMITTED)

    @property
    def position(self) -> int:
        """What is committed."""
        with self._changed:
            return self._committed

    def wait(self, seconds: float) -> None:
        """Sleep until a body waits, at most ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, max(seconds, 0))

    def close(self) -> None:
        """Take nothing more; who waits hears what is known."""
        with self._changed:
            self._closed = True
            while self._waiting:
                self._finish(self._waiting.popleft(), Outcome.DROPPED)
            while self._taken:
                self._taken.popleft().done.set_result(Outcome.UNKNOWN)
            self._changed.notify_all()

    def _finish(self, body: Body, outcome: Outcome) -> None:
        self._bytes -= len(body.data)
        if body.key is not None and self._keys.get(body.key) is body:
            del self._keys[body.key]
        body.done.set_result(outcome)

    def _forget(self) -> None:
        """Forget the oldest keys beyond the bounds, as long as they are committed."""
        since = self._clock() - KEPT_SECONDS
        while self._keys:
            key, body = next(iter(self._keys.items()))
            old = body.at < since or len(self._keys) > MOST
            if not old or not body.done.done():
                return
            del self._keys[key]
