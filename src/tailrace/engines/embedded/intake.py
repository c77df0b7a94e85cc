"""Reading and decoding ahead of the kernel: a thread polls, two decode, the order is kept.

DuckDB and NumPy leave the interpreter's lock while they work, so on two cores decoding and the
kernel overlap.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.engines.liveness import over
from tailrace.kernel.words import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tailrace.engines.session import StageTimes
    from tailrace.formats.decoder import Decoder
    from tailrace.formats.records import Decoded
    from tailrace.sources.types import Chunk, Poll, Source

DECODERS = 2
"""Decoding threads: as many as cores, the kernel taking turns with them."""

AHEAD = 4
"""Polls that may wait decoded; bounds memory to about this many batches."""


FIRST_BYTES = 2 << 20
"""The first poll is small, so that decoding begins at once; each further one is twice as large."""

MUCH_BYTES = 1 << 20
"""A poll that found less is not behind."""

PATIENCE_SECONDS = 0.25
"""Longer than this nobody waits to be asked: partitions are looked at, more is read ahead."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One poll with its chunks decoded; ``at``: monotonic seconds when the poll returned."""

    poll: Poll
    decoded: tuple[Decoded, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Left:
    """Where a reader starts: partitions not at their end; polls not taken, with their times."""

    partitions: frozenset[str]
    polls: tuple[tuple[Poll, float], ...] = ()


class Reader:
    """Polls a source and decodes what it gives, ahead of whoever calls ``take``.

    ``watermarks`` gives the latest known watermark of each partition, for the order of reading.
    Errors of the source and of the decoder reach the caller of ``take``, in their turn.
    """

    def __init__(
        self,
        source: Source,
        make_decoder: Callable[[], Decoder],
        watermarks: Callable[[], Mapping[str, int]],
        *,
        left: Left,
        batch_bytes: int,
        times: StageTimes,
        texts: Collection[str] = (),
    ) -> None:
        """Start at once: with what another reader left, then on from there.

        ``texts``: the fields that the kernel wants by their distinct texts.
        """
        self._open = set(left.partitions)
        self._left = left.polls
        self._source = source
        self._make_decoder = make_decoder
        self._watermarks = watermarks
        self._batch_bytes = batch_bytes
        self._times = times
        self._texts = texts
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(DECODERS, "tailrace-decode")
        self._ready: deque[tuple[Poll, list[Future[Decoded]], float] | BaseException | None] = (
            deque()
        )
        self._changed = threading.Condition()
        self._stop = False
        self._wanted = False
        self.hangs = False
        self._thread = threading.Thread(target=self._read, name="tailrace-read", daemon=True)
        self._thread.start()

    def take(self, seconds: float) -> Intake | None:
        """The next poll, decoded; None if none came within ``seconds`` or reading has ended."""
        started = time.perf_counter()
        with self._changed:
            self._wanted = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: bool(self._ready), seconds)
            self._wanted = False
            if not self._ready:
                self._times.wait += time.perf_counter() - started
                return None
            item = self._ready[0]
            if item is None:
                return None
            self._ready.popleft()
            self._changed.notify_all()
        if isinstance(item, BaseException):
            raise item
        poll, futures, at = item
        decoded = tuple(future.result() for future in futures)
        self._times.wait += time.perf_counter() - started
        return Intake(poll, decoded, at)

    def take_ready(self, seconds: float = 0.0) -> Intake | None:
        """The next poll if it is decoded already, or will be within about ``seconds``.

        None where an error is next: that waits for ``take``.
        """
        started = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: bool(self._ready), seconds)
            item = self._ready[0] if self._ready else None
        if not isinstance(item, tuple):
            return None
        late = wait(item[1], seconds).not_done
        self._times.wait += time.perf_counter() - started
        if late or any(future.exception() for future in item[1]):
            return None
        return self.take(0.0)

    @property
    def ended(self) -> bool:
        """Whether everything that will ever come has been taken."""
        with self._changed:
            return bool(self._ready) and self._ready[0] is None

    def close(self, seconds: float | None = None) -> Left:
        """Stop reading; what was not taken goes to another reader, or is read again next time.

        After ``seconds`` a source that doesn't come back is left behind (``hangs``).
        """
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join(seconds)
        self.hangs = self._thread.is_alive()
        self._pool.shutdown(wait=True, cancel_futures=True)
        polls = tuple((item[0], item[2]) for item in self._ready if isinstance(item, tuple))
        return Left(frozenset(self._open), polls)

    def _read(self) -> None:
        try:
            for poll, at in self._left:
                self._put_poll(poll, at)
            behind, size = True, min(FIRST_BYTES, self._batch_bytes)
            while not self._stop:
                if not behind:
                    self._until_wanted()
                started = time.perf_counter()
                poll = self._source.poll(size, self._watermarks())
                size = min(2 * size, self._batch_bytes)
                self._times.read += time.perf_counter() - started
                at = time.monotonic()
                busy = bool(poll.chunks)
                behind = sum(len(chunk.records.data) for chunk in poll.chunks) >= MUCH_BYTES
                if busy or poll.appeared or poll.at_end or poll.ended or poll.notes:
                    self._put_poll(poll, at)
                self._open |= set(poll.appeared)
                self._open -= over(poll)
                if self._source.bounded and not self._open:
                    break
                if not busy:
                    self._source.wait(0.25)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that takes
            self._put(error)
        self._put(None)

    def _until_wanted(self) -> None:
        """Who is not behind reads when the kernel is free: one poll has all that came meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._stop, PATIENCE_SECONDS)

    def _put_poll(self, poll: Poll, at: float) -> None:
        self._put((poll, [self._pool.submit(self._decode, c) for c in poll.chunks], at))

    def _put(self, item: tuple[Poll, list[Future[Decoded]], float] | BaseException | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._ready) < AHEAD or self._stop)
            self._ready.append(item)
            self._changed.notify_all()

    def _decode(self, chunk: Chunk) -> Decoded:
        decoder = getattr(self._local, "decoder", None)
        if decoder is None:
            decoder = self._local.decoder = self._make_decoder()
        started = time.perf_counter()
        decoded = encoded(decoder.decode(chunk.records, chunk.slice.fields), self._texts)
        self._times.decode += time.perf_counter() - started
        return decoded
