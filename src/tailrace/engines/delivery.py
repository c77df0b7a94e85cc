"""From the outbox to the outputs: in order, again until confirmed, none waiting for another.

What was confirmed is told to the store with the next commit; until then a crash makes the same
batches come again, which outputs take as if they had not (SEMANTICS 24).
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailrace.errors import OutputError
from tailrace.outputs import OutboxBatch
from tailrace.store.commit import Delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

    from tailrace.outputs import Output

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 30.0

OUTBOX_BYTES = 1 << 30
"""When more than this waits, reading stops until outputs have caught up."""


@dataclass(slots=True)
class _Lane:
    """One output: what waits for it, what it confirmed, when it is tried again."""

    output: Output
    waiting: deque[OutboxBatch] = field(default_factory=deque)
    waiting_bytes: int = 0
    rows: int = 0
    body: Mapping[str, object] = field(default_factory=dict)
    confirmed: int = -1
    reported: int = -1
    retry_at: float = 0.0
    backoff: float = FIRST_RETRY_SECONDS
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an output has confirmed in all, what waits for it, and why if it can't take more now."""

    delivered_rows: int
    waiting_rows: int
    waiting_bytes: int
    error: str | None


class Delivery:
    """Delivers batches to outputs, each output on its own."""

    def __init__(
        self, outputs: Mapping[str, Output], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open nothing yet."""
        self._lanes = {name: _Lane(output) for name, output in outputs.items()}
        self._clock = clock

    def open(
        self,
        states: Mapping[str, tuple[int, int, dict[str, object]]],
        waiting: Iterable[tuple[int, str, pa.Table]],
    ) -> None:
        """Open every output at its last confirmed state; take what waits for confirmation.

        An output that the store doesn't know yet has something to report afterwards: the state from
        which a crash during its first delivery is undone. The store must know it before anything is
        delivered.
        """
        for name, lane in self._lanes.items():
            _open(lane, states.get(name))
        for seq, name, rows in waiting:
            self.add(seq, name, rows)

    def take_up(
        self,
        outputs: Mapping[str, Output],
        states: Mapping[str, tuple[int, int, dict[str, object]]],
        waiting: Iterable[tuple[int, str, pa.Table]],
    ) -> None:
        """Open more outputs, as ``open`` does; OutputError, and none more, if one can't be."""
        fresh = {name: _Lane(output) for name, output in outputs.items()}
        try:
            for name, lane in fresh.items():
                _open(lane, states.get(name))
        except OutputError:
            for lane in fresh.values():
                lane.output.close()
            raise
        self._lanes |= fresh
        for seq, name, rows in waiting:
            if name in fresh:
                self.add(seq, name, rows)

    def drop(self, names: Iterable[str]) -> None:
        """Close some outputs; what waits for them stays in the store."""
        for name in names:
            self._lanes.pop(name).output.close()

    @property
    def names(self) -> set[str]:
        """The outputs that are delivered to."""
        return set(self._lanes)

    def add(self, seq: int, name: str, rows: pa.Table) -> None:
        """Take a committed batch."""
        lane = self._lanes.get(name)
        if lane is not None:
            lane.waiting.append(OutboxBatch(seq, rows))
            lane.waiting_bytes += rows.nbytes

    def run(self) -> None:
        """Deliver what waits, as far as outputs take it now."""
        for lane in self._lanes.values():
            if lane.waiting and self._clock() >= lane.retry_at:
                self._drain(lane)

    def _drain(self, lane: _Lane) -> None:
        while lane.waiting:
            batch = lane.waiting[0]
            try:
                body = lane.output.deliver(batch)
            except OutputError as error:
                lane.error = error.render()
                lane.retry_at = self._clock() + lane.backoff
                lane.backoff = min(2 * lane.backoff, LONGEST_RETRY_SECONDS)
                return
            lane.waiting.popleft()
            lane.waiting_bytes -= batch.rows.nbytes
            lane.confirmed = batch.seq
            lane.rows += batch.rows.num_rows
            lane.body = body or {}
            lane.error, lane.backoff = None, FIRST_RETRY_SECONDS

    def confirmed(self) -> tuple[Delivered, ...]:
        """What was confirmed since the last call, for the next commit."""
        done = []
        for name, lane in self._lanes.items():
            if lane.confirmed > lane.reported:
                done.append(Delivered(name, lane.confirmed, lane.rows, lane.body))
                lane.reported = lane.confirmed
        return tuple(done)

    @property
    def unreported(self) -> bool:
        """Whether there are confirmations that the store doesn't know."""
        return any(lane.confirmed > lane.reported for lane in self._lanes.values())

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for delivery."""
        return sum(lane.waiting_bytes for lane in self._lanes.values())

    def standings(self) -> dict[str, Standing]:
        """How each output stands."""
        return {
            name: Standing(
                lane.rows,
                sum(batch.rows.num_rows for batch in lane.waiting),
                lane.waiting_bytes,
                lane.error,
            )
            for name, lane in self._lanes.items()
        }

    def close(self) -> None:
        """Close every output."""
        for lane in self._lanes.values():
            lane.output.close()


def _open(lane: _Lane, stored: tuple[int, int, dict[str, object]] | None) -> None:
    if stored is None:
        lane.body = lane.output.open(None)
        lane.reported = lane.confirmed - 1
    else:
        lane.confirmed, lane.rows, before = stored
        lane.body = lane.output.open(dict(before))
        # An output that leads elsewhere now begins there with a state of its own.
        lane.reported = lane.confirmed if lane.body == before else lane.confirmed - 1
