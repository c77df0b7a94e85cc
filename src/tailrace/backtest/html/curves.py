"""What each threshold of a sweep would have done, as lines over the thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.backtest.html.axes import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    nice_ticks,
    plot,
    whole_ticks,
    x_axis,
    y_axis,
)
from tailrace.backtest.html.colours import colour, legend
from tailrace.backtest.html.markup import Markup, joined, tag
from tailrace.backtest.words import count, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tailrace.backtest.report import SweepReport

    Written = Callable[[float], str]

_HEIGHT = 240
Line = tuple[str, list[float | None]]
Mark = tuple[float, str, str, str]
"""A value, a word, a class, and on which side of its line the word stands."""


def sweep_plots(sweep: SweepReport) -> Markup:
    """The shares by threshold where truth is given, and how many incidents and keys there are."""
    xs = [float(point.value) for point in sweep.points]
    marks = _marks(sweep)
    plots = []
    if any(point.score for point in sweep.points):
        scores = [point.score for point in sweep.points]
        shares: list[Line] = [
            ("precision", [None if s is None else s.precision for s in scores]),
            ("recall", [None if s is None else s.recall for s in scores]),
            ("F1", [None if s is None else s.f1 for s in scores]),
            ("ordinary keys accused", [None if s is None else s.ordinary_share for s in scores]),
        ]
        plots.append(_curves(f"{sweep.rule}: how right", xs, shares, marks, share, 1.0))
    numbers: list[Line] = [
        ("incidents", [float(point.alerts) for point in sweep.points]),
        ("keys", [float(point.keys) for point in sweep.points]),
    ]
    most = max((value for _, values in numbers for value in values if value), default=0.0)
    plots.append(_curves(f"{sweep.rule}: how many", xs, numbers, marks, _whole, most or 1.0))
    return joined(*plots)


def _marks(sweep: SweepReport) -> list[Mark]:
    """Where the pipeline's own threshold is, and the best."""
    now = [float(point.value) for point in sweep.points if point.current]
    best = [] if sweep.best is None else [float(sweep.points[sweep.best].value)]
    if now and now == best:
        return [(now[0], "now, best F1", "best", "middle")]
    left = bool(now and best) and now < best
    anchors = ("end", "start") if left else ("start", "end")
    return [
        *((value, "now", "now", anchors[0]) for value in now),
        *((value, "best F1", "best", anchors[1]) for value in best),
    ]


def _whole(value: float) -> str:
    return count(round(value))


def _curves(
    label: str,
    xs: Sequence[float],
    lines: Sequence[Line],
    marks: Sequence[Mark],
    written: Written,
    most: float,
) -> Markup:
    shown = [(name, values) for name, values in lines if any(v is not None for v in values)]
    x = Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y = Scale(0, most, _HEIGHT - BOTTOM, TOP + 12)
    ticks = nice_ticks(min(xs), max(xs), 10)
    levels = whole_ticks(most) if written is _whole else nice_ticks(0, most, 4)
    parts = [
        y_axis([(y(tick), written(tick)) for tick in levels], LEFT, WIDTH - RIGHT),
        x_axis([(x(tick), f"{tick:g}") for tick in ticks], TOP + 12, _HEIGHT - BOTTOM),
    ]
    for value, text, class_, anchor in marks:
        parts += [
            tag("line", x1=x(value), x2=x(value), y1=TOP + 12, y2=_HEIGHT - BOTTOM, class_=class_),
            tag("text", text, x=x(value), y=TOP + 4, text_anchor=anchor, class_="tick"),
        ]
    for number, (name, values) in enumerate(shown):
        parts.append(_line(name, xs, values, x, y, colour(number), written))
    names = legend((colour(number), name) for number, (name, _) in enumerate(shown))
    return joined(names, plot(_HEIGHT, label, *parts))


def _line(
    name: str,
    xs: Sequence[float],
    values: Sequence[float | None],
    x: Scale,
    y: Scale,
    class_: str,
    written: Written,
) -> Markup:
    """A line that stops where a value isn't known, with a dot to hover over at each threshold."""
    path, dots, draw = [], [], False
    for at, value in zip(xs, values, strict=True):
        if value is None:
            draw = False
            continue
        path.append(f"{'L' if draw else 'M'}{x(at):.1f} {y(value):.1f}")
        draw = True
        told = tag("title", f"{name} {written(value)} at {at:g}")
        dots.append(tag("circle", told, cx=x(at), cy=y(value), r=3, class_=f"dot {class_}"))
    return joined(tag("path", d=" ".join(path), class_=f"line {class_}"), *dots)
