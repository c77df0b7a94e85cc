"""What a run over history found: incidents without their revisions, single alerts, counts.

Plain values: nothing here knows the engine. Times are microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailrace.plan.identity import Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(slots=True)
class Incident:
    """One incident from its first window to its end.

    ``begun_at`` is the start of the first window that fired, ``opened_at`` the instant at which the
    incident was told, ``last_firing_at`` the end of the last window that fired. ``resolved_at`` is
    None if it was open when the input ended.
    """

    rule: str
    key: Mapping[str, Scalar]
    begun_at: int
    opened_at: int
    last_firing_at: int
    resolved_at: int | None = None

    @property
    def ended_at(self) -> int:
        """When it was resolved, or last known to go on."""
        return self.last_firing_at if self.resolved_at is None else self.resolved_at

    @property
    def duration(self) -> int:
        """How long it was open, in microseconds; up to its last firing if it has no end."""
        return max(0, self.ended_at - self.opened_at)


@dataclass(slots=True)
class RuleHistory:
    """What one rule found. ``keys`` are the names of its key fields, in order.

    ``firings``: windows for which the condition held. ``instants``: for a rule that judges single
    events, the event time of each alert (int64); empty for others. ``copy_of``: the rule that it is
    a copy of, with another threshold.
    """

    name: str
    keys: tuple[str, ...]
    incidents: list[Incident]
    firings: int
    errors: int
    instants: NDArray[np.int64]
    judges_events: bool = False
    copy_of: str | None = None

    @property
    def of(self) -> str:
        """The name of the rule in the pipeline file."""
        return self.name if self.copy_of is None else self.copy_of

    def times(self) -> list[int]:
        """When people would have been told: openings of incidents, or single alerts."""
        if self.judges_events:
            return [int(instant) for instant in self.instants]
        return [incident.opened_at for incident in self.incidents]


@dataclass(slots=True)
class Population:
    """The values of one key field in the data, and the time of the first event of each."""

    first: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """What a rule compares a series with: ``bounds`` by window, nan where there was none."""

    rule: str
    comparison: str
    bounds: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """A measure of all events together, window after window.

    ``size`` of the windows in microseconds, ``ends`` int64, ascending; ``values`` nan where null.
    """

    measure: str
    size: int
    ends: NDArray[np.int64]
    values: NDArray[np.float64]
    lines: list[Line]


@dataclass(slots=True)
class History:
    """What a run found. ``rules`` are the alerts of the pipeline; ``copies`` those of sweeps.

    ``read`` = ``events`` + ``dead`` + ``blank`` + ``outside``: the last are events outside the span
    of time that was asked for. ``begins`` and ``ends`` are the least and the greatest event time,
    None without events. ``seconds``: how long the run took. ``populations``: by key field, where
    they could be had.
    """

    pipeline: str
    rules: list[RuleHistory]
    copies: dict[str, RuleHistory]
    read: int
    events: int
    dead: int
    blank: int
    outside: int
    begins: int | None
    ends: int | None
    seconds: float
    populations: Mapping[str, Population] = field(default_factory=dict)
    series: Sequence[Series] = ()
