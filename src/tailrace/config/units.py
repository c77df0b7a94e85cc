"""Durations and sizes: what a user may write, and back to text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Self

DURATION_UNITS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}
"""Microseconds of each unit, in the order in which a duration names them."""

DURATION_PATTERN = "".join(rf"(?:([0-9]+){unit})?" for unit in DURATION_UNITS)
"""Matches every duration and the empty text."""

SIZE_UNITS = {
    "B": 1,
    "kB": 1_000,
    "MB": 1_000_000,
    "GB": 1_000_000_000,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
SIZE_PATTERN = r"([0-9]+) ?(B|[kMG]B|[KMG]iB)?"

LONGEST = 36_525 * 86_400_000_000
"""A hundred years: more is a mistake, and sums of times stay within 64 bits."""


class Duration(int):
    """A length of time in microseconds, made from text (``"1h30m"``), a timedelta or microseconds.

    >>> Duration("1m30s")
    90000000

    ValueError says what is wrong, in words for the person who wrote it.
    """

    __slots__ = ()

    def __new__(cls, value: str | timedelta | int) -> Self:
        """Take the text of a duration, a timedelta, or microseconds."""
        match value:
            case str():
                microseconds = _parse_duration(value)
            case timedelta():
                microseconds = value // timedelta(microseconds=1)
            case _:
                microseconds = value
        if microseconds < 0:
            raise ValueError("a duration can't be negative")
        if microseconds > LONGEST:
            raise ValueError("a duration can't be longer than a hundred years")
        if microseconds % 1_000:
            raise ValueError("a duration is a whole number of milliseconds")
        return super().__new__(cls, microseconds)


def render_duration(microseconds: int) -> str:
    """Return the canonical text of a duration: ``1h30m``, ``500ms``, ``0s``."""
    parts = []
    for unit, length in DURATION_UNITS.items():
        if unit == "w" and microseconds % length:
            continue  # nobody reads 4w2d with ease
        count, microseconds = divmod(microseconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_size(text: str) -> int:
    """Return the bytes that a text such as ``1MiB`` means; ValueError in words."""
    found = re.fullmatch(SIZE_PATTERN, text.strip())
    if found is None:
        raise ValueError("expected a size such as 512KiB or 1MiB")
    size = _digits(found[1]) * SIZE_UNITS[found[2] or "B"]
    if size >= 1 << 63:
        raise ValueError("a size must be below 2^63 bytes")
    return size


def render_size(size: int) -> str:
    """Return the shortest exact text of a size: ``1MiB``, ``2GB``, ``1500``."""
    units = [(unit, length) for unit, length in SIZE_UNITS.items() if unit != "B"]
    texts = [f"{size // length}{unit}" for unit, length in units if size and size % length == 0]
    return min((*texts, str(size)), key=len)


def _parse_duration(text: str) -> int:
    text = text.strip()
    if text == "0":
        return 0
    found = re.fullmatch(DURATION_PATTERN, text)
    if not text or found is None:
        raise ValueError("expected a duration such as 20s, 5m or 1h30m")
    counts = zip(found.groups(), DURATION_UNITS.values(), strict=True)
    return sum(_digits(count) * length for count, length in counts if count)


def _digits(text: str) -> int:
    # Python refuses to convert thousands of digits; far fewer are too many already.
    return int(text) if len(text) <= 20 else 10**20
