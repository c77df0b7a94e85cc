"""How much traffic each window is to have: most as it comes, some above a limit, some below one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.options import SECOND_US, OptionError, iso_utc

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

LARGE = (60_000, 65_535)
"""Sizes of packets where the volume is to be above the limit, as cards that join packets show."""
SMALL = (40, 100)
FEW = 8
"""So many packets at most are in a window that is to be below."""
ORDINARY_SIZES = ((40, 100, 0.4), (500, 640, 0.15), (1400, 1500, 0.45))
"""Sizes from and to, and how likely."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes that a window may have, and how long windows are."""

    minimum: int
    maximum: int
    window_us: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """One window, or the part of it that the run covers: ``kind`` is within, over or below."""

    start_us: int
    end_us: int
    packets: int
    kind: str


def plan(
    start_us: int, end_us: int, rate: float, limits: Limits, over: int, below: int, rng: Generator
) -> list[Wanted]:
    """Settle the run's windows. Raises OptionError if it has too few for those wished."""
    size = limits.window_us
    first, last = start_us // size, -(-end_us // size)
    whole = range(-(-start_us // size), end_us // size)
    if over + below > len(whole):
        raise OptionError(
            "over", f"{over} + {below} windows wished, but only {len(whole)} lie within the run"
        )
    if below and limits.minimum <= FEW * SMALL[1] // 4:
        raise OptionError("min", f"nothing that shows is below {limits.minimum} bytes")
    chosen = [whole[place] for place in rng.permutation(len(whole))[: over + below].tolist()]
    kinds = dict.fromkeys(chosen[:over], "over") | dict.fromkeys(chosen[over:], "below")
    return [
        _window(
            index, max(start_us, index * size), min(end_us, (index + 1) * size), kinds, rate, limits
        )
        for index in range(first, last)
    ]


def _window(
    index: int, start_us: int, end_us: int, kinds: dict[int, str], rate: float, limits: Limits
) -> Wanted:
    kind = kinds.get(index, "within")
    packets = round(rate * (end_us - start_us) / SECOND_US)
    if kind == "over":
        # One fourth more than needed.
        packets = max(packets, -(-limits.maximum * 5 // (4 * LARGE[0])))
    elif kind == "below":
        most = min(FEW, packets, (limits.minimum - 1) // SMALL[1])
        packets = most if index % 2 else 0
    return Wanted(start_us, end_us, packets, kind)


def sizes(kind: str, packets: int, rng: Generator) -> NDArray[np.int64]:
    """Total lengths of so many IP packets of a window."""
    if kind == "over":
        return rng.integers(LARGE[0], LARGE[1] + 1, packets)
    if kind == "below":
        return rng.integers(SMALL[0], SMALL[1] + 1, packets)
    low, high, share = (np.array(column) for column in zip(*ORDINARY_SIZES, strict=True))
    which = np.searchsorted(np.cumsum(share), rng.random(packets)).clip(max=len(share) - 1)
    drawn: NDArray[np.int64] = rng.integers(low[which], high[which] + 1)
    return drawn


class Volumes:
    """Counts what was made, by window: the truth about the limits."""

    def __init__(self, limits: Limits, start_us: int, end_us: int) -> None:
        size = limits.window_us
        self._limits = limits
        self._span = (start_us, end_us)
        self._first = start_us // size
        length = -(-end_us // size) - self._first
        self._packets = np.zeros(length, np.int64)
        self._bytes = np.zeros(length, np.int64)

    def add(self, times_us: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        """Count packets."""
        index = times_us // self._limits.window_us - self._first
        np.add.at(self._packets, index, 1)
        np.add.at(self._bytes, index, lengths)

    def windows(self) -> Iterator[dict[str, str | int | bool]]:
        """Each window's packets, bytes and state."""
        limits = self._limits
        pairs = zip(self._packets.tolist(), self._bytes.tolist(), strict=True)
        for index, (packets, volume) in enumerate(pairs, start=self._first):
            start_us, end_us = index * limits.window_us, (index + 1) * limits.window_us
            state = "within"
            if volume > limits.maximum:
                state = "over"
            elif volume < limits.minimum:
                state = "below"
            yield {
                "start": iso_utc(start_us),
                "end": iso_utc(end_us),
                "packets": packets,
                "bytes": volume,
                "state": state,
                "whole": self._span[0] <= start_us and end_us <= self._span[1],
            }
