"""Signals that ask a verb to stop: collected, so that the verb can end where it is safe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM, getsignal, signal
from types import FrameType


@contextmanager
def collected_signals() -> Iterator[list[int]]:
    """Collect the first SIGINT or SIGTERM in the list; a second one acts as it did before."""
    signals: list[int] = []
    before = {number: getsignal(number) for number in (SIGINT, SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal(number, handler)

    def note(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        restore()

    for number in before:
        signal(number, note)
    try:
        yield signals
    finally:
        restore()
