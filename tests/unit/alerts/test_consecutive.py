from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.alerts.consecutive import Stretches, long_enough, ordered, without_gap

PAIRS = st.lists(
    st.tuples(st.integers(0, 3) | st.sampled_from([65_535, 65_536, 2**40]), st.integers(-3, 9)),
    unique=True,
)


@pytest.mark.parametrize("arrival", ["any", "by end", "by key"])
@given(pairs=PAIRS)
def test_order_is_by_key_and_end_whatever_it_was(
    arrival: str, pairs: list[tuple[int, int]]
) -> None:
    if arrival == "by end":
        pairs.sort(key=lambda pair: pair[1])
    if arrival == "by key":
        pairs.sort()
    keys = np.array([key for key, _ in pairs], np.int64)
    ends = np.array([end for _, end in pairs], np.int64)
    found = ordered(keys, ends)
    assert list(zip(found.keys.tolist(), found.ends.tolist(), strict=True)) == sorted(pairs)
    for index in range(len(pairs)):
        assert pairs[found.row(index)] == sorted(pairs)[index]


@pytest.mark.parametrize(
    ("reach", "starts", "lasting_2"),
    [(1, [0, 2, 3, 6], [3]), (2, [0, 3, 6], [0, 3]), (9, [0, 3, 6], [0, 3])],
)
def test_stretches(reach: int, starts: list[int], lasting_2: list[int]) -> None:
    keys = np.array([5, 5, 5, 6, 6, 6, 7])
    ends = np.array([1, 2, 4, 1, 2, 3, 4])
    found = ordered(keys, ends)
    stretches = without_gap(found, reach)
    assert stretches == Stretches(starts, 7)
    assert long_enough(stretches, found, 2).starts == lasting_2
    for index in range(7):
        first, last = stretches.first(index), stretches.last(index)
        assert first <= index <= last
        assert first in starts
        assert last + 1 in [*starts, 7]
    assert stretches.first_from(0) == 0
    assert stretches.first_from(7) == 7
