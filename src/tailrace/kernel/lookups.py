"""Looking things up in references: for events of a batch, and for windows that close.

A version of a reference is indexed once; then a lookup is a few array operations a batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Lookup, Type
from tailrace.expr.values import DTYPES, Values
from tailrace.kernel.key_codes import MISSING, KeyCodes
from tailrace.kernel.time import NEVER
from tailrace.reference.snapshot import empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from tailrace.plan.references import Join, Shape
    from tailrace.reference.snapshot import Snapshot

    Match = Callable[[Sequence[pa.Array]], Sequence[pa.Array]]

NOWHERE = -1
"""In place of a row's number: no row matches."""


class Index:
    """Finds the rows of one version by key and time; rows are sorted by key, then date.

    All that is searched is made once, when it is first needed.
    """

    def __init__(self, shape: Shape, snapshot: Snapshot) -> None:
        """Nothing is numbered yet."""
        self.shape, self.snapshot = shape, snapshot
        self._columns: dict[str, pa.Array] = {}
        self._candidates: dict[object, Candidates] = {}

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._groups.firsts)

    @cached_property
    def _codes(self) -> KeyCodes:
        return KeyCodes([self.array(name) for name in self.shape.key], self.snapshot.rows)

    @cached_property
    def _groups(self) -> _Groups:
        return _Groups(self._codes.of_rows)

    @cached_property
    def _dates(self) -> _Dates | None:
        if self.shape.dated is None:
            return None
        dates = self.array(self.shape.dated).fill_null(NEVER).to_numpy()
        return _Dates(dates, self._groups)

    def array(self, name: str) -> pa.Array:
        """A column of the version."""
        if name not in self._columns:
            self._columns[name] = self.snapshot.table[name].combine_chunks()
        return self._columns[name]

    def find(self, key: Sequence[pa.Array], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row in force for each key and time, ``NOWHERE`` without one.

        ``key``: an array for each column of the key, times as int64 microseconds; a null matches
        nothing.
        """
        if not self.snapshot.rows:
            return np.full(len(times), NOWHERE, np.int64)
        groups = self._groups.of_codes(self._codes.find(key, len(times)))
        rows = self._groups.firsts[groups]
        if self._dates is not None:
            rows = self._dates.in_force(groups, times)
        return np.where(groups == MISSING, NOWHERE, rows)

    def dates_in(self, after: int, until: int) -> NDArray[np.int64]:
        """The distinct dates in ``(after, until]`` at which rows come into force."""
        if self._dates is None:
            return np.empty(0, np.int64)
        first, last = np.searchsorted(self._dates.distinct, [after, until], side="right")
        return self._dates.distinct[first:last]

    def candidates(self, join: Join, match: Match) -> Candidates:
        """The keys of a rule that rows list.

        ``match`` gives what such keys, an array for each field, are matched by: only those that
        then find rows are listed.
        """
        place = (join.listed, join.match)
        if place not in self._candidates:
            self._candidates[place] = self._listed(join.listed or (), match)
        return self._candidates[place]

    def _listed(self, listed: tuple[int, ...], match: Match) -> Candidates:
        own = [self.array(self.shape.key[place]) for place in listed]
        _, rows = np.unique(KeyCodes(own, self.snapshot.rows).of_rows, return_index=True)
        fields = [array.take(pa.array(rows)) for array in own]
        groups = self._groups.of_codes(self._codes.find(match(fields), len(rows)))
        there = np.flatnonzero(groups != MISSING)
        begins = np.full(len(there), NEVER, np.int64)
        if self._dates is not None:
            begins = self._dates.begins(groups[there])
        return Candidates(tuple(array.take(pa.array(there)) for array in fields), begins)

    def column(self, lookup: Lookup, rows: NDArray[np.int64]) -> pa.Array:
        """What a lookup gives for rows that ``find`` found, as events have it."""
        if lookup.column is None:
            return pa.array(rows != NOWHERE)
        places = pa.array(rows, mask=rows == NOWHERE)
        values = self.array(lookup.column).take(places)
        return values.cast(pa.timestamp("us", "UTC")) if lookup.type is Type.TIME else values

    def values(self, lookup: Lookup, rows: NDArray[np.int64]) -> Values:
        """What a lookup gives for rows that ``find`` found, as windows have it."""
        if lookup.column is None:
            return Values(rows != NOWHERE)
        places = pa.array(rows, mask=rows == NOWHERE)
        column = self.array(lookup.column).take(places)
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        if lookup.type is Type.TEXT:
            return Values(column.to_numpy(zero_copy_only=False), valid)
        filled = column.fill_null(False if lookup.type is Type.BOOLEAN else 0)
        data = filled.to_numpy(zero_copy_only=False).astype(DTYPES[lookup.type])
        return Values(data, valid)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Keys of a rule, an array for each field, and from when on each has a row in force."""

    fields: tuple[pa.Array, ...]
    begins: NDArray[np.int64]


class _Groups:
    """The rows of each key: rows of one key follow each other."""

    def __init__(self, codes: NDArray[np.int64]) -> None:
        starts = np.ones(len(codes), np.bool_)
        starts[1:] = codes[1:] != codes[:-1]
        self.firsts = np.flatnonzero(starts)
        self.of_rows = np.cumsum(starts) - 1
        self._of_codes = np.empty(len(self.firsts), np.int64)
        self._of_codes[codes[self.firsts]] = np.arange(len(self.firsts))

    def of_codes(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The group of each code; ``MISSING`` stays."""
        return np.where(codes == MISSING, MISSING, self._of_codes[codes])


class _Dates:
    """From when on rows are in force."""

    def __init__(self, dates: NDArray[np.int64], groups: _Groups) -> None:
        self._group_of_row, self._firsts, self._dates = groups.of_rows, groups.firsts, dates
        self.distinct, ranks = np.unique(dates, return_inverse=True)
        # Below the square of the number of rows.
        self._width = len(self.distinct) + 1
        self._ordered = groups.of_rows * self._width + ranks + 1

    def in_force(self, groups: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The last row of each group whose date isn't after the time."""
        ranks = np.searchsorted(self.distinct, times, side="right")
        rows = np.searchsorted(self._ordered, groups * self._width + ranks, side="right") - 1
        there = (rows >= 0) & (self._group_of_row[np.maximum(rows, 0)] == groups)
        return np.where(there, rows, NOWHERE)

    def begins(self, groups: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first date of each group."""
        return self._dates[self._firsts[groups]]


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
