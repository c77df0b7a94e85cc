"""Dense integers for keys: every key of a group gets a number, so that totals are plain arrays.

The numbers are private to one process; what is stored or sent is always the key itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.expr.nodes import Type
from tailrace.kernel.hashing import buckets, salted
from tailrace.plan.identity import Time

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

KeyValue = str | int | bool | Time
"""The value of a key field; a null makes an event filtered, so there is none here."""


class _Numbers(dict[str, int]):
    """Gives a code that it doesn't know the next number."""

    def __missing__(self, code: str) -> int:
        number = self[code] = len(self)
        return number


class DenseKeys:
    """Maps keys to 0, 1, 2, ... in order of first sight.

    A key's ``code`` is a text that stands for all its fields: the value itself for a single text
    field, else the canonical encoding of the fields (see ``plan.identity``).
    """

    def __init__(self, times: Collection[int] = ()) -> None:
        """Start empty; ``times`` are the places of key fields of type time."""
        self._times = frozenset(times)
        self._numbers = _Numbers()
        self._values: list[tuple[KeyValue, ...]] = []
        self._buckets: NDArray[np.int64] = np.empty(0, np.int64)
        self._hashes: NDArray[np.uint64] = np.empty(0, np.uint64)

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._values)

    def number(
        self, codes: pa.ChunkedArray, fields: Sequence[pa.ChunkedArray]
    ) -> NDArray[np.int64]:
        """The number of each row's key; ``fields`` are the typed key columns beside ``codes``."""
        if len(codes) == 0:
            return np.empty(0, np.int64)
        encoded = pc.dictionary_encode(codes).combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.chunk(0)
        indices = encoded.indices.to_numpy(zero_copy_only=False)
        words: list[str] = encoded.dictionary.to_pylist()
        first = len(self._values)
        # A million keys a second pass here: no Python code for those that are known.
        known = map(self._numbers.__getitem__, words)
        mapped = np.fromiter(known, np.int64, len(words))
        fresh = np.flatnonzero(mapped >= first)
        if len(fresh) and len(fields) == 1 and pa.types.is_string(fields[0].type):
            self._values.extend((words[position],) for position in fresh.tolist())
        elif len(fresh):
            rows = np.empty(len(words), np.int64)
            rows[indices[::-1]] = np.arange(len(indices) - 1, -1, -1)
            taken = [
                self._typed(i, field.take(pa.array(rows[fresh]))) for i, field in enumerate(fields)
            ]
            self._values.extend(zip(*taken, strict=True) if taken else [()] * len(fresh))
        numbers: NDArray[np.int64] = mapped[indices]
        return numbers

    def _typed(self, place: int, column: pa.ChunkedArray) -> list[KeyValue]:
        values: list[KeyValue] = column.to_pylist()
        return [Time(value) for value in values] if place in self._times else values

    def values(self, number: int) -> tuple[KeyValue, ...]:
        """The typed fields of a key."""
        return self._values[number]

    def column(self, numbers: NDArray[np.int64], field: int, type_: pa.DataType) -> pa.Array:
        """One key field of many keys, as an Arrow array."""
        values = self._values
        return pa.array([values[n][field] for n in numbers.tolist()], type_)

    def buckets_of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The hash bucket of each key."""
        done = len(self._buckets)
        if done < len(self._values):
            more = buckets(self._columns(done), len(self._values) - done)
            self._buckets = np.concatenate([self._buckets, more])
        return self._buckets[numbers]

    def hashes_of(self, numbers: NDArray[np.int64], salt: str) -> NDArray[np.uint64]:
        """The salted hash of each key, by which bounds choose who stays."""
        done = len(self._hashes)
        if done < len(self._values):
            more = salted(salt, self._columns(done), len(self._values) - done)
            self._hashes = np.concatenate([self._hashes, more])
        return self._hashes[numbers]

    def _columns(self, start: int) -> list[pa.Array]:
        """The fields of all keys from a number on, as columns."""
        fields = list(zip(*self._values[start:], strict=True))
        return [
            pa.array(values, pa.timestamp("us") if place in self._times else None)
            for place, values in enumerate(fields)
        ]

    def keep(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Forget all keys but these (ascending).

        Returns the new number of each old one, -1 where forgotten.
        """
        codes = {number: code for code, number in self._numbers.items()}
        moved = np.full(len(self._values), -1, np.int64)
        moved[numbers] = np.arange(len(numbers))
        kept = enumerate(numbers.tolist())
        self._numbers = _Numbers((codes[number], new) for new, number in kept)
        self._values = [self._values[number] for number in numbers.tolist()]
        self._buckets = self._buckets[numbers[numbers < len(self._buckets)]]
        self._hashes = self._hashes[numbers[numbers < len(self._hashes)]]
        return moved


def typed_column(
    keys: DenseKeys, numbers: NDArray[np.int64], field: int, type_: Type
) -> np.ndarray:
    """One key field of many keys as expressions take it: times as microseconds."""
    kinds = {Type.INTEGER: np.int64, Type.TIME: np.int64, Type.BOOLEAN: np.bool_}
    values = [keys.values(number)[field] for number in numbers.tolist()]
    return np.array(values, kinds.get(type_, np.object_))
