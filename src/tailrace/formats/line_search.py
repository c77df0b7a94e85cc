"""Bytes found in many records at once, each from the record's own cursor onwards.

Eight bytes are looked at in one 64-bit operation; for bytes that are rare in lines, the places of
all of them are listed first. Arrays of cursors and places are int64, absolute in the buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Words = NDArray[np.uint64]

WORD = 8
ONES = np.uint64(0x0101010101010101)
HIGHS = np.uint64(0x8080808080808080)
MOST_WORDS = 8
"""How far a search goes word by word: names and numbers are shorter than 64 bytes."""


class Text:
    """A buffer to be searched; zeros seem to follow its end."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        """Take a view."""
        if len(data) < WORD:
            data = np.append(data, np.zeros(WORD, np.uint8))
        self.data = data
        self._reach = len(data) - WORD
        self._words: Words = np.lib.stride_tricks.as_strided(
            np.ndarray(1, "<u8", data.data), (self._reach + 1,), (1,), writeable=False
        )

    def words(self, places: Places) -> Words:
        """The eight bytes from each place on, the first one lowest; nonsense below place 0."""
        if not len(places) or places.max() <= self._reach:
            found: Words = self._words[places]
            return found
        beyond = np.maximum(places - self._reach, 0)
        shift = np.minimum(beyond, WORD - 1).astype(np.uint64) * np.uint64(8)
        found = self._words[np.minimum(places, self._reach)] >> shift
        found[beyond >= WORD] = 0
        return found

    def after_literal(self, cursors: Places, literal: bytes) -> tuple[Places, NDArray[np.bool_]]:
        """Cursors behind ``literal``, and which records have it at their cursor."""
        right = np.ones(len(cursors), np.bool_)
        for start in range(0, len(literal), WORD):
            part = literal[start : start + WORD]
            mask = np.uint64(2 ** (8 * len(part)) - 1)
            right &= self.words(cursors + start) & mask == int.from_bytes(part, "little")
        return cursors + len(literal), right

    def ascii_only(self, places: Places, size: int) -> NDArray[np.bool_]:
        """Which records have ``size`` bytes (8 or more) below 128 from their place on."""
        steps = [*range(0, size - WORD, WORD), size - WORD]
        highs = [self.words(places + step) & HIGHS == 0 for step in steps]
        found: NDArray[np.bool_] = np.logical_and.reduce(highs)
        return found

    def next_near(self, cursors: Places, byte: int) -> Places:
        """The first place of ``byte`` from each cursor on; the cursor - 1 if none is near."""
        pattern = ONES * np.uint64(byte)
        skipped = _first_zero_byte(self.words(cursors) ^ pattern)
        found = cursors + skipped
        left = np.flatnonzero(skipped == WORD)
        for _ in range(MOST_WORDS - 1):
            if not len(left):
                return found
            skipped = _first_zero_byte(self.words(found[left]) ^ pattern)
            found[left] += skipped
            left = left[skipped == WORD]
        found[left] = cursors[left] - 1
        return found


class Occurrences:
    """All places of one byte between the first record's start and the last one's end.

    It is asked for the next one in every record at once, again and again; what was skipped on
    purpose must be said, so that no search is needed.
    """

    def __init__(self, text: Text, byte: int, starts: Places, end: int) -> None:
        """List the places; each record begins before its first one."""
        first = int(starts[0])
        places = np.flatnonzero(text.data[first:end] == byte) + first
        self._next = np.searchsorted(places, starts)
        self._places = np.append(places, end)

    def skip(self, number: int) -> None:
        """Pass over so many occurrences in every record."""
        self._next += number

    def next(self, cursors: Places) -> Places:
        """The place of the next occurrence, which isn't passed over.

        The cursor - 1 where that lies before the cursor: more occurrences came than were skipped.
        """
        found = self._places[np.minimum(self._next, len(self._places) - 1)]
        return np.where(found < cursors, cursors - 1, found)


def _first_zero_byte(words: Words) -> Places:
    """Which byte of each word, from the lowest, is the first that is 0; 8 if none is."""
    zeros = (words - ONES) & ~words & HIGHS
    below = (zeros & (~zeros + np.uint64(1))) - np.uint64(1)
    found: Places = (np.bitwise_count(below) >> 3).astype(np.int64)
    return found
