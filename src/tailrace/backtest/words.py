"""How a report's values are said to people, in text and in HTML alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tailrace.config.units import render_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.backtest.report import Buckets, Report
    from tailrace.backtest.scores import Score

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
NONE = "-"


def length(micros: int | None) -> str:
    """A length of time to two units: ``4.2s``, ``1m 5s``, ``3h 20m``; an instant is ``0s``."""
    if micros is None:
        return NONE
    if micros < 1_000:
        return "0s"
    if micros < 60 * _SECOND:
        return f"{micros / _SECOND:.3g}s"
    seconds = round(micros / _SECOND)
    for unit, size, smaller, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "m", 60)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size}{unit}" + (f" {rest}{smaller}" if rest else "")
    return f"{seconds // 60}m" + (f" {seconds % 60}s" if seconds % 60 else "")


def clock(micros: int | None) -> str:
    """A time in UTC to the second: ``2024-05-01 12:34:56Z``."""
    if micros is None:
        return NONE
    try:
        return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%SZ")
    except OverflowError:
        return NONE


def share(value: float | None) -> str:
    """A share in percent: ``97.5 %``; small ones with more digits."""
    if value is None:
        return NONE
    percent = 100 * value
    if percent in (0, 100) or percent >= 10:
        return f"{percent:.1f} %".replace(".0 %", " %")
    return f"{percent:.2g} %"


def count(value: int | None) -> str:
    """A number with a comma at each thousand."""
    return NONE if value is None else f"{value:,}"


def key(fields: Sequence[str], values: Sequence[str]) -> str:
    """A key: the value alone for a single field, else each with its name."""
    if not fields:
        return "all together"
    if len(fields) == 1:
        return values[0]
    return ", ".join(f"{name}={value}" for name, value in zip(fields, values, strict=True))


def per_time(alerts: int, report: Report) -> str:
    """How many alerts that is a day, or an hour where the data is shorter than two days."""
    begins, ends = report.input.begins, report.input.ends
    if begins is None or ends is None or ends <= begins:
        return NONE
    unit = _DAY if by_day(report) else _DAY // 24
    rate = alerts * unit / (ends - begins)
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def by_day(report: Report) -> bool:
    """Whether rates are said by day."""
    begins, ends = report.input.begins, report.input.ends
    return begins is not None and ends is not None and ends - begins >= 2 * _DAY


def span(buckets: Buckets) -> str:
    """The width of the buckets: ``1m``."""
    if buckets.width % _SECOND:
        return length(buckets.width)
    return render_duration(buckets.width)


def account(report: Report) -> str:
    """What was read, in one sentence."""
    given = report.input
    parts = [f"{given.read:,} records", f"{given.events:,} events"]
    named = (("dead letters", given.dead), ("blank", given.blank), ("left out", given.outside))
    parts += [f"{number:,} {name}" for name, number in named if number]
    return ", ".join(parts)


def found_episodes(score: Score) -> str:
    """What became of the episodes, in one sentence."""
    return (
        f"{score.episodes_found:,} of {score.episodes:,} episodes found;"
        f" {score.incidents_rightly:,} of {score.incidents:,} incidents are in one;"
        f" keys accused wrongly: {score.ordinary_accused:,}"
    )
