"""Events compared with the one before of their key: what ``changes`` counts.

State are the events themselves; whether one is a change follows from those before it alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.ordered.order import in_order
from tailrace.kernel.reducer import GroupReducer
from tailrace.kernel.runs import Run
from tailrace.plan.event_columns import TIME, there
from tailrace.plan.model import CHANGES
from tailrace.plan.ordered import PLACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.plan.model import Rule


class ComparingReducer(GroupReducer):
    """The state of a rule over windows that counts changes."""

    def needed_from(self, until: int) -> int:
        """The first pane that a window which ends after ``until`` can hold, or compare with."""
        window = self.group.rules[0].window
        return super().needed_from(until) - -(-window.size // window.width)

    def _window_rows(
        self, rule: Rule, after: int, until: int, only: NDArray[np.bool_] | None = None
    ) -> Run | None:
        window = rule.window
        rows = super()._window_rows(rule, after - window.size, until, only)
        if rows is None:
            return None
        order = in_order(rows, placed=True)
        rows = compared(rule, _without_places(rows).part(order))
        low, high = (after - window.size) // window.width, until // window.width + 1
        rows = rows.part((rows.panes >= low) & (rows.panes < high))
        return rows if len(rows) else None


def _without_places(rows: Run) -> Run:
    """Rows without what is only there to put them in order."""
    places = {name for name, _ in PLACE}
    columns = {name: column for name, column in rows.columns.items() if name not in places}
    return Run(rows.panes, rows.keys, columns)


def compared(rule: Rule, rows: Run) -> Run:
    """Rows in order, with 1 in the column of a count of changes for those that are one, else 0."""
    times = rows.columns[TIME]
    columns = dict(rows.columns)
    for partial in {p.name: p for m in rule.measures for p in m.partials}.values():
        if partial.term != CHANGES:
            continue
        present = np.flatnonzero(rows.columns[there(partial.name)])
        before, after = present[:-1], present[1:]
        items = rows.columns[partial.name]
        changed = (items[before] != items[after]) & (rows.keys[before] == rows.keys[after])
        changed &= times[after] - times[before] <= rule.window.size
        marks = np.zeros(len(rows), np.int64)
        marks[after[changed]] = 1
        columns[partial.name] = marks
    return Run(rows.panes, rows.keys, columns)
