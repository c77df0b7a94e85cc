"""Looking things up in references: for events of a batch, and for windows that close.

A version of a reference is indexed once; then a lookup is a few array operations a batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.expr.nodes import Lookup, Type
from tailrace.expr.values import DTYPES, Values
from tailrace.kernel.time import NEVER
from tailrace.reference.snapshot import empty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tailrace.plan.references import Shape
    from tailrace.reference.snapshot import Snapshot

NOWHERE = -1
"""In place of a row's number: no row matches."""


class Index:
    """Finds the rows of one version by key and time; rows are sorted by key, then date."""

    def __init__(self, shape: Shape, snapshot: Snapshot) -> None:
        """Number the keys."""
        self.shape, self.snapshot = shape, snapshot
        table = snapshot.table
        self._words: list[pa.Array] = []
        codes = np.zeros(table.num_rows, np.int64)
        for name in shape.key:
            column = table[name].combine_chunks()
            words = column.unique()
            self._words.append(words)
            own = pc.index_in(column, value_set=words).to_numpy().astype(np.int64)
            codes = codes * len(words) + own
        # Keys of several columns make sparse codes; dense ones in the order of the rows.
        self._codes = codes
        starts = np.r_[True, codes[1:] != codes[:-1]] if len(codes) else np.zeros(0, np.bool_)
        self._firsts = np.flatnonzero(starts)
        self._groups = pa.array(codes[self._firsts])
        self._group_of_row = np.cumsum(starts) - 1
        self._dates = _dates(shape, table)

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._firsts)

    def find(self, key: Sequence[pa.Array], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row in force for each key and time, ``NOWHERE`` without one.

        ``key``: an array for each column of the key, times as int64 microseconds; a null matches
        nothing.
        """
        codes = np.zeros(len(times), np.int64)
        missing = np.zeros(len(times), np.bool_)
        for words, column in zip(self._words, key, strict=True):
            own = pc.index_in(column, value_set=words, skip_nulls=True)
            missing |= own.is_null().to_numpy(zero_copy_only=False)
            codes = codes * len(words) + own.fill_null(0).to_numpy().astype(np.int64)
        found = pc.index_in(pa.array(codes), value_set=self._groups)
        missing |= found.is_null().to_numpy(zero_copy_only=False)
        groups = found.fill_null(0).to_numpy().astype(np.int64)
        if not len(self._firsts):
            return np.full(len(times), NOWHERE, np.int64)
        rows = self._firsts[groups] if self._dates is None else self._in_force(groups, times)
        return np.where(missing, NOWHERE, rows)

    def _in_force(self, groups: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The last row of each group whose date isn't after the time."""
        dates = self._dates
        assert dates is not None  # noqa: S101 - the caller looked
        distinct = np.unique(dates)
        width = len(distinct) + 1
        ordered = self._group_of_row * width + np.searchsorted(distinct, dates) + 1
        wanted = groups * width + np.searchsorted(distinct, times, side="right")
        rows = np.searchsorted(ordered, wanted, side="right") - 1
        there = (rows >= 0) & (self._group_of_row[np.maximum(rows, 0)] == groups)
        return np.where(there, rows, NOWHERE)

    def dates_in(self, after: int, until: int) -> NDArray[np.int64]:
        """The distinct dates in ``(after, until]`` at which rows come into force."""
        if self._dates is None:
            return np.empty(0, np.int64)
        distinct = np.unique(self._dates)
        return distinct[(distinct > after) & (distinct <= until)]

    def column(self, lookup: Lookup, rows: NDArray[np.int64]) -> pa.Array:
        """What a lookup gives for rows that ``find`` found, as events have it."""
        if lookup.column is None:
            return pa.array(rows != NOWHERE)
        places = pa.array(rows, mask=rows == NOWHERE)
        values = self.snapshot.table[lookup.column].combine_chunks().take(places)
        return values.cast(pa.timestamp("us", "UTC")) if lookup.type is Type.TIME else values

    def values(self, lookup: Lookup, rows: NDArray[np.int64]) -> Values:
        """What a lookup gives for rows that ``find`` found, as windows have it."""
        if lookup.column is None:
            return Values(rows != NOWHERE)
        places = pa.array(rows, mask=rows == NOWHERE)
        column = self.snapshot.table[lookup.column].combine_chunks().take(places)
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        if lookup.type is Type.TEXT:
            return Values(column.to_numpy(zero_copy_only=False), valid)
        filled = column.fill_null(False if lookup.type is Type.BOOLEAN else 0)
        data = filled.to_numpy(zero_copy_only=False).astype(DTYPES[lookup.type])
        return Values(data, valid)

    def keys(self) -> pa.Table:
        """The distinct keys."""
        return self.snapshot.table.select(list(self.shape.key)).take(pa.array(self._firsts))


@dataclass(slots=True)
class Lookups:
    """The versions that are in force now, by the name of their reference's table."""

    indexes: dict[str, Index] = field(default_factory=dict)

    def use(self, shape: Shape, snapshot: Snapshot) -> None:
        """From now on this version is in force."""
        self.indexes[shape.name] = Index(shape, snapshot)

    def index(self, table: str, shape: Shape) -> Index:
        """The version in force; without one, one without rows."""
        if table not in self.indexes:
            self.indexes[table] = Index(shape, empty(shape))
        return self.indexes[table]


def _dates(shape: Shape, table: pa.Table) -> NDArray[np.int64] | None:
    if shape.dated is None:
        return None
    dates: NDArray[np.int64] = table[shape.dated].fill_null(NEVER).to_numpy()
    return dates


def key_array(values: Values, kind: Type) -> pa.Array:
    """Values of a window's key as ``Index.find`` takes them."""
    from tailrace.reference.snapshot import ARROW

    mask = None if values.valid is None else ~values.valid
    return pa.array(values.data, ARROW[kind], mask=mask)


def versions(lookups: Lookups, names: Sequence[str]) -> Mapping[str, str]:
    """The versions in force of these references."""
    return {
        name: lookups.indexes[name].snapshot.version for name in names if name in lookups.indexes
    }
