"""Dense integers for the keys of one version of a reference, made once and then only searched.

A key of several columns is numbered column by column: each pair of (what came before, value) that
occurs has a number of its own, so that numbers stay below the number of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MISSING = -1
"""In place of a number: there is none."""


class KeyCodes:
    """Numbers the distinct keys of some rows; ``of_rows`` are those of the rows."""

    def __init__(self, columns: Sequence[pa.Array], length: int) -> None:
        """``columns``: arrays of ``length`` values without nulls; without columns all are one."""
        self._columns: list[_Column] = []
        self._pairs: list[NDArray[np.int64]] = []
        codes = np.zeros(length, np.int64)
        for place, array in enumerate(columns):
            column = _Column(array)
            self._columns.append(column)
            if not place:
                codes = column.of_rows
                continue
            pairs, codes = np.unique(codes * len(column) + column.of_rows, return_inverse=True)
            self._pairs.append(pairs)
        self.of_rows: NDArray[np.int64] = codes.astype(np.int64)

    def find(self, key: Sequence[pa.Array], length: int) -> NDArray[np.int64]:
        """The number of each of ``length`` keys, ``MISSING`` if no row has it or it has a null."""
        codes = np.zeros(length, np.int64)
        missing = np.zeros(length, np.bool_)
        for place, (column, array) in enumerate(zip(self._columns, key, strict=True)):
            own = column.find(array)
            missing |= own == MISSING
            if not place:
                codes = own
                continue
            codes = _searched(self._pairs[place - 1], codes * len(column) + own)
            missing |= codes == MISSING
        return np.where(missing, MISSING, codes)


class _Column:
    """The distinct values of one column, and where each is found.

    Texts are found by their hashes, as eight bytes each are less than a dictionary; what has the
    hash of a text is compared with it.
    """

    def __init__(self, array: pa.Array) -> None:
        encoded = array.dictionary_encode()
        self._type = array.type
        self.of_rows: NDArray[np.int64] = encoded.indices.to_numpy().astype(np.int64)
        self._words = encoded.dictionary
        found = self._numbers(self._words)
        self._order = np.argsort(found, kind="stable")
        self._sorted = found[self._order]

    def __len__(self) -> int:
        return len(self._words)

    def _numbers(self, words: pa.Array) -> NDArray[np.int64]:
        if pa.types.is_string(self._type):
            return np.fromiter(map(hash, words.to_pylist()), np.int64, len(words))
        numbers: NDArray[np.int64] = words.cast(pa.int64()).to_numpy()
        return numbers

    def find(self, array: pa.Array) -> NDArray[np.int64]:
        """The place of each value among the distinct ones, ``MISSING`` for nulls and others."""
        if not len(self._words) or pa.types.is_null(array.type):
            return np.full(len(array), MISSING, np.int64)
        encoded = array.cast(self._type).dictionary_encode()
        words = encoded.dictionary
        wanted = self._numbers(words)
        places = np.searchsorted(self._sorted, wanted)
        found = self._same(places, wanted, words)
        # Of several texts with one hash the first may be another.
        while pa.types.is_string(self._type):
            following = np.minimum(places + 1, len(self._sorted) - 1)
            more = (found == MISSING) & (following > places) & (self._sorted[following] == wanted)
            if not more.any():
                break
            places = np.where(more, following, places)
            found = np.where(more, self._same(places, wanted, words), found)
        indices = encoded.indices.fill_null(len(words)).to_numpy()
        of_values: NDArray[np.int64] = np.append(found, MISSING)[indices]
        return of_values

    def _same(
        self, places: NDArray[np.int64], wanted: NDArray[np.int64], words: pa.Array
    ) -> NDArray[np.int64]:
        """The distinct value at each place of the order, if it is the word wanted."""
        inside = np.minimum(places, len(self._sorted) - 1)
        same = self._sorted[inside] == wanted
        there = self._order[inside]
        if pa.types.is_string(self._type):
            taken = self._words.take(pa.array(there))
            same &= pc.equal(taken, words).to_numpy(zero_copy_only=False)
        found: NDArray[np.int64] = np.where(same, there, MISSING)
        return found


def _searched(ordered: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each number among ascending ones, ``MISSING`` if it isn't there."""
    if not len(ordered):
        return np.full(len(wanted), MISSING, np.int64)
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[places] == wanted, places, MISSING)
