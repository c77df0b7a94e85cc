"""Keys that had no event for a long time, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.ordered.kinds import NOTHING, Found
from tailrace.kernel.time import NEVER
from tailrace.plan.event_columns import TIME
from tailrace.plan.ordered import LAST_SEEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.kernel.ordered.reducer import Span
    from tailrace.kernel.ordered.states import States
    from tailrace.kernel.runs import Run
    from tailrace.plan.ordered import FirstSeen


class FirstSight:
    """A state is the time of the key's last event."""

    def __init__(self, rule: FirstSeen) -> None:
        """Look for keys that are new by ``rule``."""
        self._rule = rule

    def advance(self, rows: Run, states: States, span: Span) -> Found:
        """As ``Kind.advance``."""
        if not len(rows):
            return Found()
        keys, times = rows.keys, rows.columns[TIME]
        other = keys[1:] != keys[:-1]
        instants = np.flatnonzero(np.r_[True, other | (times[1:] != times[:-1])])
        keys, times = keys[instants], times[instants]
        first = np.r_[True, keys[1:] != keys[:-1]]
        before = np.r_[NOTHING, NEVER, times[:-1]]
        before[first] = states.times[keys[first]]
        within = self._rule.within
        # Events before the first one that was read are no reason to wait if nothing is learned.
        learned = span.begun + self._rule.learn if self._rule.learn else NEVER
        hit = np.flatnonzero((times - before >= within) & (times >= learned))
        last = np.flatnonzero(np.r_[first[1:], True])
        return Found(
            keys[hit],
            times[hit],
            values={LAST_SEEN: before[hit]},
            valid={LAST_SEEN: times[hit] - before[hit] < 2 * within},
            changed=keys[last],
            times=times[last],
        )

    def forgotten(
        self,
        keys: NDArray[np.int64],  # noqa: ARG002 - as all kinds
        states: States,  # noqa: ARG002
        at: int,  # noqa: ARG002
    ) -> Found | None:
        """Nothing lasts."""
        return None

    def due(self, states: States, reached: int) -> int | None:  # noqa: ARG002 - as all kinds
        """Nothing happens without events."""
        return None
