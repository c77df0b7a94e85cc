"""How far a run over history has come, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """``records`` read so far; ``reached``: the watermark in microseconds, None at first.

    ``share`` of the input's bytes that were read, 0 to 1; None where the source doesn't know.
    """

    records: int
    reached: int | None
    share: float | None


Told = Callable[[Progress], None]
"""Hears of it after each step, many times a second."""
