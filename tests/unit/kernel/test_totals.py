"""Totals of windows: the matrix, the rolling and the merging way against one window at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.kernel import totals
from tailrace.kernel.runs import Run
from tailrace.kernel.time import pane_width, window_starts
from tailrace.plan.model import Partial, PartialKind, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = tuple[int, int, int, int]
"""Pane, key, events, value."""

SUM = Partial("total", PartialKind.SUM, None, None)
LEAST = Partial("least", PartialKind.LEAST, None, None)

rows = st.lists(
    st.tuples(
        st.integers(-30, 30),
        st.integers(0, 5),
        st.integers(1, 4),
        st.sampled_from([-(2**100), -7, 0, 3, 2**62]),
    ),
    min_size=1,
    max_size=40,
)
windows = st.tuples(st.integers(1, 20), st.integers(1, 20)).filter(lambda w: w[1] <= w[0])


def run_of(given_rows: Sequence[Row], width: int) -> Run:
    """Rows as the kernel holds them; the pane of a row is that of its first number as a time."""
    panes = np.array([time // width for time, _, _, _ in given_rows], np.int64)
    values = np.array([value for *_, value in given_rows], np.object_)
    return Run(
        panes,
        np.array([key for _, key, _, _ in given_rows], np.int64),
        {
            "n": np.array([n for _, _, n, _ in given_rows], np.int64),
            "total": values,
            "least": values.copy(),
        },
    )


def one_by_one(
    given_rows: Sequence[Row], size: int, every: int, width: int, after: int, until: int
) -> set[tuple[int, int, int, int, int]]:
    """(key, end, events, total, least) of each window that holds something."""
    found: dict[tuple[int, int], list[Row]] = {}
    for row in given_rows:
        for start in window_starts(row[0] // width * width, size, every):
            if after < start + size <= until:
                found.setdefault((row[1], start + size), []).append(row)
    return {
        (key, end, sum(r[2] for r in held), sum(r[3] for r in held), min(r[3] for r in held))
        for (key, end), held in found.items()
    }


@given(
    rows, windows, st.integers(-60, 60), st.integers(0, 120), st.sampled_from([1, 5, 50, 4_000_000])
)
def test_all_ways_agree_with_one_window_at_a_time(
    given_rows: list[Row], window: tuple[int, int], after: int, length: int, cells: int
) -> None:
    size, every = window
    width = pane_width(size, every)
    until = after + length
    run = run_of(given_rows, width)
    plan = Window(size, every, width)
    expected = one_by_one(given_rows, size, every, width, after, until)

    added = list(totals.window_totals(run, plan, [SUM], after, until, cells=cells))
    got = {
        (int(k), int(e), int(n), int(t))
        for part in added
        for k, e, n, t in zip(part.keys, part.ends, part.n, part.columns["total"], strict=True)
    }
    assert got == {row[:4] for row in expected}

    merged = list(totals.window_totals(run, plan, [SUM, LEAST], after, until, cells=cells))
    everything = [
        (int(k), int(e), int(n), int(t), int(v))
        for part in merged
        for k, e, n, t, v in zip(
            part.keys, part.ends, part.n, part.columns["total"], part.columns["least"], strict=True
        )
    ]
    assert set(everything) == expected
    assert len(everything) == len(expected)


@pytest.mark.parametrize("cells", [1, 4_000_000])
def test_windows_far_apart_cost_nothing(cells: int) -> None:
    far = 10**15
    run = run_of([(0, 0, 1, 1), (far, 0, 1, 1)], 1)
    parts = list(totals.window_totals(run, Window(2, 1, 1), [SUM], -(2**62), 2**62, cells=cells))
    assert sorted(int(e) for part in parts for e in part.ends) == [1, 2, far + 1, far + 2]
