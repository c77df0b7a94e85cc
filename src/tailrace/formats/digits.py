"""Many short numbers out of texts at once: eight bytes of each in one 64-bit word.

In a word the last byte of a text is the highest, and zeros stand before its first. Taking the digit
0 from each byte, and summing neighbours three times (one to two digits, two to four, four to
eight), reads a number in a dozen operations whatever its length: the way that Daniel Lemire
describes for eight digits, https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tailrace.formats.segments import Cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    T = TypeVar("T", np.int64, np.float64)
    Words = NDArray[np.uint64]
    Sizes = NDArray[np.int32]
    Bytes = NDArray[np.uint8]
    Doubles = NDArray[np.float64]
    Flags = NDArray[np.bool_]

BYTES = 8
"""Bytes of a word."""

_ALL = 2**64 - 1
_ZEROS = np.uint64(0x3030303030303030)
_POINTS = np.uint64(0x2E2E2E2E2E2E2E2E)
_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_ABOVE_NINE = np.uint64(0x7676767676767676)
_PAIRS = np.uint64(0x000000FF000000FF)
_FIRST = np.uint64(100 + (1_000_000 << 32))
_SECOND = np.uint64(1 + (10_000 << 32))


def integers(texts: Cut) -> tuple[NDArray[np.int64], Flags]:
    """The integers that texts spell in at most 16 digits, and which of them do."""
    if texts.words is None:
        return _nothing(texts, np.int64)
    sizes = texts.sizes
    numbers, good = whole_numbers(_last(texts.words[0], sizes), np.minimum(sizes, BYTES))
    good &= (sizes > 0) & (sizes <= BYTES)
    if len(texts.words) > 1:
        rows = np.flatnonzero((sizes > BYTES) & (sizes <= 2 * BYTES))
        if len(rows):
            first, second, over = texts.words[0][rows], texts.words[1][rows], sizes[rows] - BYTES
            spare = ((BYTES - over) * 8).astype(np.uint64)
            upper, upper_good = whole_numbers(first << spare, over)
            lower, lower_good = whole_numbers(
                first >> (over * 8).astype(np.uint64) | second << spare, BYTES
            )
            numbers[rows] = upper * np.uint64(10**BYTES) + lower
            good[rows] = upper_good & lower_good
    return numbers.view(np.int64), good


def doubles(texts: Cut) -> tuple[Doubles, Flags]:
    """The doubles that texts spell in at most 8 bytes, and which of them do."""
    if texts.words is None:
        return _nothing(texts, np.float64)
    sizes = texts.sizes
    fitting = np.minimum(sizes, BYTES)
    numbers, good = decimals(_last(texts.words[0], fitting), fitting)
    good &= (sizes > 0) & (sizes <= BYTES)
    return numbers, good


def piece(words: NDArray[np.uint64], start: int, size: int) -> Words:
    """The word of ``size`` bytes, at most 8, of each text from ``start`` on."""
    row, skipped = divmod(start, BYTES)
    found: Words = words[row]
    if skipped:
        found = found >> np.uint64(8 * skipped)
        if skipped + size > BYTES:
            found |= words[row + 1] << np.uint64(8 * (BYTES - skipped))
    return found << np.uint64(8 * (BYTES - size))


def _last(words: Words, sizes: Sizes) -> Words:
    """First bytes as words."""
    found: Words = words << (np.maximum(BYTES - sizes, 0) * 8).astype(np.uint64)
    return found


def _nothing(texts: Cut, dtype: type[T]) -> tuple[NDArray[T], Flags]:
    """No text is one."""
    return np.zeros(len(texts), dtype), np.zeros(len(texts), np.bool_)


def whole_numbers(words: Words, sizes: Sizes | int) -> tuple[Words, Flags]:
    """The numbers that words spell, and which of them are ``sizes`` digits.

    A number is of no meaning where not all are digits.
    """
    spare = np.asarray((BYTES - sizes) * 8).astype(np.uint64)
    values = words ^ ((_ZEROS >> spare) << spare)
    above: Words = ((values + _ABOVE_NINE) | values) & _HIGH
    return _sum(values), above == 0


def decimals(words: Words, sizes: Sizes) -> tuple[Doubles, Flags]:
    """The same for numbers with a point between digits, or without one; correctly rounded.

    A whole number below 10^7 and a power of ten are exact doubles, so that their quotient is the
    double next to the decimal (W. D. Clinger, How to read floating point numbers accurately, 1990).
    """
    # What one program writes has as many digits behind the point mostly.
    first = int(_fractions(words[:1]).sum())
    numbers, good = _of_fraction(words, sizes, first)
    left = np.flatnonzero(~good)
    fractions = _fractions(words[left])
    for fraction in set(fractions.tolist()) - {first}:
        rows = left[fractions == fraction]
        numbers[rows], good[rows] = _of_fraction(words[rows], sizes[rows], fraction)
    return numbers, good


def _fractions(words: Words) -> Bytes:
    """How many bytes follow the first point of each text; 8 if it has none."""
    apart = words ^ _POINTS
    points = (apart - _ONES) & ~apart & _HIGH
    # The lowest one is a point for sure, whatever is seen behind it.
    places = np.bitwise_count((points & -points) - np.uint64(1)) >> np.uint8(3)
    return np.where(points == 0, np.uint8(BYTES), np.uint8(BYTES - 1) - places)


def _of_fraction(words: Words, sizes: Sizes, fraction: int) -> tuple[Doubles, Flags]:
    """The same for texts that have so many bytes behind the point; no others are good."""
    if fraction == BYTES:
        numbers, good = whole_numbers(words, sizes)
        return numbers.astype(np.float64), good
    place = 8 * (BYTES - 1 - fraction)
    before = np.uint64((1 << place) - 1)
    behind = np.uint64((_ALL << (place + 8)) & _ALL)
    good = (words >> np.uint64(place)) & np.uint64(0xFF) == ord(".")
    good &= (sizes > fraction + 1) & (fraction > 0)
    numbers, digits = whole_numbers((words & before) << np.uint64(8) | words & behind, sizes - 1)
    good &= digits
    return numbers / 10.0**fraction, good


def _sum(values: Words) -> Words:
    """The number whose digits the bytes are, the highest byte the last."""
    pairs = values * np.uint64(10) + (values >> np.uint64(8))
    upper = (pairs >> np.uint64(16)) & _PAIRS
    pairs &= _PAIRS
    pairs *= _FIRST
    upper *= _SECOND
    pairs += upper
    pairs >>= np.uint64(32)
    return pairs
