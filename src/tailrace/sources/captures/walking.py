"""The places of a pcap file's packets, many at a time.

Where a packet begins is known from the one before it alone, so a walk over a file goes step by
step; a step of Python is most of what reading a small packet costs. So many walkers go side by
side: each begins where a packet seems to begin, and a step of all of them is a few array
operations. Nothing depends on the guesses being right. The first walker begins at a packet; what
another found counts only if those before it came to exactly the place where it began. Where they
did not, what it found is dropped and the gap is walked step by step.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.packets.record import MOST_CAPTURED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

PACKET_BYTES = 16
LEAST_BYTES = 1 << 18
"""Less isn't worth several walkers; it has room for many."""
WALKERS = 1024
APART = 4096
"""Bytes that a walker has for itself, at least."""
WINDOW = 512
"""So many bytes are searched for a begin: the packets that matter here are small."""
DAY_SECONDS = 86_400


def packets_in(data: bytes, begin: int, order: str, parts: int) -> tuple[Places, int]:
    """Where packets begin from ``begin`` on, ascending, and where the last of them ends.

    Not all: whoever needs the rest, or why there is none, goes on from there. ``order`` of bytes
    and ``parts`` of a microsecond are the file's.
    """
    size = len(data) - begin
    if size < LEAST_BYTES:
        return np.empty(0, np.int64), begin
    walkers = _Walkers(data, order)
    starts = walkers.guess(begin, min(WALKERS, size // APART), parts)
    found, lanes, ends = walkers.walk(starts)
    taken = np.zeros(len(starts), np.bool_)
    lengths = struct.Struct(f"{order}I").unpack_from
    gaps: list[int] = []
    lane, at = 0, begin
    while lane < len(starts):
        if starts[lane] == at:
            taken[lane] = True
            at = int(ends[lane])
            lane += 1
        elif starts[lane] < at:
            lane += 1  # it began within a packet
        else:
            if at + PACKET_BYTES > len(data):
                break
            captured = lengths(data, at + 8)[0]
            if captured > MOST_CAPTURED or at + PACKET_BYTES + captured > len(data):
                break
            gaps.append(at)
            at += PACKET_BYTES + captured
    places = found[taken[lanes]]
    return np.sort(np.concatenate([places, np.array(gaps, np.int64)])), at


class _Walkers:
    """Some data, read at many places at once."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data, self._size = data, len(data)
        self._order = order
        # The last word begins four bytes before the end.
        self._words = np.ndarray(len(data) - 3, f"{order}u4", data, strides=(1,))

    def guess(self, begin: int, number: int, parts: int) -> Places:
        """``begin``, and the first place of each of ``number`` windows that looks like a packet's.

        There is none where nothing looks so: ascending, fewer than windows.
        """
        apart = (self._size - begin) // number

        def words(offset: int) -> NDArray[np.int64]:
            shape = (number - 1, min(WINDOW, apart - PACKET_BYTES))
            kind, place = f"{self._order}u4", begin + apart + offset
            seen = np.ndarray(shape, kind, self._data, place, (apart, 1))
            return seen.astype(np.int64)

        captured, wire = words(8), words(12)
        like = np.abs(words(0) - int(self._words[begin])) < DAY_SECONDS
        like &= (words(4) < 1_000_000 * parts) & (captured <= MOST_CAPTURED) & (captured <= wire)
        there = like.any(axis=1)
        firsts = like.argmax(axis=1) + begin + apart * np.arange(1, number)
        return np.concatenate([[begin], firsts[there]])

    def walk(self, starts: Places) -> tuple[Places, NDArray[np.int64], Places]:
        """Walk from each start to the next one, or as far as packets are whole.

        Returns the places passed, the walker of each, and where each walker stood at its end.
        """
        until = np.append(starts[1:], self._size)
        ends = starts.copy()
        going = np.arange(len(starts))
        at = starts
        passed: list[Places] = []
        by: list[NDArray[np.int64]] = []
        while len(going):
            inside = at + PACKET_BYTES <= self._size
            captured = self._words[np.where(inside, at + 8, 0)].astype(np.int64)
            after = at + PACKET_BYTES + captured
            whole = inside & (captured <= MOST_CAPTURED) & (after <= self._size)
            going, at, after = going[whole], at[whole], after[whole]
            passed.append(at)
            by.append(going)
            ends[going] = after
            more = after < until[going]
            going, at = going[more], after[more]
        return np.concatenate(passed), np.concatenate(by), ends
