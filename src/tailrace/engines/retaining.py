"""How long the store keeps what is over and for people only: incidents, and keys once listed.

Nothing is computed from these rows any more, so when they go changes no result. What is here is
only from when on they stay; the store deletes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.kernel.time import NEVER

if TYPE_CHECKING:
    from tailrace.plan.model import Plan

_STEPS = 100
"""Rows are looked through once in so large a part of the time for which they are kept."""


class Retaining:
    """Tells when it is time to delete old rows; not for several threads."""

    def __init__(self) -> None:
        """Nothing was deleted yet."""
        self._last: int | None = None

    def due(self, plan: Plan, watermark: int, now: int) -> int | None:
        """The instant before which everything that is over goes; None: nothing to do.

        ``now``: the wall clock in microseconds. Whoever sends events of a distant future moves
        event time on; what people still want to see doesn't go by that.
        """
        kept = plan.config.store.retain
        if watermark == NEVER or kept is None:
            return None
        # Who asks which early notices were confirmed looks back as far as a window is long.
        longest = max((rule.window.size for rule in plan.rules), default=0)
        retain = max(int(kept), longest)
        step = max(1, retain // _STEPS)
        limit = (min(watermark, now) - retain) // step * step
        if limit == self._last:
            return None
        self._last = limit
        return limit
