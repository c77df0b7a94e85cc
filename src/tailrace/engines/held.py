"""Archived events that wait until it is known whether their keys were listed.

An event is judged at its own time, a late one at the watermark that its own partition had come to
before it: both follow from contents alone. They are rows of the store until then.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.kernel.types import JUDGED_AT
from tailrace.store.commit import HeldDelta


class Held:
    """The events that wait, in the order in which they came."""

    def __init__(self, rows: pa.Table | None = None) -> None:
        """``rows``: those that the store has."""
        self._tables = [rows] if rows is not None and rows.num_rows else []
        self._fresh: list[pa.Table] = []

    def take(self, events: pa.Table) -> None:
        """Hold events, with ``JUDGED_AT``."""
        self._fresh.append(events)

    def release(self, until: int) -> pa.Table | None:
        """Give the events that are judged at or before ``until``, in the order they came."""
        out: list[pa.Table] = []
        self._tables = [kept for table in self._tables if (kept := _cut(table, until, out))]
        self._fresh = [kept for table in self._fresh if (kept := _cut(table, until, out))]
        return pa.concat_tables(out, promote_options="default") if out else None

    def delta(self, until: int) -> HeldDelta:
        """What the store must know after a ``release`` up to ``until``."""
        fresh, self._fresh = self._fresh, []
        self._tables += fresh
        rows = pa.concat_tables(fresh, promote_options="default") if fresh else None
        return HeldDelta(rows, until)

    @property
    def soonest(self) -> int | None:
        """The instant that the first of them waits for; None: none waits."""
        found = [pc.min(table[JUDGED_AT]).as_py() for table in (*self._tables, *self._fresh)]
        return min(found, default=None)

    @property
    def rows(self) -> int:
        """How many wait."""
        return sum(table.num_rows for table in (*self._tables, *self._fresh))

    @property
    def nbytes(self) -> int:
        """Their bytes."""
        return sum(table.nbytes for table in (*self._tables, *self._fresh))


def _cut(table: pa.Table, until: int, out: list[pa.Table]) -> pa.Table | None:
    """Move the rows that are due to ``out``; what stays, None if nothing does."""
    due = table[JUDGED_AT].to_numpy() <= until
    if due.all():
        out.append(table)
        return None
    if due.any():
        out.append(table.filter(pa.array(due)))
        table = table.filter(pa.array(~due))
    return table
