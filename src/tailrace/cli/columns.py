"""Rows of texts in columns, and numbers, sizes and times as people read them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 250_000_000_000_000_000
_SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB")
GAP = "  "


def aligned(
    rows: Iterable[Sequence[str]], right: Collection[int] = (), indent: str = "  "
) -> list[str]:
    """One line for each row, its cells under those of the other rows.

    ``right``: columns that are aligned to the right, as numbers are. Rows may differ in length.
    """
    table = [list(row) for row in rows]
    widths: list[int] = []
    for row in table:
        for place, cell in enumerate(row):
            if place == len(widths):
                widths.append(0)
            widths[place] = max(widths[place], width(cell))
    lines = []
    for row in table:
        cells = []
        for place, cell in enumerate(row):
            space = " " * (widths[place] - width(cell))
            cells.append(space + cell if place in right else cell + space)
        lines.append((indent + GAP.join(cells)).rstrip())
    return lines


def width(text: str) -> int:
    """How many cells of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def number(value: float) -> str:
    """A number with a comma at each thousand."""
    return f"{value:,.0f}"


def size(value: int) -> str:
    """Bytes in the unit that keeps it short: ``12.3 MiB``."""
    amount, unit = float(value), 0
    while amount >= 1024 and unit < len(_SIZES) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{value:,} {_SIZES[0]}" if unit == 0 else f"{amount:,.1f} {_SIZES[unit]}"


def elapsed(seconds: float) -> str:
    """A length of time by its two largest units: ``4.2s``, ``2m 5s``, ``3h 20m``, ``2d 4h``."""
    if seconds < 0:
        return f"-{elapsed(-seconds)}"
    if seconds < 60:
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
    whole = int(seconds)
    units = (("d", 86_400, "h", 3_600), ("h", 3_600, "m", 60), ("m", 60, "s", 1))
    for unit, length, smaller, part in units:
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length}{unit}" + (f" {rest}{smaller}" if rest else "")
    return f"{whole}s"


def moment(micros: int | None) -> str:
    """A time in UTC to the second: ``2024-05-01 12:34:56Z``; a dash if there is none."""
    if micros is None:
        return "-"
    if abs(micros) >= _FAR:
        return "the end of time" if micros > 0 else "the beginning of time"
    return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%SZ")
