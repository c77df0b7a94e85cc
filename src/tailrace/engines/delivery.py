"""From the outbox to the outputs: in order, again until confirmed, none waiting for another.

What was confirmed is told to the store with the next commit; until then a crash makes the same
batches come again, which outputs take as if they had not (SEMANTICS 24). Files and terminals are
delivered to by the engine's thread, servers by a thread each (``lanes``).

Files that can be cut back need no outbox while they take what comes: rows are written and synced
before the epoch's transaction, which says how far they reach. Through the outbox each row would be
written three times: into the store's log, the store and the file.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from tailrace.engines.lanes import CLOSE_SECONDS, Lane, Standing
from tailrace.errors import OutputError
from tailrace.outputs.batches import made
from tailrace.store.outbox import Backlog

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    import pyarrow as pa

    from tailrace.outputs import Output
    from tailrace.outputs.batches import Rows
    from tailrace.store.commit import Delivered
    from tailrace.store.outbox import OutboxReader

    States = Mapping[str, tuple[int, int, dict[str, object]]]
    Batch = tuple[int, str, Rows]
    """Number, output and rows."""
    Ahead = tuple[tuple[Delivered, ...], tuple[tuple[int, str, pa.Table], ...]]
    """What the transaction must say of files, and the batches for the outbox."""

__all__ = ["Delivery", "Standing"]

ENDED_PATIENCE_SECONDS = 60.0
"""How long a server may take nothing at the end of the input before it is left for another run."""

STOPPED_PATIENCE_SECONDS = 3.0
"""How long at a stop that somebody asked for."""

STOPPED_MOST_SECONDS = 4.0
"""How long then in all, however well it goes."""

_LOOK_SECONDS = 0.02


class Delivery:
    """Delivers batches to outputs, each output on its own."""

    def __init__(
        self,
        outputs: Mapping[str, Output],
        *,
        most_bytes: int = 1 << 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet. More than ``most_bytes`` waiting for one output is too much."""
        self._outputs = outputs
        self._lanes: dict[str, Lane] = {}
        self._most_bytes = most_bytes
        self._clock = clock
        self._writer: ThreadPoolExecutor | None = None
        self.seconds_ahead = 0.0
        """How long rows have been made and written before their transactions ended."""

    def open(
        self, states: States, waiting: Mapping[str, Backlog], outbox: Callable[[], OutboxReader]
    ) -> None:
        """Open every output at its last confirmed state; what waits is read by ``outbox``.

        An output that the store doesn't know yet has something to report afterwards: the state from
        which a crash during its first delivery is undone. The store must know it before anything is
        delivered, that is before ``start``.
        """
        self._outbox = outbox
        self._open(self._outputs, states, waiting)

    def take_up(
        self, outputs: Mapping[str, Output], states: States, waiting: Mapping[str, Backlog]
    ) -> None:
        """Open more outputs, as ``open`` does; OutputError, and none more, if one can't be."""
        self._open(outputs, states, waiting)

    def _open(
        self, outputs: Mapping[str, Output], states: States, waiting: Mapping[str, Backlog]
    ) -> None:
        fresh = {n: Lane(n, output, self._outbox, self._clock) for n, output in outputs.items()}
        try:
            for name, lane in fresh.items():
                lane.open(states.get(name), waiting.get(name, Backlog()))
        except OutputError:
            _close(fresh.values())
            raise
        self._lanes |= fresh

    def start(self) -> None:
        """Begin with the delivery to servers."""
        for lane in self._lanes.values():
            lane.start()

    def drop(self, names: Iterable[str]) -> tuple[Delivered, ...]:
        """Close some outputs; what files hold back is written, what else waits stays in the store.

        Returns what they have confirmed since ``confirmed`` was last called.
        """
        lanes = [self._lanes.pop(name) for name in names]
        for lane in lanes:
            lane.run(now=True)
        _close(lanes)
        return _confirmed(lanes)

    @property
    def names(self) -> set[str]:
        """The outputs that are delivered to."""
        return set(self._lanes)

    def add(self, seq: int, name: str, rows: pa.Table, size: int) -> None:
        """Take a committed batch, of ``size`` bytes in the store."""
        lane = self._lanes.get(name)
        if lane is not None:
            lane.add(seq, rows, size)

    def ahead(self, batches: Collection[Batch], *, beside: bool) -> Future[Ahead]:
        """Write the batches of an epoch that need no outbox, before its transaction ends.

        ``beside``: a thread does so, while the caller has something else to do. What it says must
        be waited for; then ``committed`` must follow, or the end of the run.
        """
        if beside and batches:
            if self._writer is None:
                self._writer = ThreadPoolExecutor(1, "tailrace-write")
            return self._writer.submit(self._ahead, batches)
        done: Future[Ahead] = Future()
        done.set_result(self._ahead(batches))
        return done

    def _ahead(self, batches: Iterable[Batch]) -> Ahead:
        started = time.perf_counter()
        done: dict[str, Delivered] = {}
        left: list[tuple[int, str, pa.Table]] = []
        behind: set[str] = set()
        for seq, name, rows in batches:
            lane = self._lanes.get(name) if name not in behind else None
            written = lane.ahead(seq, rows) if lane is not None else None
            if written is None:
                left.append((seq, name, made(rows)))
                behind.add(name)
            else:
                done[name] = written
        self.seconds_ahead += time.perf_counter() - started
        return tuple(done.values()), tuple(left)

    def committed(self) -> None:
        """The transaction has stored what ``ahead`` told it."""
        for lane in self._lanes.values():
            lane.committed()

    def run(self, *, now: bool = False) -> None:
        """Deliver what waits, as far as outputs take it now; ``now``: holding nothing back.

        Raises what went wrong for good in a thread: HaltedError, or a defect.
        """
        for lane in self._lanes.values():
            lane.run(now=now)
            if lane.failure is not None:
                raise lane.failure

    def drain(
        self,
        patience: float,
        give_up: Callable[[], bool] = lambda: False,
        *,
        most: float = math.inf,
    ) -> None:
        """Wait until servers have taken what waits, as long as there is progress.

        Not longer than ``patience`` seconds without any, nor ``most`` in all, nor when ``give_up``
        says so. A file that can't be written now won't be in a minute.
        """
        self.run(now=True)
        before = -1
        last = self._clock() + most
        until = min(last, self._clock() + patience)
        servers = [lane for lane in self._lanes.values() if lane.output.remote]
        while any(lane.waits for lane in servers) and not give_up():
            self.run(now=True)
            progress = sum(lane.progress for lane in self._lanes.values())
            if progress != before:
                before, until = progress, min(last, self._clock() + patience)
            if self._clock() >= until:
                return
            time.sleep(_LOOK_SECONDS)

    def confirmed(self) -> tuple[Delivered, ...]:
        """What was confirmed since the last call, for the next commit."""
        return _confirmed(self._lanes.values())

    @property
    def unreported(self) -> bool:
        """Whether there are confirmations that the store doesn't know."""
        return any(lane.unreported for lane in self._lanes.values())

    @property
    def waits(self) -> bool:
        """Whether something waits for delivery."""
        return any(lane.waits for lane in self._lanes.values())

    @property
    def full(self) -> bool:
        """Whether so much waits for an output that nothing more may be added."""
        return any(s.waiting_bytes > self._most_bytes for s in self.standings().values())

    def standings(self) -> dict[str, Standing]:
        """How each output stands."""
        return {name: lane.standing() for name, lane in self._lanes.items()}

    def close(self) -> None:
        """Close every output; ``confirmed`` still tells what they took at the last."""
        if self._writer is not None:
            self._writer.shutdown()
        _close(self._lanes.values())
        if not self._lanes:
            for output in self._outputs.values():
                output.close()


def _close(lanes: Collection[Lane]) -> None:
    """Close lanes; those whose servers don't answer are waited for together."""
    for lane in lanes:
        lane.stop()
    until = time.monotonic() + CLOSE_SECONDS
    for lane in lanes:
        lane.close(max(0.0, until - time.monotonic()))


def _confirmed(lanes: Iterable[Lane]) -> tuple[Delivered, ...]:
    found = [lane.confirmed() for lane in lanes]
    return tuple(done for done in found if done is not None)
