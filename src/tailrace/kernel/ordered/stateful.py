"""The reducer of rules that remember something of each key, and look at each event once.

What is remembered is stored as rows of the group whose ``n`` is 0, each replacing those of earlier
panes; they mean nothing once the kind's reach has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.ordered.crowding import Presence
from tailrace.kernel.ordered.kinds import kind_of
from tailrace.kernel.ordered.order import in_order
from tailrace.kernel.ordered.reducer import OrderedReducer, Span
from tailrace.kernel.ordered.runs import joined
from tailrace.kernel.ordered.states import States, blank_columns
from tailrace.kernel.reducer import Closed
from tailrace.kernel.runs import Run, concatenated, sorted_run
from tailrace.kernel.time import FOREVER
from tailrace.kernel.types import FLAG_EVICTED
from tailrace.plan.event_columns import TIME
from tailrace.plan.ordered import LAST_SEEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tailrace.kernel.ordered.kinds import Found
    from tailrace.kernel.types import GroupPartials, RuleFirings
    from tailrace.plan.model import Bounds, Group

_SPARE = 100_000
"""So many stored rows may mean nothing, besides half of them."""


class StatefulReducer(OrderedReducer):
    """The state of a rule of one of the kinds in ``kinds``."""

    def __init__(self, group: Group, bounds: Bounds, salt: str) -> None:
        """Start without state."""
        super().__init__(group, bounds, salt)
        self._kind = kind_of(self.ordered, bounds)
        self._states = States(self.ordered.of_key)
        self._blank = blank_columns(group)
        self._changed: list[NDArray[np.int64]] = []
        self._stored = 0
        self._anew = True
        """Nobody may know which runs are open."""
        self._ended: list[Found] = []
        """What is still to be told of keys that were forgotten."""

    def load(self, plain: Run, sides: Mapping[str, Run]) -> None:
        """Take back stored rows: events that wait, others that are done with, and states."""
        self._states.grow(len(self.keys))
        self._anew = True
        self._stored += len(plain)
        state = plain.columns["n"] == 0
        known = self._states.known()
        if len(known):
            held = self._states.rows(known, self.rule.window.width, self._blank)
            self._states.take(concatenated([held, plain.part(state)]))
        else:
            self._states.take(plain.part(state))
        super().load(plain.part(~state), sides)

    def add(self, partials: GroupPartials) -> tuple[Run, dict[str, Run], int, bool]:
        """Add a batch's events; as ``GroupReducer.add``."""
        self._stored += partials.plain.num_rows
        return super().add(partials)

    def _remembered(self, pane: int, start: int) -> Presence:  # noqa: ARG002 - as the base
        known = self._states.known()
        return Presence(known, self._states.times[known] // self.rule.window.width)

    def _forget_keys(self, keys: NDArray[np.int64], pane: int) -> None:
        super()._forget_keys(keys, pane)
        ended = self._kind.forgotten(keys, self._states, pane * self.rule.window.width)
        if ended is not None:
            self._ended.append(ended)
        self._states.drop(keys)

    def _close(self, span: Span) -> Closed:
        rule, width = self.rule, self.rule.window.width
        closed = Closed()
        self._states.grow(len(self.keys))
        rows = self._runs.span(span.first // width, span.known // width + 1)
        if rows is None:
            empty = np.empty(0, np.int64)
            rows = Run(empty, empty, self._blank)
        if span.start > span.first:
            rows = rows.part(rows.columns[TIME] >= span.start)
        rows = rows.part(in_order(rows, placed=self.ordered.placed))
        found = self._kind.advance(rows, self._states, span._replace(anew=self._anew))
        self._anew = False
        self._states.put(found.changed, found.times, found.columns)
        if len(found.changed):
            self._changed.append(found.changed)
        self._runs.forget_before(span.known // width + 1)
        told, self._ended = [*self._ended, found], []
        parts = [self._flagged(one.firings(rule)) for one in told if len(one.keys)]
        if parts:
            closed.firings.append(joined(parts))
        return closed

    def _flagged(self, firings: RuleFirings) -> RuleFirings:
        """Firings with the flag of lost keys, by the key's last event."""
        if self._bound.ever:
            at = firings.ends
            if firings.open is not None:
                at = firings.values[LAST_SEEN].to_numpy().astype(np.int64)
            firings.flags[:] |= self._evicted(firings.keys, at) * np.uint8(FLAG_EVICTED)
        return firings

    def forget(self, until: int) -> None:
        """Drop what matters to no instant at or after ``until``."""
        super().forget(until)
        self._states.forget_before(self.needed_from(until) * self.rule.window.width)

    def news(self) -> Run | None:
        """The states that changed since this was asked last."""
        changed, self._changed = self._changed, []
        if not changed:
            return None
        keys = np.unique(np.concatenate(changed))
        keys = keys[np.isin(keys, self._states.known())]
        self._stored += len(keys)
        return self._states.rows(keys, self.rule.window.width, self._blank)

    @property
    def overgrown(self) -> bool:
        """Whether some of what is stored went, or most of it means nothing any more."""
        return super().overgrown or self._stored > 2 * self.rows + _SPARE

    def contents(self) -> tuple[Run | None, dict[str, Run | None]]:
        """All rows held, for a rewrite of what is stored."""
        states = self._states.rows(self._states.known(), self.rule.window.width, self._blank)
        waiting = self._runs.span(-FOREVER, FOREVER)
        parts = [part for part in (waiting, states) if part is not None and len(part)]
        self._changed.clear()
        self._lost = False
        if not parts:
            self._stored = 0
            return None, {}
        whole = concatenated(parts)
        self._stored = len(whole)
        return sorted_run(whole.panes, whole.keys, whole.columns), {}

    def soonest(self, after: int, starts: object) -> int | None:  # noqa: ARG002 - as the base
        """The next end of a pane with events, or at which a state says something by itself."""
        width = self.rule.window.width
        reached = after // width * width
        found = []
        waiting = self._runs.bounds()
        if waiting is not None:
            found.append(max((waiting[0] + 1) * width, reached + width))
        due = self._kind.due(self._states, reached)
        if due is not None:
            found.append((due // width + 1) * width)
        return min(found, default=None)

    def _mark(self, present: NDArray[np.bool_]) -> None:
        super()._mark(present)
        present[self._states.known()] = True

    def _renumber(self, moved: NDArray[np.int64]) -> None:
        super()._renumber(moved)
        self._states.renumber(moved)
        self._changed = [moved[keys] for keys in self._changed]

    @property
    def held(self) -> tuple[int, int] | None:
        """The least and the greatest pane held."""
        found = [*(self._runs.bounds() or ())]
        times = self._states.times[self._states.known()]
        if len(times):
            width = self.rule.window.width
            found += [int(times.min()) // width, int(times.max()) // width]
        return (min(found), max(found)) if found else None

    @property
    def rows(self) -> int:
        """Events that wait, and states."""
        return len(self._runs) + len(self._states)

    @property
    def nbytes(self) -> int:
        """Bytes of all that is held."""
        return self._runs.nbytes + self._states.nbytes
