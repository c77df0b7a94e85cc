"""The partials of one group in memory: rows sorted by pane, merged on read, dropped by panes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tailrace.kernel import wide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


Column = NDArray[Any]
"""int64, float64, or object (128-bit integers, text, values with nulls)."""


@dataclass(frozen=True, slots=True)
class Run:
    """Rows sorted by pane: pane indexes, dense keys and named columns, all of one length."""

    panes: NDArray[np.int64]
    keys: NDArray[np.int64]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.panes)

    def span(self, low: int, high: int) -> Run:
        """The rows whose pane is in ``[low, high)``."""
        start, stop = np.searchsorted(self.panes, [low, high])
        return self.part(slice(int(start), int(stop)))

    def part(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Run:
        """Some of the rows, in order."""
        return Run(self.panes[rows], self.keys[rows], {k: c[rows] for k, c in self.columns.items()})


def sorted_run(
    panes: NDArray[np.int64], keys: NDArray[np.int64], columns: Mapping[str, Column]
) -> Run:
    """Make a run of rows in any order."""
    order = np.argsort(panes, kind="stable")
    return Run(panes[order], keys[order], {name: column[order] for name, column in columns.items()})


def concatenated(runs: list[Run]) -> Run:
    """The rows of several runs, not sorted."""
    if len(runs) == 1:
        return runs[0]
    names = runs[0].columns
    return Run(
        np.concatenate([run.panes for run in runs]),
        np.concatenate([run.keys for run in runs]),
        {name: np.concatenate([run.columns[name] for run in runs]) for name in names},
    )


class Runs:
    """All rows of one table of partials; a (key, pane) may have several, merged on read."""

    _MOST = 24

    def __init__(self) -> None:
        """Start empty."""
        self._runs: list[Run] = []

    def __len__(self) -> int:
        """The number of rows held."""
        return sum(len(run) for run in self._runs)

    def append(self, run: Run) -> None:
        """Add rows; runs of like size are joined now and then, so that reading stays cheap."""
        if not len(run):
            return
        self._runs.append(run)
        if len(self._runs) > self._MOST:
            self._runs.sort(key=len, reverse=True)
            tail = self._runs[self._MOST // 4 :]
            joined = concatenated(tail)
            self._runs[self._MOST // 4 :] = [sorted_run(joined.panes, joined.keys, joined.columns)]

    def span(self, low: int, high: int, only: NDArray[np.bool_] | None = None) -> Run | None:
        """The rows whose pane is in ``[low, high)``, not sorted; None if there are none.

        ``only``: for each key whether its rows are wanted.
        """
        parts = [part for run in self._runs if len(part := run.span(low, high))]
        if only is not None:
            chosen = (part.part(np.flatnonzero(only[part.keys])) for part in parts)
            parts = [part for part in chosen if len(part)]
        return concatenated(parts) if parts else None

    def forget_before(self, pane: int) -> None:
        """Drop all rows of panes before this one."""
        kept = []
        for run in self._runs:
            start = int(np.searchsorted(run.panes, pane))
            if start == 0:
                kept.append(run)
            elif start < len(run):
                part = run.part(slice(start, None))
                # A slice keeps the whole array alive: copy once most of it is gone.
                if start > len(run) // 2:
                    part = part.part(np.arange(len(part)))
                kept.append(part)
        self._runs = kept

    def bounds(self) -> tuple[int, int] | None:
        """The least and the greatest pane held."""
        if not self._runs:
            return None
        return min(int(r.panes[0]) for r in self._runs), max(int(r.panes[-1]) for r in self._runs)

    def map(self, change: Callable[[Run], Run]) -> None:
        """Replace every run by what ``change`` makes of it."""
        self._runs = [changed for run in self._runs if len(changed := change(run))]

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays held (objects count as their references)."""
        return sum(
            run.panes.nbytes + run.keys.nbytes + sum(c.nbytes for c in run.columns.values())
            for run in self._runs
        )


def partial_column(column: pa.ChunkedArray) -> Column:
    """A column of partials as the kernel holds it: exact sums, texts as objects, else plain."""
    if pa.types.is_decimal(column.type):
        return wide.from_arrow(column)
    if pa.types.is_dictionary(column.type):
        return np.concatenate([np.empty(0, np.object_), *map(_words, column.chunks)])
    if pa.types.is_string(column.type):
        return np.array(column.to_pylist(), np.object_)
    plain: Column = column.to_numpy()
    return plain


def _words(chunk: pa.DictionaryArray) -> Column:
    """The texts of a dictionary array, each distinct one being one object."""
    words = np.array([*chunk.dictionary.to_pylist(), None], np.object_)
    indices = chunk.indices.fill_null(len(words) - 1)
    found: Column = words[indices.to_numpy()]
    return found
