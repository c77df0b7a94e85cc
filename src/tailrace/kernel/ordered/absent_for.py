"""Keys that had events, and have none any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.ordered.kinds import Found
from tailrace.kernel.time import FOREVER
from tailrace.plan.event_columns import TIME
from tailrace.plan.ordered import LAST_SEEN

if TYPE_CHECKING:
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
        """As ``Kind.advance``; a key that stays absent is told of each time."""
        known = states.known()
        keys = np.concatenate([known, rows.keys])
        times = np.concatenate([states.times[known], rows.columns[TIME]])
        order = np.lexsort((times, keys))
        keys, times = keys[order], times[order]
        same = keys[1:] == keys[:-1]
        following = np.full(len(times), FOREVER)
        following[:-1][same] = times[1:][same]
        begins = times + self._rule.after
        lasts = np.minimum(np.minimum(following, times + self._rule.forget) - 1, span.known)
        ends = np.maximum(begins, span.first)
        hit = np.flatnonzero(ends <= lasts)
        last = np.flatnonzero((following == FOREVER) & (order >= len(known)))
        return Found(
            keys[hit],
            ends[hit],
            lasts[hit],
            begins[hit] >= span.first,
            {LAST_SEEN: times[hit]},
            seen=times[hit],
            changed=keys[last],
            times=times[last],
        )

    def due(self, states: States, reached: int) -> int | None:
        """When the next key is absent, or is no longer."""
        times = states.times[states.known()]
        instants = np.concatenate([times + self._rule.after, times + self._rule.forget])
        instants = instants[instants >= reached]
        return int(instants.min()) if len(instants) else None
