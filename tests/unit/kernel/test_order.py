"""Rows of events in order: by key and time, and where that is equal by partition and position."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.kernel.ordered.order import in_order, partition_order
from tailrace.kernel.runs import Run
from tailrace.plan.event_columns import TIME

rows = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.integers(-3, 3), st.integers(-(2**60), 2**60)),
        st.sampled_from(["t/2", "t/10", "log", "é"]),
        st.integers(0, 1),
        st.integers(0, 50),
    ),
    min_size=1,
    max_size=40,
)


@pytest.mark.parametrize("placed", [True, False])
@given(given_rows=rows)
def test_rows_in_order(placed: bool, given_rows: list[tuple[int, int, str, int, int]]) -> None:
    keys, times, partitions, generations, positions = zip(*given_rows, strict=True)
    columns = {
        TIME: np.array(times, np.int64),
        "partition": np.array(partitions, np.object_),
        "generation": np.array(generations, np.int64),
        "position": np.array(positions, np.int64),
    }
    run = Run(np.zeros(len(keys), np.int64), np.array(keys, np.int64), columns)
    found = [given_rows[row] for row in in_order(run, placed=placed).tolist()]
    wanted = sorted(given_rows, key=lambda r: (r[0], r[1], partition_order(r[2]), r[3], r[4]))
    said = 5 if placed else 2
    assert [row[:said] for row in found] == [row[:said] for row in wanted]
