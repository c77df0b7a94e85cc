"""The nearest ranks of many ranges at once are those of each by itself."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.kernel.ordered.ranges import ranks

EVENTS = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 1)), min_size=1, max_size=20)
RANKS = st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(95, 100), Fraction(1)])


def nearest(items: list[int], rank: Fraction) -> int:
    """As rule 16 has it."""
    place = max(1, -(-rank.numerator * len(items) // rank.denominator))
    return sorted(items)[place - 1]


@given(events=EVENTS, rank=RANKS, data=st.data())
def test_ranks(events: list[tuple[int, int]], rank: Fraction, data: st.DataObject) -> None:
    places = st.integers(0, len(events))
    pairs = st.tuples(places, places).map(sorted).filter(lambda pair: pair[0] < pair[1])
    low, high = np.array(sorted(data.draw(st.lists(pairs, min_size=1, max_size=9))), np.int64).T
    items, present = np.array(events, np.int64).T
    found, valid = ranks(items, present, low, high, rank)
    for one, there, first, behind in zip(found, valid, low, high, strict=True):
        inside = [item for item, is_there in events[first:behind] if is_there]
        assert there == bool(inside)
        assert one == (nearest(inside, rank) if inside else 0)


@pytest.mark.parametrize("rank", [Fraction(1, 2), Fraction(95, 100)])
def test_ranges_that_share_nearly_all_events(rank: Fraction) -> None:
    """What the ranges have together, 5 * 10^9 events, is never put side by side."""
    count = 100_000
    items = np.random.default_rng(3).integers(-500, 500, count)
    high = np.arange(1, count + 1)
    found, valid = ranks(items, np.ones(count, np.int64), np.zeros(count, np.int64), high, rank)
    assert valid.all()
    for last in (1, 2, 17, 4_321, count):
        assert found[last - 1] == nearest(items[:last].tolist(), rank)
