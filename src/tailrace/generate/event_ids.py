"""Identifiers of events: UUIDs of version 1 as 32 hex digits, without a call for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.rows import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREGORIAN = 0x01B21DD213814000
"""Ticks of 100 ns from 1582-10-15, where UUIDs count from, to 1970."""

_HEX = np.array([f"{number:02x}".encode() for number in range(256)])


def event_ids(times_us: NDArray[np.int64], numbers: NDArray[np.int64], node: int) -> Texts:
    """A quoted identifier for each time; `numbers` keep those of one time apart."""
    ticks = (times_us * 10 + GREGORIAN).astype(np.uint64)
    low, middle, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
    first = (low << 32) | (middle << 16) | high | 0x1000
    sequence = (numbers & 0x3FFF).astype(np.uint64) | 0x8000
    second = (sequence << 48) | np.uint64(node)
    octets = np.stack([first, second], axis=1).astype(">u8").view(np.uint8)
    quoted = np.empty((len(ticks), 34), np.uint8)
    quoted[:, 0] = quoted[:, 33] = ord('"')
    quoted[:, 1:33] = _HEX[octets].view(np.uint8).reshape(len(ticks), 32)
    return quoted.view("S34").ravel()
