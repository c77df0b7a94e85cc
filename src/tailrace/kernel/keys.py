"""Dense integers for keys: every key of a group gets a number, so that totals are plain arrays.

The numbers are private to one process; what is stored or sent is always the key itself.
"""

from __future__ import annotations

from itertools import compress, repeat
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.expr.nodes import Type
from tailrace.kernel.hashing import buckets, salted
from tailrace.plan.identity import Time

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

KeyValue = str | int | bool | Time
"""The value of a key field; a null makes an event filtered, so there is none here."""

UNKNOWN = -1
"""In place of a number: the key is new."""


class DenseKeys:
    """Maps keys to 0, 1, 2, ... in order of first sight.

    A key's ``code`` is a text that stands for all its fields: the value itself for a single text
    field, else the canonical encoding of the fields (see ``plan.identity``). The fields are kept in
    columns; Python values are made of them when somebody asks for a key's.
    """

    def __init__(self, times: Collection[int] = ()) -> None:
        """Start empty; ``times`` are the places of key fields of type time."""
        self._times = frozenset(times)
        self._numbers: dict[str, int] = {}
        self._fields: list[_Growing] = []
        self._values: list[tuple[KeyValue, ...]] = []
        """Of the first keys; of the others nobody has asked yet."""
        self._buckets: NDArray[np.int64] = np.empty(0, np.int64)
        self._hashes: NDArray[np.uint64] = np.empty(0, np.uint64)

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._numbers)

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
        # Millions of keys pass here: no Python code for any of them, known or not.
        mapped = np.fromiter(map(self._numbers.get, words, repeat(UNKNOWN)), np.int64, len(words))
        fresh = np.flatnonzero(mapped == UNKNOWN)
        if len(fresh):
            first = len(self._numbers)
            mapped[fresh] = np.arange(first, first + len(fresh))
            unknown = words if len(fresh) == len(words) else [words[n] for n in fresh.tolist()]
            self._numbers.update(zip(unknown, range(first, first + len(fresh)), strict=True))
            self._take_fields(encoded, fresh, fields)
        numbers: NDArray[np.int64] = mapped[indices]
        return numbers

    def _take_fields(
        self,
        encoded: pa.DictionaryArray,
        fresh: NDArray[np.int64],
        fields: Sequence[pa.ChunkedArray],
    ) -> None:
        """Keep the fields of the keys whose codes are new."""
        if len(fields) == 1 and pa.types.is_string(fields[0].type):
            taken: list[pa.Array] = [encoded.dictionary.take(pa.array(fresh))]
        else:
            indices = encoded.indices.to_numpy(zero_copy_only=False)
            rows = np.empty(len(encoded.dictionary), np.int64)
            rows[indices[::-1]] = np.arange(len(indices) - 1, -1, -1)
            places = pa.array(rows[fresh])
            taken = [_plain(field.take(places)) for field in fields]
        if not self._fields:
            self._fields = [_Growing(column) for column in taken]
            return
        for known, column in zip(self._fields, taken, strict=True):
            known.extend(column)

    def values(self, number: int) -> tuple[KeyValue, ...]:
        """The typed fields of a key."""
        done = len(self._values)
        if number >= done:
            columns = [
                self._typed(place, field.whole.slice(done))
                for place, field in enumerate(self._fields)
            ]
            fields: Iterable[tuple[KeyValue, ...]] = zip(*columns, strict=True)
            self._values.extend(fields if columns else [()] * (len(self) - done))
        return self._values[number]

    def _typed(self, place: int, column: pa.Array) -> list[KeyValue]:
        values: list[KeyValue] = column.to_pylist()
        return [Time(value) for value in values] if place in self._times else values

    def column(self, numbers: NDArray[np.int64], field: int, type_: pa.DataType) -> pa.Array:
        """One key field of many keys, as an Arrow array."""
        if not len(numbers):
            return pa.array([], type_)
        return self._fields[field].whole.take(pa.array(numbers)).cast(type_)

    def buckets_of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The hash bucket of each key."""
        done = len(self._buckets)
        if done < len(self):
            more = buckets(self._columns(done), len(self) - done)
            self._buckets = np.concatenate([self._buckets, more])
        return self._buckets[numbers]

    def largest_bucket(self) -> int:
        """The number of keys in the bucket that has the most."""
        everybody = np.arange(len(self))
        return int(np.bincount(self.buckets_of(everybody), minlength=1).max())

    def hashes_of(self, numbers: NDArray[np.int64], salt: str) -> NDArray[np.uint64]:
        """The salted hash of each key, by which bounds choose who stays."""
        done = len(self._hashes)
        if done < len(self):
            more = salted(salt, self._columns(done), len(self) - done)
            self._hashes = np.concatenate([self._hashes, more])
        return self._hashes[numbers]

    def _columns(self, start: int) -> list[pa.Array]:
        """The fields of all keys from a number on, as columns; times as timestamps."""
        columns = [field.whole.slice(start) for field in self._fields]
        return [
            column.cast(pa.timestamp("us")) if place in self._times else column
            for place, column in enumerate(columns)
        ]

    def keep(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Forget all keys but these (ascending).

        Returns the new number of each old one, -1 where forgotten.
        """
        moved = np.full(len(self), -1, np.int64)
        moved[numbers] = np.arange(len(numbers))
        stays = moved >= 0
        # A dictionary has its keys in the order of their numbers.
        codes = compress(self._numbers, stays.tolist())
        self._numbers = dict(zip(codes, range(len(numbers)), strict=True))
        for field in self._fields:
            field.keep(stays)
        self._values = list(compress(self._values, stays[: len(self._values)].tolist()))
        self._buckets = self._buckets[numbers[numbers < len(self._buckets)]]
        self._hashes = self._hashes[numbers[numbers < len(self._hashes)]]
        return moved


class _Growing:
    """A column that grows at its end; its parts are put together when it is asked for."""

    def __init__(self, column: pa.Array) -> None:
        self._parts = [column]

    def extend(self, column: pa.Array) -> None:
        """Add values of the same type."""
        self._parts.append(column.cast(self._parts[0].type))

    @property
    def whole(self) -> pa.Array:
        """All values."""
        if len(self._parts) > 1:
            self._parts = [pa.concat_arrays(self._parts)]
        return self._parts[0]

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self._parts = [self.whole.filter(pa.array(chosen))]


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, its values themselves where it has numbers of them."""
    kind = column.type
    plain = column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column
    return plain.chunk(0) if plain.num_chunks == 1 else plain.combine_chunks()


def typed_column(
    keys: DenseKeys, numbers: NDArray[np.int64], field: int, type_: Type
) -> np.ndarray:
    """One key field of many keys as expressions take it: times as microseconds."""
    kinds = {Type.INTEGER: np.int64, Type.TIME: np.int64, Type.BOOLEAN: np.bool_}
    values = [keys.values(number)[field] for number in numbers.tolist()]
    return np.array(values, kinds.get(type_, np.object_))
