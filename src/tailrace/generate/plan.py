"""A run's outline, worked out before any row: its episodes, its rate over time, its end.

Which options lead to it is said in `nginx`; rows are made in `stream`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tailrace.generate.attacks import Attack
from tailrace.generate.episodes import DrawKey, Episode, Placement, settle
from tailrace.generate.options import MAX_TIME_US, SECOND_US, OptionError
from tailrace.generate.schedule import Schedule

ENDLESS_SPAN_US = 3_600 * SECOND_US
"""Where random attacks lie in a run without an end: its first hour."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long a run is to be, both ways of saying it; neither: endless."""

    count: int | None
    duration_us: int | None

    @property
    def endless(self) -> bool:
        """Whether nothing ends the run."""
        return self.count is None and self.duration_us is None

    def span_us(self, rate: float, attacks: Sequence[Attack], added: float) -> float:
        """Event time that the run will take when attacks add requests to `rate`.

        `attacks` add as they say, others `added` times the ordinary rate over the whole run.
        """
        spans: list[float] = [ENDLESS_SPAN_US] if self.endless else []
        if self.duration_us is not None:
            spans.append(self.duration_us)
        if self.count is not None:
            extra_us = sum(attack.added_rate * attack.duration_us for attack in attacks)
            spans.append(max(1.0, (self.count / rate * SECOND_US - extra_us) / (1 + added)))
        return min(spans)


@dataclass(frozen=True, slots=True)
class Plan:
    """The outline of one run."""

    schedule: Schedule
    episodes: tuple[Episode, ...]
    """In order of their start; those that the run does not reach are left out."""
    rows: int
    """An endless run has as many as fit before the year 10000."""

    @classmethod
    def of(
        cls,
        start_us: int,
        rate: float,
        length: Length,
        attacks: Sequence[Attack],
        placement: Placement,
        draw_key: DrawKey,
    ) -> Plan:
        """Settle a run. Raises OptionError for an attack or an end that can't be reached."""
        placed = placement.within(length.span_us(rate, attacks, placement.added))
        episodes = settle([*attacks, *placed], start_us, draw_key)
        schedule = Schedule.of(start_us, rate, episodes)
        rows, end_us = _end(schedule, length)
        for attack in attacks:
            if start_us + attack.offset_us >= end_us:
                message = (
                    f"the {attack.kind} begins {attack.offset_us / SECOND_US:g} s after the start, "
                    f"but the traffic ends after {(end_us - start_us) / SECOND_US:g} s"
                )
                raise OptionError("attacks", message)
        reached = (episode.until(end_us) for episode in episodes)
        return cls(schedule, tuple(episode for episode in reached if episode), rows)


def plain(start_us: int, rate: float, length: Length) -> Plan:
    """The outline of a run without attacks. Raises OptionError as `Plan.of` does."""
    return Plan.of(start_us, rate, length, (), Placement((), (), (), ()), str)


def _end(schedule: Schedule, length: Length) -> tuple[int, int]:
    """Rows of the run, and the time at which it ends."""
    left_us = MAX_TIME_US - schedule.start_us
    rows, duration_us = schedule.rows_within(left_us), left_us
    if length.duration_us is not None:
        if length.duration_us > left_us:
            raise OptionError("duration_us", "the traffic would go on after the year 9999")
        rows, duration_us = schedule.rows_within(length.duration_us), length.duration_us
    if length.count is not None and length.count <= rows:
        rows, duration_us = length.count, schedule.offset_us(length.count)
    elif length.count is not None and length.duration_us is None:
        raise OptionError("count", "the traffic would go on after the year 9999")
    return rows, schedule.start_us + duration_us
