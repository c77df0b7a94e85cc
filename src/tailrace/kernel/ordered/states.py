"""What is remembered of each key, as arrays by the key's number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailrace.expr.nodes import Type
from tailrace.kernel.ordered.item_sets import restored, stored
from tailrace.kernel.runs import Run, sorted_run
from tailrace.kernel.time import NEVER
from tailrace.plan.event_columns import TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from tailrace.kernel.runs import Column
    from tailrace.plan.model import Group
    from tailrace.plan.ordered import Columns


class States:
    """The time of each key's last event, and the columns of its kind; ``NEVER`` without a state.

    A column of texts holds sets of items, which are texts in rows only.
    """

    def __init__(self, columns: Columns) -> None:
        """Nothing is remembered."""
        self._types = dict(columns)
        self.times: NDArray[np.int64] = np.empty(0, np.int64)
        self.columns: dict[str, Column] = {
            name: np.empty(0, _dtype(type_)) for name, type_ in columns
        }

    def __len__(self) -> int:
        """How many keys there is a state of."""
        return int((self.times != NEVER).sum())

    def grow(self, keys: int) -> None:
        """Have room for so many keys."""
        more = keys - len(self.times)
        if more <= 0:
            return
        more = max(more, len(self.times) // 2)
        self.times = np.concatenate([self.times, np.full(more, NEVER)])
        for name, type_ in self._types.items():
            room = np.zeros(more, np.int64) if type_ is not Type.TEXT else np.full(more, None)
            self.columns[name] = np.concatenate([self.columns[name], room])

    def put(
        self, keys: NDArray[np.int64], times: NDArray[np.int64], columns: Mapping[str, Column]
    ) -> None:
        """Replace the states of some keys, each given once."""
        self.times[keys] = times
        for name, values in columns.items():
            self.columns[name][keys] = values

    def take(self, rows: Run) -> None:
        """Take back rows that ``rows`` gave, the last one of a key being of the greatest pane."""
        order = np.lexsort((rows.panes, rows.keys))
        keys = rows.keys[order]
        last = order[np.r_[keys[1:] != keys[:-1], True][: len(keys)]]
        found = {name: self._held(name, rows.columns[name][last]) for name in self._types}
        self.put(rows.keys[last], rows.columns[TIME][last], found)

    def rows(self, keys: NDArray[np.int64], width: int, blank: Mapping[str, Column]) -> Run:
        """The states of some keys as rows of their group, ``n`` being 0.

        ``blank``: for each column of the group an empty array of its type.
        """
        own = {TIME: self.times[keys]}
        own |= {name: self._told(name, column[keys]) for name, column in self.columns.items()}
        columns = {
            name: own[name] if name in own else _nothing(len(keys), column)
            for name, column in blank.items()
        }
        return sorted_run(self.times[keys] // width, keys, columns)

    def _held(self, name: str, values: Column) -> Column:
        """A column of rows as it is kept here."""
        return _each(restored, values) if self._types[name] is Type.TEXT else values

    def _told(self, name: str, values: Column) -> Column:
        """A column as it is in rows."""
        return _each(stored, values) if self._types[name] is Type.TEXT else values

    def known(self) -> NDArray[np.int64]:
        """The keys that there is a state of."""
        return np.flatnonzero(self.times != NEVER)

    def forget_before(self, time: int) -> None:
        """Drop the states of keys whose last event was before a time."""
        self.drop(np.flatnonzero((self.times < time) & (self.times != NEVER)))

    def drop(self, gone: NDArray[np.int64]) -> None:
        """Drop the states of some keys."""
        self.times[gone] = NEVER
        for name, type_ in self._types.items():
            self.columns[name][gone] = None if type_ is Type.TEXT else 0

    def renumber(self, moved: NDArray[np.int64]) -> None:
        """Keys get the numbers that ``moved`` has for them, -1 where they are forgotten."""
        moved = moved[: len(self.times)]
        kept = np.flatnonzero(moved >= 0)
        before, columns = self.times, self.columns
        self.times = np.empty(0, np.int64)
        self.columns = {name: np.empty(0, c.dtype) for name, c in columns.items()}
        self.grow(len(kept))
        self.put(moved[kept], before[kept], {name: c[kept] for name, c in columns.items()})

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.times.nbytes + sum(column.nbytes for column in self.columns.values())


def _each(convert: Callable[[Any], object], values: Column) -> Column:
    """Each value converted; a set among them stays one value."""
    found = np.full(len(values), None)
    for place in np.flatnonzero(values != None).tolist():  # noqa: E711 - each of an array
        found[place] = convert(values[place])
    return found


def _dtype(type_: Type) -> type:
    return object if type_ is Type.TEXT else np.int64


def _nothing(length: int, like: Column) -> Column:
    """A column without values."""
    if like.dtype == np.object_:
        return np.full(length, None)
    found: Column = np.zeros(length, like.dtype)
    return found


def blank_columns(group: Group) -> dict[str, Column]:
    """For each column of a group's rows an empty array of its type."""
    columns: dict[str, Column] = {"n": np.empty(0, np.int64)}
    for partial in group.plain:
        columns[partial.name] = np.empty(0, _dtype(partial.type or Type.INTEGER))
    return columns
