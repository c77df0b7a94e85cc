"""Keys that had events, and have none any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.ordered.kinds import Found
from tailrace.kernel.time import FOREVER, NEVER
from tailrace.plan.event_columns import TIME
from tailrace.plan.ordered import LAST_SEEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.kernel.ordered.reducer import Span
    from tailrace.kernel.ordered.states import States
    from tailrace.kernel.runs import Run
    from tailrace.plan.ordered import AbsentFor


class Absence:
    """A state is the time of the key's last event."""

    def __init__(self, rule: AbsentFor) -> None:
        """Look for keys that are absent by ``rule``."""
        self._rule = rule

    def advance(self, rows: Run, states: States, span: Span) -> Found:
        """As ``Kind.advance``; an absence is told when it begins and when it ends."""
        known = self._changing(rows, states, span)
        keys = np.concatenate([known, rows.keys])
        times = np.concatenate([states.times[known], rows.columns[TIME]])
        order = np.lexsort((times, keys))
        keys, times = keys[order], times[order]
        same = keys[1:] == keys[:-1]
        following = np.full(len(times), FOREVER)
        following[:-1][same] = times[1:][same]
        begins, lapse = times + self._rule.after, times + self._rule.forget - 1
        last = np.minimum(following - 1, lapse)
        ends = np.maximum(begins, span.first)
        # One that was told as open may end with the instant before the span.
        before = (begins < span.first) & (lapse >= span.first) & (last == span.first - 1)
        hit = np.flatnonzero((ends <= np.minimum(last, span.known)) | before)
        changed = np.flatnonzero((following == FOREVER) & (order >= len(known)))
        return Found(
            keys[hit],
            ends[hit],
            np.minimum(last, span.known)[hit],
            begins[hit] >= span.first,
            last[hit] > span.known,
            {LAST_SEEN: times[hit]},
            changed=keys[changed],
            times=times[changed],
        )

    def _changing(self, rows: Run, states: States, span: Span) -> NDArray[np.int64]:
        """The keys that have events now, or whose absence begins or ends in the span."""
        known = states.known()
        if span.anew:
            return known
        times = states.times[known]
        fresh = np.zeros(len(states.times), np.bool_)
        fresh[rows.keys] = True
        chosen = fresh[known]
        for instant in (times + self._rule.after, times + self._rule.forget - 1):
            chosen |= (instant >= span.first) & (instant <= span.known)
        return known[chosen]

    def forgotten(self, keys: NDArray[np.int64], states: States, at: int) -> Found | None:
        """The ends of absences that were told as open."""
        times = states.times[keys]
        begins, lapse = times + self._rule.after, times + self._rule.forget - 1
        hit = np.flatnonzero((times != NEVER) & (begins < at) & (lapse >= at))
        ends, nothing = np.full(len(hit), at), np.zeros(len(hit), np.bool_)
        return Found(keys[hit], ends, ends - 1, nothing, nothing, {LAST_SEEN: times[hit]})

    def due(self, states: States, reached: int) -> int | None:
        """When the next key is absent, or is no longer."""
        times = states.times[states.known()]
        instants = np.concatenate([times + self._rule.after, times + self._rule.forget])
        instants = instants[instants >= reached]
        return int(instants.min()) if len(instants) else None
