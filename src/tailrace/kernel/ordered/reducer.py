"""What all reducers of rules that see events in order have in common.

An event is a row of its own. Rows wait until the watermark has passed their pane, and are then
looked at in order; what is done with them is the kind's business. Keys that there is no place for
(SEMANTICS 12) go here, before that.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.kernel.ordered.crowding import Crowding, Presence
from tailrace.kernel.ordered.marks import sparse
from tailrace.kernel.ordered.runs import carried_on, joined
from tailrace.kernel.reducer import Closed, GroupReducer
from tailrace.kernel.time import FOREVER, NEVER, known_until
from tailrace.plan.event_columns import TIME
from tailrace.plan.model import NO_START, Window
from tailrace.plan.ordered import Sequence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Several

    from numpy.typing import NDArray

    from tailrace.kernel.ordered.crowding import Loss
    from tailrace.kernel.runs import Run
    from tailrace.plan.model import Bounds, Group, Rule


class Span(NamedTuple):
    """The time that a close is about: from ``first`` to ``known``, both included.

    ``start``: the rule's, events before it are passed over; ``begun``: when event time began, or
    the rule, if that was later. ``anew``: whoever is told has heard of no run that is open.
    """

    first: int
    known: int
    start: int
    begun: int
    anew: bool = True


class OrderedReducer(GroupReducer):
    """The state of one rule. Time is closed in order; a watermark never goes back."""

    def __init__(self, group: Group, bounds: Bounds, salt: str) -> None:
        """Start without state."""
        super().__init__(group, bounds, salt)
        assert group.ordered is not None  # noqa: S101 - made for such groups alone
        self.rule: Rule = group.rules[0]
        self.ordered = group.ordered
        self._marks = 0
        """So many marks of lost keys there were when they were last made few."""
        width = self.rule.window.width
        reach = -(-self.ordered.reach // width)
        self._crowding = Crowding(bounds.keys_per_bucket, reach, salt)
        self._lost = False
        """Something that was stored went."""

    def close(
        self,
        after: int,
        until: int,
        starts: Mapping[str, int],
        greatest: int,
        begun: int = NO_START,
    ) -> Closed:
        """Look at all events before the pane of ``until``; as ``GroupReducer.close``."""
        width = self.rule.window.width
        first = after // width * width
        known = max(greatest, after) if until == FOREVER else known_until(until, width)
        if known < first or known <= NEVER:
            return Closed()
        start = starts[self.rule.identity]
        span = Span(first, known, start, begun if start == NO_START else start)
        losses = self._losses(span)
        if not losses:
            return self._close(span)
        evicted = self._evict(losses)
        closed = self._close_around(span, [loss for loss in losses if len(loss.forgotten)])
        closed.evicted = evicted
        closed.forgotten = sum(len(loss.forgotten) for loss in losses)
        return closed

    @abstractmethod
    def _close(self, span: Span) -> Closed:
        """Look at the events of a span."""

    def _close_around(self, span: Span, losses: Several[Loss]) -> Closed:
        """Look at the events of a span, up to each pane in which keys are forgotten."""
        closed = Closed()
        first = span.first
        parts = []
        for loss in losses:
            begin = loss.pane * self.rule.window.width
            if begin > first:
                parts.append(self._close(span._replace(first=first, known=begin - 1)))
                first = begin
            self._forget_keys(loss.forgotten, loss.pane)
        parts.append(self._close(span._replace(first=first)))
        for part in parts:
            for identity, failed in part.failures.items():
                closed.failures[identity] = closed.failures.get(identity, 0) + failed
        firings = [found for part in parts for found in part.firings]
        if firings:
            closed.firings.append(carried_on(joined(firings), span.known))
        return closed

    # -- bounds ------------------------------------------------------------------------------------

    def _losses(self, span: Span) -> list[Loss]:
        """The panes of a span in which keys have no place."""
        if not self._crowding.possible(self.keys):
            return []
        width = self.rule.window.width
        first = span.first // width
        rows = self._runs.span(first, span.known // width + 1)
        if rows is None:
            return []
        coming = self._present(rows, span.start)
        return list(self._crowding.losses(self.keys, self._remembered(first, span.start), coming))

    @abstractmethod
    def _remembered(self, pane: int, start: int) -> Presence:
        """The keys that something is known of before a pane; ``start`` is the rule's."""

    def _forget_keys(self, keys: NDArray[np.int64], pane: int) -> None:
        """Drop what is known of some keys before a pane; all up to it was told."""
        self._lost = True
        gone = self._marked(keys)
        self._runs.map(lambda run: _without(run, (run.panes < pane) & gone[run.keys]))

    def _present(self, rows: Run, start: int) -> Presence:
        """Which rows take a place, by key and pane."""
        there = self._takes_place(rows) & (rows.columns[TIME] >= start)
        return Presence(rows.keys[there], rows.panes[there])

    def _takes_place(self, rows: Run) -> NDArray[np.bool_]:
        """Whether each event is one that its key is remembered for."""
        if isinstance(self.ordered, Sequence):
            fits: NDArray[np.bool_] = rows.columns["steps"] != 0
            return fits
        return np.ones(len(rows), np.bool_)

    def _evict(self, losses: Several[Loss]) -> int:
        """Drop the events of keys that have no place; how many they are."""
        base = losses[0].pane
        count = len(self.keys)
        gone = np.concatenate([(one.pane - base) * count + one.evicted for one in losses])
        for loss in losses:
            self._bound.touched[loss.pane] = self._bound.touched.get(loss.pane, 0) | loss.buckets
        before = len(self._runs)

        def without(run: Run) -> Run:
            hit = np.isin((run.panes - base) * count + run.keys, gone)
            return _without(run, hit & self._takes_place(run))

        self._runs.map(without)
        evicted = before - len(self._runs)
        self._lost = self._lost or evicted > 0
        return evicted

    def _marked(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        marked = np.zeros(len(self.keys), np.bool_)
        marked[keys] = True
        return marked

    @property
    def overgrown(self) -> bool:
        """Whether what is stored must be written anew, as some of it went."""
        return self._lost

    def contents(self) -> tuple[Run | None, dict[str, Run | None]]:
        """All rows held, for a rewrite of what is stored."""
        self._lost = False
        return super().contents()

    def needed_from(self, until: int) -> int:
        """The first pane that matters to instants at or after ``until``."""
        width = self.rule.window.width
        return (until // width * width - self.ordered.reach) // width

    def forget(self, until: int) -> None:
        """Drop what matters to no instant at or after ``until``."""
        pane = self.needed_from(until)
        self._runs.forget_before(pane)
        # An event that still matters shows what happened before it.
        width = self.rule.window.width
        self._bound.forget_before(pane - self.ordered.reach // width - 1)
        if len(self._bound.touched) > self._marks:
            self._bound.touched = sparse(self._bound.touched, (self.ordered.reach - 1) // width)
            self._marks = len(self._bound.touched)

    def _evicted(self, keys: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a pane that reaches into the time before an instant lost keys of the bucket."""
        window = Window(self.ordered.reach, 1, self.rule.window.width)
        return self._bound.flags(window, keys, at + 1, self.keys)


def _without(run: Run, gone: NDArray[np.bool_]) -> Run:
    return run.part(~gone) if gone.any() else run
