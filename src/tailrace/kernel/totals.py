"""Totals of closed windows from pane partials, for all keys at once.

What can be taken away again (counts, sums) is totalled by differences of running sums over a matrix
of panes and keys, or, when that matrix would be large, by a total for each key to which entering
panes are added and from which leaving ones are taken. The rest (least, greatest) is merged for each
window. All give the same rows: one for each (key, window) that an accepted event lies in.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.runs import Run
from tailrace.kernel.time import ends_between, next_end
from tailrace.kernel.wide import addable
from tailrace.plan.model import PartialKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Column
    from tailrace.plan.model import Partial, Window

CELLS = 4_000_000
"""The most cells (panes times keys) of one matrix: a few arrays of 8 bytes a cell."""

_DENSE = 20
"""A cell of a matrix costs about this much less than a row of a merge."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows of (key, window).

    ``keys``: dense numbers; ``ends``: microseconds; ``n``: accepted events; a column a partial.
    """

    keys: NDArray[np.int64]
    ends: NDArray[np.int64]
    n: NDArray[np.int64]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.keys)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Totals:
        """Some of the rows, in order."""
        return Totals(
            self.keys[rows],
            self.ends[rows],
            self.n[rows],
            {k: c[rows] for k, c in self.columns.items()},
        )


def window_totals(
    rows: Run,
    window: Window,
    partials: Sequence[Partial],
    after: int,
    until: int,
    *,
    cells: int = CELLS,
) -> Iterator[Totals]:
    """Totals of the windows whose end lies in ``(after, until]``, in blocks by ascending end.

    ``rows`` must hold all partials of the panes of these windows: column ``n`` and those of
    ``partials``.
    """
    if not len(rows):
        return
    first = max(after, int(rows.panes.min()) * window.width)
    last = min(until, int(rows.panes.max()) * window.width + window.size)
    if next_end(first, window.size, window.every) > last:
        return
    if all(p.kind.additive for p in partials):
        local, place = _local_keys(rows.keys)
        dense = ((last - first) // window.width + window.size // window.width) * len(local)
        if dense <= max(cells, _DENSE * len(rows) * -(-window.size // window.every)):
            ends = ends_between(first, last, window.size, window.every)
            names = [p.name for p in partials]
            yield from _additive(rows, place, local, window, names, ends, cells)
            return
    yield from _merged(rows, window, partials, first, last, cells)


def _local_keys(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct keys among rows, and for each row the index of its key among them."""
    highest = int(keys.max()) + 1
    if highest <= 4 * len(keys) + 1024:
        present = np.zeros(highest, np.bool_)
        present[keys] = True
        local = np.flatnonzero(present)
        place = np.cumsum(present) - 1
        return local, place[keys]
    local, place = np.unique(keys, return_inverse=True)
    return local, place


def _additive(
    rows: Run,
    place: NDArray[np.int64],
    local: NDArray[np.int64],
    window: Window,
    names: Sequence[str],
    ends: NDArray[np.int64],
    cells: int,
) -> Iterator[Totals]:
    columns = {"n": rows.columns["n"], **{name: addable(rows.columns[name]) for name in names}}
    back, step = window.size // window.width, window.every // window.width
    per_block = cells // len(local) - back
    if per_block < back and per_block < (len(ends) - 1) * step + 1:
        yield from _rolling(rows, place, local, columns, window, ends)
        return
    count = max(1, per_block // step)
    order = np.argsort(rows.panes, kind="stable")
    panes, place = rows.panes[order], place[order]
    columns = {name: column[order] for name, column in columns.items()}
    for first in range(0, len(ends), count):
        block = ends[first : first + count]
        yield from _matrix(panes, place, local, columns, window, block)


def _matrix(
    panes: NDArray[np.int64],
    place: NDArray[np.int64],
    local: NDArray[np.int64],
    columns: Mapping[str, Column],
    window: Window,
    ends: NDArray[np.int64],
) -> Iterator[Totals]:
    """Differences of running sums over a (pane, key) matrix."""
    low = (int(ends[0]) - window.size) // window.width
    high = int(ends[-1]) // window.width
    start, stop = np.searchsorted(panes, [low, high])
    if start == stop:
        return
    cell = (panes[start:stop] - low) * len(local) + place[start:stop]
    upper = ends // window.width - low
    lower = upper - window.size // window.width

    def totals(column: Column) -> Column:
        matrix = np.zeros((high - low + 1, len(local)), column.dtype)
        np.add.at(matrix[1:].reshape(-1), cell, column[start:stop])
        np.cumsum(matrix, axis=0, out=matrix)
        return (matrix[upper] - matrix[lower]).reshape(-1)

    n = totals(columns["n"])
    there = np.flatnonzero(n)
    if not len(there):
        return
    yield Totals(
        local[there % len(local)],
        ends[there // len(local)],
        n[there],
        {name: totals(column)[there] for name, column in columns.items() if name != "n"},
    )


def _rolling(
    rows: Run,
    place: NDArray[np.int64],
    local: NDArray[np.int64],
    columns: Mapping[str, Column],
    window: Window,
    ends: NDArray[np.int64],
) -> Iterator[Totals]:
    """One total a key: panes that enter are added, panes that leave are taken away."""
    order = np.argsort(rows.panes, kind="stable")
    panes, place = rows.panes[order], place[order]
    columns = {name: column[order] for name, column in columns.items()}
    current: dict[str, Column] = {
        name: np.zeros(len(local), c.dtype) for name, c in columns.items()
    }
    entered = left = (int(ends[0]) - window.size) // window.width
    for end in ends.tolist():
        enter_to, leave_to = end // window.width, (end - window.size) // window.width
        a, b, c, d = np.searchsorted(panes, [entered, enter_to, left, leave_to]).tolist()
        for name, column in columns.items():
            np.add.at(current[name], place[a:b], column[a:b])
            np.subtract.at(current[name], place[c:d], column[c:d])
        entered, left = enter_to, leave_to
        there = np.flatnonzero(current["n"])
        if len(there):
            yield Totals(
                local[there],
                np.full(len(there), end, np.int64),
                current["n"][there],
                {name: column[there] for name, column in current.items() if name != "n"},
            )


def _merged(
    rows: Run, window: Window, partials: Sequence[Partial], after: int, until: int, cells: int
) -> Iterator[Totals]:
    """Each window merged from its panes, in blocks whose expanded rows are bounded."""
    kinds = {p.name: p.kind for p in partials}
    columns = {
        name: addable(c) if _added(kinds.get(name)) else c for name, c in rows.columns.items()
    }
    order = np.argsort(rows.panes, kind="stable")
    whole = Run(
        rows.panes[order], rows.keys[order], {name: c[order] for name, c in columns.items()}
    )
    blocks = max(1, len(rows) * -(-window.size // window.every) // cells)
    cuts = [
        int(p) * window.width
        for p in whole.panes[len(rows) // blocks :: max(1, len(rows) // blocks)]
    ]
    edges = [after, *sorted({cut for cut in cuts if after < cut < until}), until]
    for low, high in pairwise(edges):
        start = (low - window.size) // window.width
        part = whole.span(start, high // window.width + 1)
        index, end = expand(part.panes, window, low, high)
        if not len(index):
            continue
        keys = part.keys[index]
        order = np.lexsort((keys, end))
        keys, end, index = keys[order], end[order], index[order]
        starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]) | (end[1:] != end[:-1])])
        yield Totals(
            keys[starts],
            end[starts],
            np.add.reduceat(part.columns["n"][index], starts),
            {p.name: merge(p.kind, part.columns[p.name][index], starts) for p in partials},
        )


def _added(kind: PartialKind | None) -> bool:
    return kind is not None and kind.additive


def expand(
    panes: NDArray[np.int64], window: Window, after: int, until: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each row with each window that holds its pane and ends in ``(after, until]``.

    Returns the rows' indexes and the windows' ends.
    """
    base = np.floor_divide(panes * window.width, window.every)
    indices: list[NDArray[np.int64]] = []
    ends: list[NDArray[np.int64]] = []
    for back in range(-(-window.size // window.every)):
        end = (base - back) * window.every + window.size
        chosen = np.flatnonzero(
            (end >= (panes + 1) * window.width) & (end > after) & (end <= until)
        )
        indices.append(chosen)
        ends.append(end[chosen])
    return np.concatenate(indices), np.concatenate(ends)


def merge(kind: PartialKind, values: Column, starts: NDArray[np.int64]) -> Column:
    """Merge each run of rows that begins at one of ``starts``."""
    if kind.additive:
        return np.add.reduceat(values, starts)
    least = kind is PartialKind.LEAST
    if values.dtype != np.object_:
        return (np.minimum if least else np.maximum).reduceat(values, starts)
    choose = (
        min if least else max
    )  # text compares by code point, which is the order of its UTF-8 bytes
    merged = np.empty(len(starts), np.object_)
    edges = [*starts.tolist(), len(values)]
    for place, (start, stop) in enumerate(pairwise(edges)):
        present = [v for v in values[start:stop] if v is not None]
        merged[place] = choose(present) if present else None
    return merged
