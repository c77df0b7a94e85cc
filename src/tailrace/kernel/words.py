"""A column's distinct values, and which of them each event has: what is asked of texts is cheap.

Columns are encoded here, by whoever decodes or by the kernel; what is done with them is elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tailrace.formats.records import Decoded

SAMPLE = 4096
"""So many events tell whether a column's texts recur."""


class Words(NamedTuple):
    """A column by its distinct values: ``places[row]`` is that of the row's value among them.

    A null's place is ``len(values)``; ``nulls`` says whether there is any.
    """

    values: pa.Array
    places: NDArray[np.int64]
    nulls: bool

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Words:
        """A column of texts, or of integers, by its distinct ones."""
        whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        return cls._of_encoded(pc.dictionary_encode(whole))

    @classmethod
    def joined(cls, parts: Sequence[pa.DictionaryArray]) -> Words:
        """The column that these are the parts of, in order."""
        whole = pa.chunked_array(parts).unify_dictionaries()
        words = max((chunk.dictionary for chunk in whole.chunks), key=len)
        indices = pa.chunked_array([chunk.indices for chunk in whole.chunks]).combine_chunks()
        return cls._of_encoded(pa.DictionaryArray.from_arrays(indices, words))

    @classmethod
    def _of_encoded(cls, encoded: pa.DictionaryArray) -> Words:
        values, indices = encoded.dictionary, encoded.indices
        nulls = indices.null_count > 0
        if nulls:
            indices = indices.fill_null(len(values))
        return cls(values, indices.to_numpy().astype(np.int64), nulls)


def varied(column: pa.ChunkedArray) -> bool:
    """Whether most events have a text of their own: nothing is gained by encoding them.

    Of so many events that are taken at random of ``D`` texts, ``SAMPLE ** 2 / (2 * D)`` have a text
    that another of them has.
    """
    length = len(column)
    if length < 2 * SAMPLE:
        return False
    again: int = SAMPLE - pc.count_distinct(column.slice(length // 2, SAMPLE)).as_py()
    return again < SAMPLE * SAMPLE // length


def encoded(decoded: Decoded, names: Iterable[str]) -> Decoded:
    """Events with ``words`` of those of the named fields whose texts recur.

    Whoever decodes does it beside the kernel.
    """
    there = [name for name in names if name in decoded.events.column_names]
    columns = {name: decoded.events[name] for name in there}
    words = {
        name: pc.dictionary_encode(column.chunk(0))
        for name, column in columns.items()
        if column.num_chunks == 1 and not varied(column)
    }
    return replace(decoded, words=words)


def numbered(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct ones of some integers, in any order, and the place of each among them."""
    found = pc.dictionary_encode(pa.array(values))
    return found.dictionary.to_numpy(), found.indices.to_numpy().astype(np.int64)


def keyed(words: pa.Array, places: NDArray[np.int64]) -> pa.DictionaryArray:
    """Texts by their places among some words; the dictionary has only those that occur."""
    occurs = np.zeros(len(words), np.bool_)
    occurs[places] = True
    if not occurs.all():
        words = words.take(pa.array(np.flatnonzero(occurs)))
        places = (np.cumsum(occurs) - 1)[places]
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), words)
