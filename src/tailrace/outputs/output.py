"""What every output offers to the one who delivers the outbox."""

from __future__ import annotations

import time
from typing import Protocol

from tailrace.outputs.batches import OutboxBatch

State = dict[str, object]
"""What an output wants stored at a confirmed delivery, as JSON; opaque to everybody else."""


class Output(Protocol):
    """A place where rows go. One thread at a time calls it.

    Batches come in the order of their ``seq``. After a crash the output is opened with the state of
    its last confirmed delivery and gets everything after that again; in the end each row is there
    once (SEMANTICS 24).
    """

    def open(self, saved: State | None) -> State:
        """Go back to the state of the last confirmed delivery, undoing what came after it.

        ``saved`` is None if the store has none yet: nothing that exists is then touched. Returns
        the state to store before the first delivery. OutputError if what is there doesn't fit.
        """
        ...

    def deliver(self, batch: OutboxBatch) -> State:
        """Write the rows for good; returns the state to store, which confirms them.

        A batch that was written already is not written again. OutputError if the output can't take
        it now; then nothing of it is there, and the caller comes again later.
        """
        ...

    def close(self) -> None:
        """Give back files. Safe to call twice, and before ``open``."""
        ...


def wall_clock() -> int:
    """Microseconds since the epoch, for the time at which something was sent."""
    return time.time_ns() // 1000
