"""A measure of all events over time, with the numbers and limits that it is compared with."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from tailrace.backtest.html.axes import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    moment,
    nice_ticks,
    plot,
    time_ticks,
    x_axis,
    y_axis,
)
from tailrace.backtest.html.colours import colour, legend
from tailrace.backtest.html.markup import Markup, joined, tag
from tailrace.backtest.words import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tailrace.backtest.history import Series

_HEIGHT = 280
_WIDE = 1_000.0
"""Values that are so many times apart are shown by their logarithms."""
_DOTS = 200
"""So many windows have a dot to hover over each."""
_UNITS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def measured(series: Series) -> Markup | None:
    """The plot with its legend; None where there is nothing to show."""
    bounds = [line.bounds for line in series.lines]
    values = [float(v) for part in (series.values, *bounds) for v in part if isfinite(v)]
    if not values:
        return None
    begin, end = int(series.ends[0]) - series.size, int(series.ends[-1])
    x = Scale(begin, end, LEFT, WIDTH - RIGHT)
    y, levels = _vertical(values)
    ticks, pattern = time_ticks(begin, end)
    parts = [
        y_axis([(y(level), short(level)) for level in levels], LEFT, WIDTH - RIGHT),
        x_axis([(x(tick), moment(tick, pattern)) for tick in ticks], TOP, _HEIGHT - BOTTOM),
    ]
    starts = [x(int(at) - series.size) for at in series.ends]
    ends = [x(int(at)) for at in series.ends]
    for number, line in enumerate(series.lines, start=1):
        steps = _steps(starts, ends, [float(bound) for bound in line.bounds], y)
        parts.append(tag("path", d=steps, class_=f"line bound {colour(number)}"))
    parts.append(_line(series, [(a + b) / 2 for a, b in zip(starts, ends, strict=True)], y))
    names = [(colour(0), series.measure)]
    names += [
        (colour(number), f"{line.rule}: {line.comparison}")
        for number, line in enumerate(series.lines, start=1)
    ]
    return joined(legend(names), plot(_HEIGHT, f"{series.measure} over time", *parts))


def short(value: float) -> str:
    """A number in few characters: ``1.5G``, ``20k``, ``0.25``."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def _vertical(values: Sequence[float]) -> tuple[Callable[[float], float], list[float]]:
    """The place of each value, and the levels to mark; logarithmic where values are far apart."""
    low, high = min(values), max(values)
    positive = [value for value in values if value > 0]
    bottom, top = _HEIGHT - BOTTOM, TOP
    if low < 0 or not positive or high / min(positive) < _WIDE:
        linear = Scale(min(low, 0.0), high or 1.0, bottom, top)
        return linear, nice_ticks(min(low, 0.0), high or 1.0, 5)
    least = floor(log10(min(positive)))
    # What is zero stands at the bottom, where no power of ten is.
    first = least - 1 if low == 0 else least
    powers = Scale(first, log10(high) + 0.05, bottom, top)
    marked = [10.0**power for power in range(least, floor(log10(high)) + 1)]
    thin = max(1, -(-len(marked) // 8))
    levels = [*([0.0] if low == 0 else []), *marked[::thin]]
    return lambda value: powers(log10(value) if value > 0 else first), levels


def _steps(
    starts: Sequence[float],
    ends: Sequence[float],
    bounds: Sequence[float],
    y: Callable[[float], float],
) -> str:
    """A level for each window, where it has a bound."""
    path, last = [], None
    for left, right, bound in zip(starts, ends, bounds, strict=True):
        if not isfinite(bound):
            last = None
            continue
        level = y(bound)
        if last is None:
            path.append(f"M{left:.1f} {level:.1f}")
        elif level != last:
            path.append(f"L{left:.1f} {level:.1f}")
        path.append(f"L{right:.1f} {level:.1f}")
        last = level
    return " ".join(path)


def _line(series: Series, xs: Iterable[float], y: Callable[[float], float]) -> Markup:
    """The measure, with a gap where it is null and a dot to hover over at each window."""
    path, dots, draw = [], [], False
    for at, end, value in zip(xs, series.ends, series.values, strict=True):
        if not isfinite(value):
            draw = False
            continue
        place = y(float(value))
        path.append(f"{'L' if draw else 'M'}{at:.1f} {place:.1f}")
        draw = True
        told = tag("title", f"{value:,.6g} in the window that ends at {clock(int(end))}")
        dots.append(tag("circle", told, cx=at, cy=place, r=3, class_=f"dot {colour(0)}"))
    shown = dots if len(dots) <= _DOTS else []
    return joined(tag("path", d=" ".join(path), class_=f"line {colour(0)}"), *shown)
