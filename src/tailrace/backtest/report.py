"""The result of a backtest as values, from which its table, JSON and HTML are written.

Times and durations are microseconds. How a report is made from what runs found lies in
``reporting``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.backtest.comparing import Difference
    from tailrace.backtest.history import Incident, Series
    from tailrace.backtest.scores import Score
    from tailrace.backtest.scoring import Outcome


@dataclass(frozen=True, slots=True)
class Input:
    """What was read: ``read`` = ``events`` + ``dead`` + ``blank`` + ``outside``."""

    names: tuple[str, ...]
    read: int
    events: int
    dead: int
    blank: int
    outside: int
    begins: int | None
    ends: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Buckets:
    """Equal spans of time that cover the data: bucket i begins at ``start + i * width``."""

    start: int
    width: int
    number: int


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule. ``alerts``: what people would have been told, incidents or single alerts.

    ``per_bucket``: alerts by the report's buckets. Durations are None without incidents;
    ``still_open``: incidents open when the input ended.
    """

    name: str
    fields: tuple[str, ...]
    judges_events: bool
    alerts: int
    keys: int
    firings: int
    errors: int
    per_bucket: tuple[int, ...]
    median_duration: int | None
    longest_duration: int | None
    still_open: int
    score: Score | None


@dataclass(frozen=True, slots=True)
class KeyReport:
    """One of the keys with the most incidents. ``firing``: how long these lasted together.

    ``guilty``: whether it did wrong; None without a truth about such keys.
    """

    fields: tuple[str, ...]
    values: tuple[str, ...]
    rules: tuple[str, ...]
    incidents: int
    firing: int
    first: int
    guilty: bool | None


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold would have done; ``current``: it is that of the pipeline file."""

    value: str
    current: bool
    alerts: int
    keys: int
    firings: int
    median_duration: int | None
    score: Score | None


@dataclass(frozen=True, slots=True)
class SweepReport:
    """All thresholds of one comparison. ``best``: the place of the one with the greatest F1."""

    rule: str
    measure: str
    comparison: str
    points: tuple[Point, ...]
    best: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a backtest says."""

    pipeline: str
    input: Input
    buckets: Buckets | None
    rules: tuple[RuleReport, ...]
    score: Score | None
    top: tuple[KeyReport, ...]
    accused: int
    outcomes: tuple[Outcome, ...]
    sweeps: tuple[SweepReport, ...]
    against: Difference | None
    against_score: Score | None
    incidents: Sequence[Incident]
    series: Sequence[Series]
