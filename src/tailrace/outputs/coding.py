"""Columns whose values recur: each distinct text is made once, and rows say which one they have.

Columns that stand side by side in each row become one where few of their combinations occur, so
that a row is put together of few pieces. How values become texts is ``texts``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 2048
"""Columns of fewer rows aren't worth it."""
_SAMPLE = 4096
"""So many rows tell whether values recur."""
_RECUR = 8
"""Rows for each combination that there must be at least on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Row i has the text ``texts[places[i]]``; no text is null."""

    texts: pa.StringArray
    places: NDArray[np.int32]

    def framed(self, before: str, after: str) -> Coded:
        """The same with ``before`` and ``after`` each text."""
        if not (before or after):
            return self
        return Coded(_concatenated(before, self.texts, after), self.places)

    def beside(self, other: Coded) -> Coded | None:
        """Both as one, the other's text behind each; None if too many combinations occur."""
        width = len(other.texts)
        size = len(self.texts) * width
        rows = len(self.places)
        if size > rows:
            return None
        both = self.places * np.int32(width) + other.places
        occurs = np.zeros(size, np.bool_)
        occurs[both] = True
        found = np.flatnonzero(occurs)
        if len(found) * _RECUR > rows:
            return None
        first = self.texts.take(pa.array(found // width))
        second = other.texts.take(pa.array(found % width))
        numbers = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
        return Coded(_concatenated(first, second), numbers[both])

    def spelled_out(self) -> pa.StringArray:
        """The text of each row."""
        return self.texts.take(pa.array(self.places))


Part: TypeAlias = pa.Array | Coded | str
"""A text for each row; a ``str`` is the same in every row."""


def recurring(column: pa.Array) -> pa.DictionaryArray | None:
    """A column by its distinct values; None if it is short, or most rows have a value of their own.

    What came by its distinct values stays as it is.
    """
    if pa.types.is_dictionary(column.type):
        return column
    if len(column) < FEW:
        return None
    sample = column.slice(len(column) // 2, _SAMPLE)
    if 2 * pc.count_distinct(sample, mode="all").as_py() > len(sample):
        return None
    found = column.dictionary_encode()
    return found if 2 * len(found.dictionary) <= len(column) else None


def condensed(parts: Iterable[Part]) -> Iterator[pa.Array | str]:
    """The same text in fewer parts, none of them coded."""
    fewer: list[Part] = []
    for part in parts:
        both = _as_one(fewer[-1], part) if fewer else None
        if both is None:
            fewer.append(part)
        else:
            fewer[-1] = both
    return (part.spelled_out() if isinstance(part, Coded) else part for part in fewer)


def _as_one(first: Part, second: Part) -> Part | None:
    """Two neighbours as one part, if that is less work."""
    match first, second:
        case str(), str():
            return first + second
        case str(), Coded():
            return second.framed(first, "")
        case Coded(), str():
            return first.framed("", second)
        case Coded(), Coded():
            return first.beside(second)
    return None


def _concatenated(*parts: pa.Array | str) -> pa.StringArray:
    given = (pa.scalar(part) if isinstance(part, str) else part for part in parts)
    return pc.binary_join_element_wise(*given, "")
