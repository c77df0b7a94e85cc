"""The life of incidents (semantics 18) of one rule and key: a machine that is told firings and W.

It is told every firing in the order of window ends, and the watermark at the end of each step.
States are written out one by one: nothing, pending, firing, cooling.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tailrace.testing.outcome import Value


@dataclass(frozen=True)
class Firing:
    start: int
    end: int
    measures: Mapping[str, Value]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Timers:
    every: int
    for_: int
    keep_firing_for: int
    cooldown: int
    update_every: int


@dataclass(frozen=True)
class Event:
    """A revision to be: why, at which window, and the incident's times."""

    reason: str
    number: int
    firing: Firing
    first_start: int
    started_at: int
    opened_at: int
    last_firing_at: int
    resolved_at: int | None


@dataclass
class Incident:
    first: Firing
    opened_at: int
    last: Firing
    revisions: int = 0


@dataclass
class Life:
    timers: Timers
    pending: list[Firing] = field(default_factory=list)
    incident: Incident | None = None
    cool_until: int | None = None
    events: list[Event] = field(default_factory=list)

    def fires(self, firing: Firing) -> None:
        if self.incident is not None and firing.end > self.deadline:
            self._resolve(self.deadline, "resolved")
        if self.incident is not None:
            self._goes_on(firing)
        elif self.cool_until is not None and firing.end < self.cool_until:
            return
        else:
            self._nears(firing)

    @property
    def deadline(self) -> int:
        """T: when the incident resolves unless there is a firing at or before it."""
        assert self.incident is not None
        return self.incident.last.end + self.timers.every + self.timers.keep_firing_for

    def _nears(self, firing: Firing) -> None:
        """Pending begins or goes on; the incident opens when it has lasted `for`."""
        if self.pending and firing.end != self.pending[-1].end + self.timers.every:
            self.pending = []
        self.pending.append(firing)
        if firing.end - self.pending[0].end >= self.timers.for_:
            self.incident = Incident(self.pending[0], firing.end, firing)
            self.pending = []
            self._say("opened", firing, None)

    def _goes_on(self, firing: Firing) -> None:
        assert self.incident is not None
        before, self.incident.last = self.incident.last, firing
        if self.timers.update_every:
            passed = (before.end - self.incident.opened_at) // self.timers.update_every
            now = (firing.end - self.incident.opened_at) // self.timers.update_every
            if now > passed:
                self._say("updated", firing, None)

    def during(self, first: int, last: int, at: Callable[[int], Firing]) -> None:
        """It fires at every instant from the first to the last, each being a window's end.

        Only at some of them anything happens.
        """
        if self.incident is not None and first > self.deadline:
            self._resolve(self.deadline, "resolved")
        if self.incident is None:
            if self.cool_until is not None:
                first = max(first, self.cool_until)
            if first > last:
                return
            if self.pending and first != self.pending[-1].end + 1:
                self.pending = []
            since = self.pending[0] if self.pending else at(first)
            opens = since.end + self.timers.for_
            if opens > last:
                self.pending = [since, at(last)]
                return
            self.pending = []
            first = max(first, opens)
            self.incident = Incident(since, first, at(first))
            self._say("opened", self.incident.last, None)
        period = self.timers.update_every
        while period:
            passed = (self.incident.last.end - self.incident.opened_at) // period
            due = max(first, self.incident.opened_at + (passed + 1) * period)
            if due > last:
                break
            self.incident.last = at(due)
            self._say("updated", self.incident.last, None)
        self.incident.last = at(last)

    def watermark(self, time: int) -> None:
        if self.incident is not None and time >= self.deadline:
            self._resolve(self.deadline, "resolved")

    def removed(self, time: int) -> None:
        if self.incident is not None:
            self._resolve(time, "rule_removed")

    def input_ended(self) -> None:
        if self.incident is not None:
            self._say("input_ended", self.incident.last, None)

    def _resolve(self, time: int, reason: str) -> None:
        assert self.incident is not None
        self._say(reason, self.incident.last, time)
        self.cool_until = time + self.timers.cooldown
        self.incident = None

    def _say(self, reason: str, firing: Firing, resolved_at: int | None) -> None:
        incident = self.incident
        assert incident is not None
        self.events.append(
            Event(
                reason,
                incident.revisions,
                firing,
                incident.first.start,
                incident.first.end,
                incident.opened_at,
                incident.last.end,
                resolved_at,
            )
        )
        incident.revisions += 1
