"""Shards: the hash buckets that one reducer task has, and the keys by which Spark finds it.

The 64 buckets of a group (SEMANTICS 12) are dealt out over as many shards as the query has shuffle
partitions. Spark sends a row to the partition that its own hash of the grouping key says; so each
shard's key is chosen such that no two shards meet in one partition.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.expr.nodes import Type
from tailrace.kernel.hashing import buckets
from tailrace.plan.identity import BUCKETS, bucket
from tailrace.plan.model import Group

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MASK = 0xFFFFFFFF
_SEED = 42


def shard_keys(shards: int, most: int) -> tuple[int, ...]:
    """For each of ``most`` places a number; the one of place i hashes to partition i % shards."""
    found: list[int] = []
    waiting: dict[int, list[int]] = {}
    numbers = count()
    while len(found) < most:
        mine = waiting.setdefault(len(found) % shards, [])
        if mine:
            found.append(mine.pop(0))
            continue
        number = next(numbers)
        waiting.setdefault(spark_hash(number) % shards, []).append(number)
    return tuple(found)


def spark_hash(number: int) -> int:
    """Spark SQL's hash of an integer: Murmur3 for 32 bits (A. Appleby, 2008), seed 42, signed."""
    mixed = number * 0xCC9E2D51 & _MASK
    mixed = _rotated(mixed, 15) * 0x1B873593 & _MASK
    value = _rotated(_SEED ^ mixed, 13) * 5 + 0xE6546B64 & _MASK
    value ^= 4  # bytes hashed
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    value ^= value >> 16
    return value - (1 << 32) if value >> 31 else value


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK


def shard_of_bucket(shards: int) -> NDArray[np.int64]:
    """The shard of each bucket."""
    return np.arange(BUCKETS) % shards


def owner(shards: int) -> int:
    """The shard that has the groups without a key."""
    return int(shard_of_bucket(shards)[bucket(())])


def shards_of(group: Group, plain: pa.Table, shards: int) -> NDArray[np.int64]:
    """The shard of each row of a group's plain partials."""
    if not group.keys:
        return np.full(plain.num_rows, owner(shards))
    encoded = pc.dictionary_encode(plain["code"]).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    indices = encoded.indices.to_numpy()
    first = np.empty(len(encoded.dictionary), np.int64)
    first[indices[::-1]] = np.arange(len(indices) - 1, -1, -1)
    fields = []
    for place, key in enumerate(group.keys):
        column = plain[f"k{place}"].take(pa.array(first)).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0)
        if key.node.type is Type.TIME:
            column = column.cast(pa.timestamp("us"))
        fields.append(column)
    numbers = buckets(fields, len(first))
    chosen: NDArray[np.int64] = shard_of_bucket(shards)[numbers][indices]
    return chosen
