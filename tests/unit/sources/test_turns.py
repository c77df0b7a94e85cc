"""Whose turn it is."""

import pytest

from tailrace.sources.memory import MemorySource
from tailrace.sources.turns import PROBE_BYTES

LINE = b"x" * 63 + b"\n"
MANY = LINE * (8 * PROBE_BYTES // len(LINE))


def shares(source: MemorySource, max_bytes: int, watermarks: dict[str, int]) -> dict[str, int]:
    """Bytes of each partition in one poll."""
    found: dict[str, int] = {}
    for chunk in source.poll(max_bytes, watermarks).chunks:
        piece = chunk.slice
        found[piece.partition] = found.get(piece.partition, 0) + piece.end - piece.start
    return found


@pytest.mark.parametrize(
    ("watermarks", "max_probes", "expected"),
    [
        # The lowest gets all there is to give, however far it goes.
        ({"a": 5, "b": 3, "c": 4}, 4, {"b": 4}),
        # What it leaves goes to the next.
        ({"a": 5, "b": 3, "c": 4}, 12, {"b": 8, "c": 4}),
        # Equal ones share.
        ({"a": 7, "b": 7, "c": 7}, 6, {"a": 2, "b": 2, "c": 2}),
        # One without a watermark comes first, with little.
        ({"a": 5, "b": 3}, 4, {"c": 1, "b": 3}),
        # All without one: a little of each, then equal parts.
        ({}, 3, {"a": 1, "b": 1, "c": 1}),
        ({}, 9, {"a": 3, "b": 3, "c": 3}),
        # Too little for all: who is left out comes first the next time.
        ({}, 2, {"a": 1, "b": 1}),
        # Everything.
        ({}, 99, {"a": 8, "b": 8, "c": 8}),
    ],
)
def test_shares(watermarks: dict[str, int], max_probes: int, expected: dict[str, int]) -> None:
    source = MemorySource({"a": MANY, "b": MANY, "c": MANY})
    source.open({})
    found = shares(source, max_probes * PROBE_BYTES, watermarks)
    assert found == {name: share * PROBE_BYTES for name, share in expected.items()}


def test_round_robin_among_equals() -> None:
    source = MemorySource({"a": MANY, "b": MANY, "c": MANY})
    source.open({})
    served = [next(iter(shares(source, PROBE_BYTES, {"a": 1, "b": 1, "c": 1}))) for _ in range(6)]
    assert served == ["a", "b", "c", "a", "b", "c"]


def test_a_partition_whose_time_stays_unknown_gives_more_each_time() -> None:
    source = MemorySource({"a": MANY, "b": MANY})
    source.open({})
    given = [shares(source, 4 * PROBE_BYTES, {"a": 1}).get("b", 0) for _ in range(3)]
    assert given == [PROBE_BYTES, 2 * PROBE_BYTES, 4 * PROBE_BYTES]


def test_the_smallest_poll_reads_on() -> None:
    source = MemorySource({"a": b"ab\n", "b": b"cd\n"})
    source.open({})
    found = b""
    for _ in range(6):
        for chunk in source.poll(0, {}).chunks:
            found += chunk.records.data.to_pybytes()
    assert sorted(found.split()) == [b"ab", b"cd"]
