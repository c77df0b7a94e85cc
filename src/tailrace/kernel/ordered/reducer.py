"""What all reducers of rules that see events in order have in common.

An event is a row of its own. Rows wait until the watermark has passed their pane, and are then
looked at in order; what is done with them is the kind's business.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from tailrace.kernel.ordered.marks import sparse
from tailrace.kernel.reducer import Closed, GroupReducer
from tailrace.kernel.time import FOREVER, NEVER, known_until
from tailrace.plan.model import NO_START, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from tailrace.plan.model import Bounds, Group, Rule


class Span(NamedTuple):
    """The time that a close is about: from ``first`` to ``known``, both included.

    ``start``: the rule's, events before it are passed over; ``begun``: when event time began, or
    the rule, if that was later.
    """

    first: int
    known: int
    start: int
    begun: int


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
        return self._close(Span(first, known, start, begun if start == NO_START else start))

    @abstractmethod
    def _close(self, span: Span) -> Closed:
        """Look at the events of a span."""

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
