"""What an engine answers to a case, in engine-neutral values that compare byte for byte.

Times are int microseconds UTC; values of type time among keys, measures and fields are `Instant`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tailrace.testing.case import Case


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """A value of type time: microseconds since the epoch."""

    micros: int


Value = None | bool | int | float | str | Instant


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of an incident; `start` and `end` bound the window that caused it."""

    id: str
    fingerprint: str
    revision: int
    state: str
    reason: str
    pipeline: str
    rule: str
    key: Mapping[str, Value]
    measures: Mapping[str, Value]
    start: int
    end: int
    started_at: int
    opened_at: int
    last_firing_at: int
    resolved_at: int | None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A closed window's row: of a `record` rule, or a firing of an `alert` rule."""

    id: str
    rule: str
    start: int
    end: int
    key: Mapping[str, Value]
    measures: Mapping[str, Value]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventAlert:
    """An alert of a rule without a window; `position` is its record's first byte."""

    id: str
    rule: str
    partition: str
    position: int
    time: int
    fields: Mapping[str, Value]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A change of a key in a list of verdicts; ``until`` None: without end."""

    id: str
    list: str
    state: str
    number: int
    key: Mapping[str, Value]
    at: int
    since: int
    until: int | None
    reasons: Mapping[str, int]
    count: int
    first_seen: int | None
    last_seen: int | None
    listings: int
    measures: Mapping[str, Value]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Archived:
    """An archived event with a field that says whether its key was listed."""

    partition: str
    position: int
    time: int
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that did not become an event; `position` is its first byte in its partition."""

    partition: str
    position: int
    code: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """An early notice: which windows get one is open, but each must be confirmed."""

    id: str
    rule: str
    key: Mapping[str, Value]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """`events = filtered + late + evicted + accepted` since the rule started; the rest apart.

    `forgotten`: keys that a rule which sees events in order had no place for any more.
    """

    filtered: int = 0
    late: int = 0
    evicted: int = 0
    accepted: int = 0
    errors: int = 0
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """`read = events + dead + blank`."""

    read: int = 0
    events: int = 0
    dead: int = 0
    blank: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """All results of a case, after its last step and before any shutdown.

    `rules` has the rules of the pipeline in force at the end, by name. `metrics` are series as the
    metrics page writes them (`name{label="value"}`) to numbers. `archived` are only those events
    that an archive with verdicts has. The order within a tuple is free.
    """

    revisions: tuple[Revision, ...] = ()
    windows: tuple[Window, ...] = ()
    events: tuple[EventAlert, ...] = ()
    dead: tuple[DeadLetter, ...] = ()
    counts: Counts = Counts()
    rules: Mapping[str, RuleCounts] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    metrics: Mapping[str, int | float] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    archived: tuple[Archived, ...] = ()


@dataclass(frozen=True, slots=True)
class Variation:
    """How an engine is to be fed; none may change the outcome.

    `records` is how many records a poll gives: None for all that lie before the next decision,
    0 for a number drawn from `seed` each time. `kill` is a point, counted from 0 over all commit
    points of the run, at which the process dies and is started again; None for never.
    """

    name: str = "whole"
    records: int | None = None
    seed: int = 0
    kill: int | None = None


WHOLE = Variation()


class Engine(Protocol):
    """Whatever can run a case."""

    def run(self, case: Case, variation: Variation = WHOLE) -> Outcome:
        """Feed the steps in order, each decision after all before it has been processed.

        Raises PipelineError if the case's pipeline is wrong.
        """
        ...
