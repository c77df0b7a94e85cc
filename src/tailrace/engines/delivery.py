"""From the outbox to the outputs.

In order, again until confirmed, nobody waiting for a sink that is down.

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
    rows: int = 0
    body: Mapping[str, object] = field(default_factory=dict)
    confirmed: int = -1
    reported: int = -1
    retry_at: float = 0.0
    backoff: float = FIRST_RETRY_SECONDS
    error: str | None = None


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
            if name in states:
                lane.confirmed, lane.rows, lane.body = states[name]
                lane.reported = lane.confirmed
                lane.output.open(dict(lane.body))
            else:
                lane.body = lane.output.open(None)
                lane.reported = lane.confirmed - 1
        for seq, name, rows in waiting:
            self.add(seq, name, rows)

    def add(self, seq: int, name: str, rows: pa.Table) -> None:
        """Take a committed batch."""
        lane = self._lanes.get(name)
        if lane is not None:
            lane.waiting.append(OutboxBatch(seq, rows))

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
        return sum(batch.rows.nbytes for lane in self._lanes.values() for batch in lane.waiting)

    def errors(self) -> dict[str, str]:
        """The outputs that can't be delivered to now, and why."""
        return {name: lane.error for name, lane in self._lanes.items() if lane.error is not None}

    def depths(self) -> dict[str, tuple[int, int]]:
        """For each output the rows delivered in all and the rows that wait."""
        return {
            name: (lane.rows, sum(batch.rows.num_rows for batch in lane.waiting))
            for name, lane in self._lanes.items()
        }

    def close(self) -> None:
        """Close every output."""
        for lane in self._lanes.values():
            lane.output.close()
