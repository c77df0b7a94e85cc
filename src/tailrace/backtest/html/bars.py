"""Alerts over time: a bar for each span of time, a layer of it for each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.backtest.html.axes import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    moment,
    plot,
    time_ticks,
    whole_ticks,
    x_axis,
    y_axis,
)
from tailrace.backtest.html.colours import colour
from tailrace.backtest.html.markup import Markup, joined, tag
from tailrace.backtest.words import clock, count, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.backtest.report import Buckets, Report

_HEIGHT = 220


def alerts_over_time(report: Report) -> Markup | None:
    """The plot; None where there is nothing to show."""
    buckets = report.buckets
    if buckets is None or not any(rule.alerts for rule in report.rules):
        return None
    totals = [
        sum(rule.per_bucket[place] for rule in report.rules) for place in range(buckets.number)
    ]
    begin, end = buckets.start, buckets.start + buckets.number * buckets.width
    x = Scale(begin, end, LEFT, WIDTH - RIGHT)
    y = Scale(0, max(totals), _HEIGHT - BOTTOM, TOP)
    ticks, pattern = time_ticks(begin, end)
    return plot(
        _HEIGHT,
        f"Alerts by {span(buckets)}",
        y_axis([(y(tick), count(tick)) for tick in whole_ticks(max(totals))], LEFT, WIDTH - RIGHT),
        x_axis([(x(tick), moment(tick, pattern)) for tick in ticks], TOP, _HEIGHT - BOTTOM),
        joined(*_bars(report, buckets, x, y)),
    )


def _bars(report: Report, buckets: Buckets, x: Scale, y: Scale) -> Iterator[Markup]:
    for place in range(buckets.number):
        at = buckets.start + place * buckets.width
        left, right = x(at), x(at + buckets.width)
        below = 0
        for number, rule in enumerate(report.rules):
            alerts = rule.per_bucket[place]
            if not alerts:
                continue
            top, bottom = y(below + alerts), y(below)
            told = f"{rule.name}: {count(alerts)} in the {span(buckets)} from {clock(at)}"
            gap = 1.0 if right - left > 4 else 0.0
            yield tag(
                "rect",
                tag("title", told),
                x=left + gap,
                y=top,
                width=max(1.0, right - left - 2 * gap),
                height=max(0.5, bottom - top - (0.5 if below else 0)),
                class_=f"mark {colour(number)}",
            )
            below += alerts
