"""Numbers of keys: as a dictionary in order of first sight would give them."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from tailrace.kernel.keys import DenseKeys, KeyValue
from tailrace.plan.identity import Time, bucket, encode, salted_hash

Row = tuple[KeyValue, ...]

KINDS: dict[str, tuple[tuple[pa.DataType, ...], list[Row]]] = {
    "one text": ((pa.string(),), [(f"k{n}",) for n in range(40)]),
    "two texts": (
        (pa.string(), pa.string()),
        [(f"10.0.0.{n % 7}", f"\x00é{n}") for n in range(40)],
    ),
    "an integer": ((pa.int64(),), [(n - 20,) for n in range(40)]),
    "a flag and a time": ((pa.bool_(), pa.int64()), [(n % 2 == 0, Time(n)) for n in range(40)]),
    "none": ((), [()]),
}


def code_of(row: Row) -> str:
    """As the kernel's statements make it."""
    if len(row) == 1 and isinstance(row[0], str):
        return row[0]
    return encode(*row).decode()


def number(
    keys: DenseKeys, kinds: tuple[pa.DataType, ...], rows: list[Row], rng: random.Random
) -> list[int]:
    """The keys' numbers, the columns in several chunks and at times by numbers of their own."""
    columns = [
        [int(row[n]) if isinstance(row[n], Time) else row[n] for row in rows]
        for n in range(len(kinds))
    ]
    half = len(rows) // 2

    def chunked(values: list[object], kind: pa.DataType) -> pa.ChunkedArray:
        return pa.chunked_array([pa.array(values[:half], kind), pa.array(values[half:], kind)])

    fields = [chunked(list(c), kind) for c, kind in zip(columns, kinds, strict=True)]
    if rng.random() < 0.5:
        fields = [field.dictionary_encode() for field in fields]
    found: list[int] = keys.number(
        chunked([code_of(row) for row in rows], pa.string()), fields
    ).tolist()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_keys_are_numbered_as_they_come(kind: str) -> None:
    kinds, known = KINDS[kind]
    rng = random.Random(kind)
    keys = DenseKeys([1] if kind == "a flag and a time" else [])
    expected: dict[Row, int] = {}
    for _ in range(12):
        rows = rng.choices(known, k=rng.choice([0, 1, 9, 30]))
        wanted = [expected.setdefault(row, len(expected)) for row in rows]
        assert number(keys, kinds, rows, rng) == wanted
        assert len(keys) == len(expected)
        if rng.random() < 0.4:
            check(keys, kinds, list(expected))
        if rng.random() < 0.3 and kinds:
            stay = sorted(rng.sample(range(len(expected)), len(expected) // 2))
            moved = keys.keep(np.array(stay, np.int64))
            assert moved.tolist() == [stay.index(n) if n in stay else -1 for n in range(len(moved))]
            left = [row for n, row in enumerate(expected) if n in stay]
            expected = {row: n for n, row in enumerate(left)}
    check(keys, kinds, list(expected))


def check(keys: DenseKeys, kinds: tuple[pa.DataType, ...], rows: list[Row]) -> None:
    """All that is known of the keys."""
    numbers = np.arange(len(rows))[::-1]
    backwards = rows[::-1]
    assert [keys.values(n) for n in numbers.tolist()] == backwards
    assert [list(map(type, keys.values(n))) for n in range(len(rows))] == [
        list(map(type, row)) for row in rows
    ]
    for place, kind in enumerate(kinds):
        column = keys.column(numbers, place, kind)
        assert column.type == kind
        assert column.to_pylist() == [row[place] for row in backwards]
    assert keys.buckets_of(numbers).tolist() == [bucket(row) for row in backwards]
    assert keys.hashes_of(numbers, "salt").tolist() == [
        salted_hash("salt", row) for row in backwards
    ]
