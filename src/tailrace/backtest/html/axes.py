"""Scales, ticks and grid lines: from values to places in a plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor, log10

from tailrace.backtest.html.markup import Markup, joined, tag

WIDTH = 960
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 12, 28
"""Margins of a plot."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_STEPS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_DAYS = (2, 7, 14, 28, 91, 182, 365, 3_650)
_MOST_TICKS = 9


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from ``low`` to ``high`` become places from ``begin`` to ``end``."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        span = self.high - self.low
        part = (value - self.low) / span if span else 0.5
        return self.begin + part * (self.end - self.begin)


def nice_ticks(low: float, high: float, number: int = 5) -> list[float]:
    """Round values from ``low`` to ``high``, about so many; -0.0 is written as 0."""
    span = high - low
    if span <= 0:
        return [low]
    rough = span / max(1, number)
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first = -(-low // step)
    ticks = []
    while (value := first * step) <= high + step * 1e-9:
        ticks.append(round(value, 10) + 0.0)
        first += 1
    return ticks


def whole_ticks(most: float, number: int = 4) -> list[int]:
    """Whole numbers from 0 to ``most``, about so many."""
    return [int(tick) for tick in nice_ticks(0, most, number) if tick == int(tick)]


def time_ticks(low: int, high: int) -> tuple[list[int], str]:
    """Instants to mark, in microseconds, and how to write them."""
    steps = [s * _SECOND for s in _STEPS] + [d * 86_400 * _SECOND for d in _DAYS]
    step = next((s for s in steps if (high - low) / s <= _MOST_TICKS), steps[-1])
    ticks = list(range(-(-low // step) * step, high + 1, step))
    if step >= 86_400 * _SECOND:
        return ticks, "%Y-%m-%d"
    several_days = high - low > 86_400 * _SECOND
    pattern = "%H:%M" if step >= 60 * _SECOND else "%H:%M:%S"
    return ticks, f"%d %b {pattern}" if several_days else pattern


def moment(micros: int, pattern: str) -> str:
    """An instant in UTC."""
    try:
        return (_EPOCH + timedelta(microseconds=micros)).strftime(pattern)
    except (OverflowError, ValueError):
        return ""


def x_axis(labels: Sequence[tuple[float, str]], top: float, bottom: float) -> Markup:
    """Vertical grid lines with labels below, at places along the plot."""
    return joined(*_vertical(labels, top, bottom))


def y_axis(labels: Sequence[tuple[float, str]], left: float, right: float) -> Markup:
    """Horizontal grid lines with labels to the left."""
    return joined(
        *(
            joined(
                tag("line", x1=left, x2=right, y1=y, y2=y, class_="grid"),
                tag("text", label, x=left - 8, y=y + 4, text_anchor="end", class_="tick"),
            )
            for y, label in labels
        )
    )


def plot(height: float, label: str, *children: str) -> Markup:
    """A drawing as wide as the page; ``label`` says what it shows."""
    drawing = tag("svg", *children, viewBox=f"0 0 {WIDTH} {height:g}", role="img", aria_label=label)
    return tag("div", drawing, class_="plot")


def _vertical(labels: Sequence[tuple[float, str]], top: float, bottom: float) -> Iterator[Markup]:
    for x, label in labels:
        yield tag("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid")
        yield tag("text", label, x=x, y=bottom + 18, text_anchor="middle", class_="tick")
