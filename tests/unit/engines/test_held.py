"""Archived events that wait: in memory or in the store, they come out the same."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from tailrace.engines.held import Held
from tailrace.kernel.types import JUDGED_AT
from tailrace.store.commit import Commit
from tailrace.store.store import MEMORY, Store


def events(numbers: list[int], times: list[int], partition: str = "p") -> pa.Table:
    columns = {"n": pa.array(numbers, pa.int64()), JUDGED_AT: pa.array(times, pa.int64())}
    columns["_partition"] = pa.array([partition] * len(numbers)).dictionary_encode()
    return pa.table(columns)


@pytest.mark.parametrize("most_bytes", [0, 200, 1 << 20])
@pytest.mark.parametrize("seed", range(4))
def test_each_comes_out_once_in_order(most_bytes: int, seed: int) -> None:
    draw = random.Random(seed)
    store = Store.open(MEMORY, "p")
    held = Held(store, most_bytes=most_bytes)
    waiting: dict[int, int] = {}
    given = 0
    for epoch in range(40):
        numbers = list(range(given, given + draw.randint(0, 5)))
        times = [epoch * 10 + draw.randint(0, 60) for _ in numbers]
        given += len(numbers)
        waiting |= dict(zip(numbers, times, strict=True))
        if numbers:
            held.take(events(numbers, times, f"p{epoch}"))
        until = epoch * 10 if epoch < 39 else 10_000
        found = held.release(until)
        due = [number for number, time in waiting.items() if time <= until]
        assert (found["n"].to_pylist() if found is not None else []) == due
        waiting = {number: time for number, time in waiting.items() if time > until}
        assert held.rows == len(waiting)
        store.commit(Commit(epoch=epoch, state={}, held=held.delta(until)))
        assert held.rows == len(waiting)
        assert held.soonest == min(waiting.values(), default=None)
        assert held.nbytes <= most_bytes or not most_bytes
        if draw.random() < 0.2:
            held = Held(store, most_bytes=most_bytes)
    store.close()


def test_few_that_wait_keep_no_others_in_memory() -> None:
    held = Held()
    for epoch in range(5):
        times = [epoch] * 100_000 + [10**6] * 10
        held.take(events(list(range(len(times))), times))
        assert held.release(epoch) is not None
        held.delta(epoch)
    assert held.rows == 50
    assert sum(table.get_total_buffer_size() for table in held._tables) < 10_000
