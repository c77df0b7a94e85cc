"""Which rows of a batch can be messages of a topic, and what their messages are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.outputs.batches import text_column
from tailrace.outputs.output import Refused

if TYPE_CHECKING:
    from tailrace.outputs.batches import OutboxBatch

_Value = TypeVar("_Value")

FRAME_BYTES = 80
"""What a message takes at most beside key and value, where it is sent alone."""

Row = tuple[str, str | None, int]
"""Value, key, partition; -1: the key decides."""


@dataclass(frozen=True, slots=True)
class Messages:
    """A batch as messages: one for each row that isn't refused, in order."""

    refused: tuple[Refused, ...]
    bytes: int
    _values: Sequence[str]
    _keys: Sequence[str] | None
    _partitions: Sequence[int] | None

    def __iter__(self) -> Iterator[Row]:
        """Value, key, partition."""
        keys = repeat(None) if self._keys is None else self._keys
        partitions = repeat(-1) if self._partitions is None else self._partitions
        return zip(self._values, keys, partitions, strict=False)


def messages(batch: OutboxBatch, limit: int, partitions: Callable[[int], int]) -> Messages:
    """The rows as messages. ``limit``: bytes that a message may have, with its frame.

    ``partitions``: how many there are, told how many a row asks for.
    """
    values = _texts(batch, "value")
    values = _column(batch, "json") if values is None else values
    keys, numbers = _texts(batch, "key"), _texts(batch, "partition")
    refused: dict[int, Refused] = {}
    sizes = pc.binary_length(values)
    if keys is not None:
        sizes = pc.add(sizes, pc.binary_length(keys))
    for row in _rows(pc.greater(sizes, limit - FRAME_BYTES)):
        size = sizes[row].as_py()
        reason = f"a message of {size} bytes; the topic takes {limit - FRAME_BYTES}"
        refused.setdefault(row, Refused(row, reason))
    places = None if numbers is None else _partitions(numbers, partitions, refused)
    total = pc.sum(sizes).as_py() or 0
    kept: list[bool] | None = None
    if refused:
        kept = [row not in refused for row in range(len(values))]
    return Messages(
        tuple(refused[row] for row in sorted(refused)),
        total,
        _kept(values.to_pylist(), kept),
        None if keys is None else _kept(keys.to_pylist(), kept),
        None if places is None else _kept(places, kept),
    )


def _partitions(
    texts: pa.Array, partitions: Callable[[int], int], refused: dict[int, Refused]
) -> list[int]:
    """The number in each text; rows whose text is none of the topic's are refused."""
    coded = texts.dictionary_encode()
    numbers = [
        int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        for text in coded.dictionary.to_pylist()
    ]
    count = partitions(max(numbers, default=-1) + 1)
    numbers = [number if number < count else -1 for number in numbers]
    found = [numbers[index] for index in coded.indices.to_pylist()]
    if -1 in numbers:
        for row, number in enumerate(found):
            if number < 0:
                reason = f"'{texts[row].as_py()}' is none of the topic's {count} partitions"
                refused.setdefault(row, Refused(row, reason))
    return found


def _texts(batch: OutboxBatch, option: str) -> pa.Array | None:
    name = text_column(option)
    return _column(batch, name) if name in batch.rows.column_names else None


def _column(batch: OutboxBatch, name: str) -> pa.Array:
    column = batch.rows.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _rows(mask: pa.Array) -> list[int]:
    rows: list[int] = pc.indices_nonzero(mask).to_pylist()
    return rows


def _kept(values: list[_Value], kept: list[bool] | None) -> list[_Value]:
    if kept is None:
        return values
    return [value for value, keep in zip(values, kept, strict=True) if keep]
