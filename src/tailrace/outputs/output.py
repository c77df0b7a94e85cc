"""What every output offers to the one who delivers the outbox."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tailrace.outputs.batches import OutboxBatch

State = dict[str, object]
"""What an output wants stored at a confirmed delivery, as JSON; opaque to everybody else."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that the output will never take: its number within the batch, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A batch was delivered for good, but for rows that were refused.

    ``state`` is what to store with the confirmation. ``held``: the batch is not delivered yet but
    waits in the output's memory for more; it stays in the outbox until ``Holder.flush``.
    """

    state: State
    refused: tuple[Refused, ...] = ()
    held: bool = False


class Output(Protocol):
    """A place where rows go. One thread at a time calls it.

    Batches come in the order of their ``seq``. After a crash the output is opened with the state of
    its last confirmed delivery and gets everything after that again; in the end each row is there
    once (SEMANTICS 24).
    """

    @property
    def remote(self) -> bool:
        """Whether calls may wait for a server; they are then made by a thread of their own."""
        ...

    def open(self, saved: State | None) -> State:
        """Go back to the state of the last confirmed delivery, undoing what came after it.

        ``saved`` is None if the store has none yet: nothing that exists is then touched. Returns
        the state to store before the first delivery. OutputError if what is there doesn't fit;
        UnreachableError if it can't be asked now.
        """
        ...

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """Write the rows for good; returns the receipt, which confirms them.

        A batch that was written already is not written again. OutputError if the output can't take
        it now: the caller comes again later with the same batch. HaltedError if it never will
        unless a person decides something.
        """
        ...

    def close(self) -> None:
        """Give back files. Safe to call twice, and before ``open``."""
        ...


@runtime_checkable
class Holder(Output, Protocol):
    """An output that holds batches back to write several at once."""

    def flush(self, *, now: bool) -> Receipt | None:
        """Write what is held for good if it is time to, or ``now``; None if nothing was written.

        The receipt confirms all batches that were held. OutputError as for ``deliver``.
        """
        ...


@runtime_checkable
class Revocable(Output, Protocol):
    """An output of this machine that undoes, when it is opened, whatever its state doesn't know.

    So rows may be written before the transaction that makes them (SEMANTICS 24).
    """

    def at_once(self, batch: OutboxBatch) -> bool:
        """Whether ``deliver`` takes the batch whole or raises: no row is refused, nothing held."""
        ...


@runtime_checkable
class Renewing(Protocol):
    """An output that has to say some things again and again, news or not."""

    def renew(self) -> float | None:
        """Say again what is due; seconds until the next time, None if there is nothing to repeat.

        Called when it is open, between deliveries and after the time that it gave. OutputError as
        for ``deliver``.
        """
        ...


@runtime_checkable
class Expecting(Protocol):
    """An output that finds at its server how far it was delivered, and checks that it fits."""

    def expect(self, newest: int) -> None:
        """Hear, before each first ``open``, the number of the newest batch made for it; or -1."""
        ...


def wall_clock() -> int:
    """Microseconds since the epoch, for the time at which something was sent."""
    return time.time_ns() // 1000
