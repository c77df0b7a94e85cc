"""Scalar functions of time, all in UTC, by integer arithmetic on microseconds."""

from __future__ import annotations

from tailrace.expr.nodes import Type
from tailrace.expr.signature import Function, Parameter, Variant

_MINUTE, _HOUR, _DAY = 60_000_000, 3_600_000_000, 86_400_000_000
_MONDAY = 3
"""1970-01-01 was a Thursday: day 0 of a cycle of seven that begins three days after a Monday."""


def _within(cycle: int, unit: int) -> str:
    """How many whole units of a cycle have passed, also before the epoch."""
    return f"((epoch_us({{0}}) % {cycle} + {cycle}) % {cycle} // {unit})"


def _of_time(name: str, result: Type, sql: str, doc: str, gives: str) -> Function:
    variant = Variant((Parameter("t", Type.TIME),), result, sql)
    return Function(name, (variant,), doc, f"{name}(timestamp '2024-01-07 13:45:30.5')", gives)


FUNCTIONS = (
    _of_time(
        "epoch",
        Type.DOUBLE,
        "(epoch_us({0})::DOUBLE / 1e6)",
        "Seconds since 1970-01-01 00:00:00 UTC.",
        "1704635130.5",
    ),
    _of_time(
        "hour",
        Type.INTEGER,
        _within(_DAY, _HOUR),
        "The hour of the day in UTC, 0 to 23.",
        "13",
    ),
    _of_time(
        "minute",
        Type.INTEGER,
        _within(_HOUR, _MINUTE),
        "The minute of the hour in UTC, 0 to 59.",
        "45",
    ),
    _of_time(
        "day_of_week",
        Type.INTEGER,
        f"(({_within(7 * _DAY, _DAY)} + {_MONDAY}) % 7 + 1)",
        "The day of the week in UTC, 1 (Monday) to 7 (Sunday).",
        "7",
    ),
)
