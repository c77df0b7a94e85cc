"""Windows that slide: judged over ``(t - size, t]`` at every instant ``t`` at which that changes.

State are the events themselves, for as long as a window can hold them; what is judged follows from
them alone, so it doesn't matter how time is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.kernel.judging import judged
from tailrace.kernel.ordered.changes import compared
from tailrace.kernel.ordered.crowding import Presence
from tailrace.kernel.ordered.crowds import may_hold
from tailrace.kernel.ordered.kinds import NOTHING
from tailrace.kernel.ordered.measuring import key_values, measure_values, totals_of
from tailrace.kernel.ordered.order import in_order, timelines
from tailrace.kernel.ordered.reducer import OrderedReducer, Span
from tailrace.kernel.ordered.runs import joined
from tailrace.kernel.reducer import Closed
from tailrace.kernel.types import FLAG_EVICTED, RuleFirings
from tailrace.plan.event_columns import TIME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.expr.values import Values
    from tailrace.kernel.ordered.order import Timeline
    from tailrace.kernel.runs import Run
    from tailrace.kernel.totals import Totals
    from tailrace.plan.model import Bounds, Group


class Instants(NamedTuple):
    """Instants of keys at which a window is judged, ordered by key and instant.

    ``place``: the key's place in its timeline; ``told``: whether an event is there, and not only
    the end of one's time in the window, or of what was judged before.
    """

    place: NDArray[np.int64]
    at: NDArray[np.int64]
    told: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> Instants:
        """Some of them, in order."""
        return Instants(self.place[rows], self.at[rows], self.told[rows])


class SlidingReducer(OrderedReducer):
    """The state of a sliding rule."""

    def __init__(self, group: Group, bounds: Bounds, salt: str) -> None:
        """Start without state."""
        super().__init__(group, bounds, salt)
        self._judged_to: int | None = None
        """Up to this instant windows were judged; None: it isn't known how they were."""
        self._holding: NDArray[np.int64] = np.empty(0, np.int64)
        """The keys whose windows were judged to fire at that instant."""

    def _close(self, span: Span) -> Closed:
        rule, size = self.rule, self.rule.window.size
        width = rule.window.width
        low = (span.first - self.ordered.reach) // width
        rows = self._runs.span(low, span.known // width + 1)
        closed = Closed()
        if rows is None:
            self._note(span, [])
            return closed
        if span.start > span.first - self.ordered.reach:
            rows = rows.part(rows.columns[TIME] >= span.start)
        rows = self._crowded(self._eventful(rows, span))
        rows = rows.part(in_order(rows, placed=rule.placed))
        if rule.compares:
            rows = compared(rule, rows)
        parts: list[RuleFirings] = []
        failures = 0
        for part, line in timelines(rows.keys, rows.columns[TIME], size, span.known):
            found, failed = self._judge_part(rows.part(part), line, span)
            failures += failed
            if len(found.keys):
                parts.append(found)
        self._note(span, parts)
        closed.failures[rule.identity] = failures
        if parts:
            closed.firings.append(joined(parts))
        return closed

    def _remembered(self, pane: int, start: int) -> Presence:
        width = self.rule.window.width
        rows = self._runs.span(pane - -(-self.ordered.reach // width), pane)
        return Presence(NOTHING, NOTHING) if rows is None else self._present(rows, start)

    def _eventful(self, rows: Run, span: Span) -> Run:
        """The events of keys of which something can be told.

        These are keys with events that come or leave in the span, and those that fired up to it: of
        the others no window fired, and none changes.
        """
        size = self.rule.window.size
        known = self._judged_to == span.first - 1 and span.start + size - 1 < span.first
        # What is looked up for a window can change without events.
        if self.rule.alert and (self.rule.references or not known):
            return rows
        times = rows.columns[TIME]
        eventful = np.zeros(len(self.keys), np.bool_)
        eventful[rows.keys[times >= span.first]] = True
        if self.rule.alert:
            leaving = (times >= span.first - size) & (times <= span.known - size)
            eventful[rows.keys[leaving]] = True
            eventful[self._holding] = True
        chosen = eventful[rows.keys]
        return rows if chosen.all() else rows.part(chosen)

    def _crowded(self, rows: Run) -> Run:
        """The events of keys for which the condition may hold: the others' windows say nothing."""
        when = self.rule.when
        if when is None or not len(rows):
            return rows
        crowded = may_hold(self.rule, when, rows, len(self.keys))
        return rows if crowded is None else rows.part(np.flatnonzero(crowded[rows.keys]))

    def _note(self, span: Span, parts: list[RuleFirings]) -> None:
        """Remember which keys fire up to the end of a span."""
        lasting = [part.keys[part.lasts == span.known] for part in parts if part.lasts is not None]
        self._holding = np.concatenate([np.empty(0, np.int64), *lasting])
        self._judged_to = span.known

    def _renumber(self, moved: NDArray[np.int64]) -> None:
        super()._renumber(moved)
        self._judged_to = None

    def _judge_part(self, rows: Run, line: Timeline, span: Span) -> tuple[RuleFirings, int]:
        rule, size = self.rule, self.rule.window.size
        # A rule that begins later judges no window that reaches back before its start.
        begin = max(span.first, span.start + size - 1)
        instants = _instants(line, begin, span, size, carried=rule.alert)
        events = line.codes(line.place, line.times)
        codes = line.codes(instants.place, instants.at)
        high = np.searchsorted(events, codes, side="right")
        low = np.searchsorted(events, codes - size, side="right")
        lasts = _lasts(instants, span.known)
        some = np.flatnonzero(high > low)
        if len(some) < len(low):
            instants, lasts, low, high = instants.take(some), lasts[some], low[some], high[some]
        totals = totals_of(rule, rows, line, instants, low, high)
        flags = np.zeros(len(totals), np.uint8)
        if self._bound.ever:
            # Those of the last event: what an instant after it adds is empty.
            flags |= self._evicted(totals.keys, line.times[high - 1]) * np.uint8(FLAG_EVICTED)

        def columns(
            some: Totals, names: set[str]
        ) -> tuple[dict[str, Values], NDArray[np.uint8] | None]:
            values, raised = measure_values(rule, some, names, self._bounds.max_distinct)
            return values | key_values(rule, self.keys, some.keys, names), raised

        found = judged(rule, totals, flags, columns)
        told = instants.told
        firings = found.firings
        if rule.alert:
            firings = RuleFirings(
                rule,
                firings.keys,
                firings.ends,
                firings.values,
                firings.flags,
                lasts[found.chosen],
                told[found.chosen],
            )
        return firings, int((found.failed & told).sum())

    def soonest(self, after: int, starts: object) -> int | None:  # noqa: ARG002 - as the base
        """The next end of a pane with events, or after which an event leaves the windows."""
        if self.held is None:
            return None
        width, size = self.rule.window.width, self.rule.window.size
        reached = after // width * width
        found = []
        low, high = self.held
        if (high + 1) * width > reached:
            found.append(max((low + 1) * width, reached + width))
        if self.rule.alert:
            left = self._earliest_from(reached - size)
            if left is not None:
                found.append(((left + size) // width + 1) * width)
        return min(found, default=None)

    def _earliest_from(self, time: int) -> int | None:
        """The least event time that is not before ``time``."""
        rows = self._runs.span(time // self.rule.window.width, 2**62)
        times = rows.columns[TIME] if rows is not None else np.empty(0, np.int64)
        times = times[times >= time]
        return int(times.min()) if len(times) else None


def _instants(line: Timeline, begin: int, span: Span, size: int, *, carried: bool) -> Instants:
    """All instants from ``begin`` to ``span.known`` at which windows are judged.

    Those of new events; if ``carried``, those at which an event leaves, and ``begin`` itself for
    keys with events before it.
    """
    fresh = np.flatnonzero((line.times >= begin) & (line.times <= span.known))
    if not carried:
        codes = np.unique(line.codes(line.place[fresh], line.times[fresh]))
        place, at = line.place_and_instant(codes)
        return Instants(place, at, np.ones(len(at), np.bool_))
    leaving = np.flatnonzero((line.times >= begin - size) & (line.times <= span.known - size))
    before = np.flatnonzero((line.times < begin) & (line.times > begin - size))
    carry = np.unique(line.place[before]) if begin <= span.known else before[:0]
    codes = np.concatenate(
        [
            2 * line.codes(line.place[fresh], line.times[fresh]),
            2 * line.codes(line.place[leaving], line.times[leaving] + size) + 1,
            2 * line.codes(carry, np.full(len(carry), begin)) + 1,
        ]
    )
    codes.sort()
    twice = codes >> 1
    first = np.flatnonzero(np.r_[True, twice[1:] != twice[:-1]][: len(codes)])
    place, at = line.place_and_instant(twice[first])
    return Instants(place, at, codes[first] & 1 == 0)


def _lasts(instants: Instants, known: int) -> NDArray[np.int64]:
    """For each instant the last one that is judged as it is."""
    lasts = np.full(len(instants.at), known)
    lasts[:-1] = np.where(instants.place[1:] == instants.place[:-1], instants.at[1:] - 1, known)
    return lasts
