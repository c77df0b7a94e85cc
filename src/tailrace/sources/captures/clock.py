"""Times of pcapng interfaces: ticks of any length since an epoch that may be moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.packets.record import NO_TIME
from tailrace.formats.times import LATEST, SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINARY = 0x80
_MOST_SECONDS = LATEST // SECOND + 1
_EXACT_BITS = 44
"""With so many bits of a fraction, a million times it fits into 64 bits."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How an interface counts time.

    ``code`` is its `if_tsresol`: ticks are 10 to the power of minus that, or with the highest bit
    set 2 to the power of minus the rest. ``offset``: seconds to be added.
    """

    code: int = 6
    offset: int = 0

    def micros(self, ticks: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Microseconds since 1970, finer parts cut; NO_TIME beyond the year 9999."""
        power = self.code & ~_BINARY
        whole, micros = _binary(ticks, power) if self.code & _BINARY else _decimal(ticks, power)
        if abs(self.offset) > 2 * _MOST_SECONDS:
            return np.full(len(ticks), NO_TIME)
        fits = whole <= _MOST_SECONDS
        seconds = np.where(fits, whole, 0).astype(np.int64) + self.offset
        return np.where(fits, seconds * SECOND + micros.astype(np.int64), NO_TIME)


def _decimal(
    ticks: NDArray[np.uint64], power: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    if power > 19:  # less than ten seconds in all, of which 64 bits hold no more
        exact = [int(tick) * SECOND // 10**power for tick in ticks.tolist()]
        return _parts(exact)
    seconds, rest = np.divmod(ticks, np.uint64(10**power))
    if power <= 6:
        return seconds, rest * np.uint64(10 ** (6 - power))
    return seconds, rest // np.uint64(10 ** (power - 6))


def _binary(ticks: NDArray[np.uint64], power: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    if power > _EXACT_BITS:
        return _parts([int(tick) * SECOND >> power for tick in ticks.tolist()])
    rest = ticks & np.uint64((1 << power) - 1)
    return ticks >> np.uint64(power), rest * np.uint64(SECOND) >> np.uint64(power)


def _parts(micros: list[int]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    seconds, rest = np.divmod(np.array(micros, np.uint64), np.uint64(SECOND))
    return seconds, rest
