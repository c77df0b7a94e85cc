"""One line on a terminal that says how far something long has come, and is gone afterwards."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from tailrace.cli.columns import moment, number

if TYPE_CHECKING:
    from tailrace.backtest.progress import Progress

PATIENCE_SECONDS = 1.0
"""What is done sooner needs no line."""
PAUSE_SECONDS = 0.25


class Ticker:
    """Shows progress on a terminal; on anything else, nothing."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._begun = clock()
        self._due = self._begun + PATIENCE_SECONDS
        self._shown = False

    def tell(self, progress: Progress) -> None:
        """Show how things stand, if it is time to."""
        now = self._clock()
        if now < self._due or not self._stream.isatty():
            return
        self._due = now + PAUSE_SECONDS
        self._shown = True
        rate = progress.records / max(now - self._begun, 1e-9)
        parts = [f"{number(progress.records)} records, {number(round(rate))}/s"]
        if progress.share is not None:
            parts.insert(0, f"{progress.share:4.0%}")
        if progress.reached is not None:
            parts.append(f"at {moment(progress.reached)}")
        self._write("  ".join(parts))

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("")
            self._shown = False

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()


@contextmanager
def ticking() -> Iterator[Ticker]:
    """A ticker whose line goes, whatever happens."""
    ticker = Ticker()
    try:
        yield ticker
    finally:
        ticker.clear()
