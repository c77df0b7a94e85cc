"""Archived events that wait until it is known whether their keys were listed.

An event is judged at its own time, a late one at the watermark that its own partition had come to
before it: both follow from contents alone. They are rows of the store until then; as long as there
are few they are in memory, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.kernel.batch_columns import spelled_out
from tailrace.kernel.types import JUDGED_AT
from tailrace.store.commit import HeldDelta

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_BYTES = 64 << 20
"""Of events in memory; more are read back from the store when their time comes."""


class Kept(Protocol):
    """The store of those that were committed."""

    def held(self, until: int) -> pa.Table | None:
        """Those judged at or before ``until``, in the order in which they came."""
        ...

    def held_after(self, until: int | None) -> tuple[int, int | None]:
        """How many are judged after ``until`` (None: all), and the first instant of these."""
        ...


class Held:
    """The events that wait, in the order in which they came."""

    def __init__(self, kept: Kept | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        """``kept``: the store, of which those that it has are taken up."""
        self._kept = kept
        self._most_bytes = most_bytes
        self._stored, self._first = kept.held_after(None) if kept is not None else (0, None)
        """Events that are in the store alone: how many, the first instant."""
        self._tables: list[pa.Table] = []
        self._fresh: list[pa.Table] = []

    def take(self, events: pa.Table) -> None:
        """Hold events, with ``JUDGED_AT``."""
        self._fresh.append(events)

    def release(self, until: int) -> pa.Table | None:
        """Give the events that are judged at or before ``until``, in the order they came."""
        out: list[pa.Table] = []
        if self._kept is not None and self._first is not None and self._first <= until:
            stored = self._kept.held(until)
            out += [stored] if stored is not None else []
            self._stored, self._first = self._kept.held_after(until)
        self._tables = _left(self._tables, until, out)
        self._fresh = _left(self._fresh, until, out)
        return _joined(out) if out else None

    def delta(self, until: int) -> HeldDelta:
        """What the store must know after a ``release`` up to ``until``; it is committed then."""
        fresh, self._fresh = self._fresh, []
        rows = _joined(fresh) if fresh else None
        self._tables += fresh
        if self._kept is not None and (self._stored or self.nbytes > self._most_bytes):
            # Those in the store come first: what came after them waits there, too.
            self._stored += sum(table.num_rows for table in self._tables)
            firsts = [*_firsts(self._tables), *([self._first] if self._first is not None else [])]
            self._first = min(firsts, default=None)
            self._tables = []
        return HeldDelta(rows, until)

    @property
    def soonest(self) -> int | None:
        """The instant that the first of them waits for; None: none waits."""
        found = [*_firsts(self._tables), *_firsts(self._fresh)]
        found += [] if self._first is None else [self._first]
        return min(found, default=None)

    @property
    def rows(self) -> int:
        """How many wait."""
        waiting: int = sum(table.num_rows for table in (*self._tables, *self._fresh))
        return self._stored + waiting

    @property
    def nbytes(self) -> int:
        """The bytes of those in memory."""
        return sum(table.nbytes for table in (*self._tables, *self._fresh))


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Events of several batches; those from the store have texts where others name them."""
    if len({table.schema for table in tables}) > 1:
        tables = [spelled_out(table) for table in tables]
    return pa.concat_tables(tables, promote_options="default")


def _firsts(tables: Sequence[pa.Table]) -> list[int]:
    return [int(pc.min(table[JUDGED_AT]).as_py()) for table in tables if table.num_rows]


def _left(tables: Sequence[pa.Table], until: int, out: list[pa.Table]) -> list[pa.Table]:
    """Move the rows that are due to ``out``; the tables that stay."""
    left: list[pa.Table] = []
    for table in tables:
        due = table[JUDGED_AT].to_numpy() <= until
        out += _chosen(table, due)
        left += map(_let_go, _chosen(table, ~due))
    return left


def _let_go(part: pa.Table) -> pa.Table:
    """The rows; as a copy if they keep more than as much again of others in memory."""
    if part.get_total_buffer_size() <= 2 * part.nbytes:
        return part
    return part.take(pa.array(np.arange(part.num_rows)))


def _chosen(table: pa.Table, rows: NDArray[np.bool_]) -> list[pa.Table]:
    """The rows that are chosen, in order; a run of many, as it mostly is, isn't copied."""
    if not rows.any():
        return []
    first, end = int(rows.argmax()), len(rows) - int(rows[::-1].argmax())
    inside = rows[first:end]
    if inside.all():
        return [table.slice(first, end - first)]
    gap = int(inside.argmin())
    back = len(inside) - int(inside[::-1].argmin())
    middle = table.slice(first + gap, back - gap).filter(pa.array(inside[gap:back]))
    parts = table.slice(first, gap), middle, table.slice(first + back, end - first - back)
    return [part for part in parts if part.num_rows]
