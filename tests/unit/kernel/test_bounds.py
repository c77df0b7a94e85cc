"""The keys that stay in a pane are those of the least hashes of each bucket, however they came."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.kernel.bounds import Bound
from tailrace.kernel.keys import DenseKeys
from tailrace.kernel.runs import Run, Runs, sorted_run
from tailrace.plan.identity import BUCKETS
from tailrace.plan.model import Bounds

if TYPE_CHECKING:
    import pytest
    from numpy.typing import NDArray

PER_BUCKET = 2
NAMES = [f"k{number}" for number in range(500)]
BOUNDS = Bounds(max_keys=PER_BUCKET * BUCKETS, max_distinct=3)


def held(runs: Runs) -> set[tuple[int, int]]:
    rows = runs.span(-(2**60), 2**60)
    if rows is None:
        return set()
    return set(zip(rows.panes.tolist(), rows.keys.tolist(), strict=True))


def stay(seen: set[tuple[int, int]], keys: DenseKeys) -> set[tuple[int, int]]:
    """Those of all (pane, key) that have a place."""
    places = defaultdict(list)
    for pane, key in seen:
        bucket = int(keys.buckets_of(np.array([key]))[0])
        places[pane, bucket].append((int(keys.hashes_of(np.array([key]), "s")[0]), pane, key))
    return {(pane, key) for all_ in places.values() for _, pane, key in sorted(all_)[:PER_BUCKET]}


def renumbered(moved: NDArray[np.int64], run: Run) -> Run:
    return Run(run.panes, moved[run.keys], run.columns)


batches = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 490), st.integers(1, 300)), min_size=1, max_size=8
)


@settings(max_examples=30, deadline=None)
@given(batches=batches, forgotten=st.integers(0, 8))
def test_the_least_hashes_stay(batches: list[tuple[int, int, int]], forgotten: int) -> None:
    keys, runs, bound = DenseKeys(), Runs(), Bound(BOUNDS, "s")
    seen: set[tuple[int, int]] = set()
    for turn, (pane, first, count) in enumerate(batches):
        codes = pa.chunked_array([pa.array(NAMES[first : first + count])])
        numbers = keys.number(codes, [codes])
        run = sorted_run(
            np.full(len(numbers), pane), numbers, {"n": np.ones(len(numbers), np.int64)}
        )
        runs.append(run)
        bound.enforce(run, runs, [], [], keys)
        seen |= {(pane, key) for key in numbers.tolist()}
        assert held(runs) == stay(seen, keys)
        if turn == forgotten:
            # Keys that are held nowhere any more are forgotten, as when a reducer is compacted.
            kept = np.unique([key for _, key in held(runs)])
            moved = keys.keep(kept)
            runs.map(partial(renumbered, moved))
            seen = held(runs)


def test_keys_are_counted_once_for_all_panes_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    largest = DenseKeys.largest_bucket

    def counted(keys: DenseKeys) -> int:
        asked.append(keys)
        return largest(keys)

    monkeypatch.setattr(DenseKeys, "largest_bucket", counted)
    keys, runs, bound = DenseKeys(), Runs(), Bound(BOUNDS, "s")
    codes = pa.chunked_array([pa.array(NAMES)])
    numbers = np.tile(keys.number(codes, [codes]), 3)
    panes = np.repeat(np.arange(3), len(NAMES))
    run = sorted_run(panes, numbers, {"n": np.ones(len(numbers), np.int64)})
    runs.append(run)
    bound.enforce(run, runs, [], [], keys)
    assert asked == [keys]
    every = set(zip(panes.tolist(), numbers.tolist(), strict=True))
    assert held(runs) == stay(every, keys)


@given(items=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=80))
def test_a_key_keeps_enough_items_to_know_of_more(items: list[tuple[int, int]]) -> None:
    numbers, values = (np.array(column) for column in zip(*items, strict=True))
    panes = np.zeros(len(items), np.int64)
    rows, side = Runs(), Runs()
    added = sorted_run(panes, numbers, {"n": np.ones(len(items), np.int64)})
    rows.append(added)
    side.append(sorted_run(panes, numbers, {"item": values, "n": np.ones(len(items), np.int64)}))
    Bound(BOUNDS, "s").enforce(added, rows, [side], [side], DenseKeys())
    found = side.span(0, 1)
    assert found is not None
    for key in set(numbers.tolist()):
        wanted = {value for number, value in items if number == key}
        mine = set(found.columns["item"][found.keys == key].tolist())
        assert mine <= wanted
        assert len(mine) >= min(len(wanted), BOUNDS.max_distinct + 1)
