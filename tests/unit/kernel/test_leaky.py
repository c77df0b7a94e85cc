"""Buckets filled in rounds and one key after another come to the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.expr.nodes import Column, Type
from tailrace.kernel.ordered import leaky_rounds
from tailrace.kernel.ordered.leaky import Buckets
from tailrace.kernel.ordered.reducer import Span
from tailrace.kernel.ordered.states import States
from tailrace.kernel.runs import Run
from tailrace.plan.ordered import Leaky

KEYS = 6
EVENTS = st.lists(st.tuples(st.integers(0, KEYS - 1), st.integers(0, 8)), max_size=25).map(sorted)
RULES = st.builds(
    Leaky,
    capacity=st.integers(1, 3),
    leak=st.integers(1, 6),
    distinct=st.none(),
    blackhole=st.sampled_from((0, 0, 3, 9)),
)


def poured(rule: Leaky, batches: list[list[tuple[int, int]]], few: int) -> list[object]:
    """All that overflows, and the buckets in the end; rounds have ``few`` keys at the least."""
    states, buckets = States(rule.of_key), Buckets(rule, 5)
    states.grow(KEYS)
    told: list[object] = []
    for number, events in enumerate(batches):
        keys = np.array([key for key, _ in events], np.int64)
        times = np.array([9 * number - 20 + time for _, time in events], np.int64)
        columns = {"time": times, "item": np.zeros_like(times), "poured": np.ones_like(times)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(leaky_rounds, "FEW", few)
            found = buckets.advance(Run(times, keys, columns), states, Span(0, 0, 0, 0))
        states.put(found.changed, found.times, found.columns)
        rows = zip(found.keys.tolist(), found.ends.tolist(), strict=True)
        counts = found.values["count"].tolist() if len(found.keys) else []
        told.append(sorted(zip(rows, counts, strict=True)))
    return [told, states.times.tolist(), [c.tolist() for c in states.columns.values()]]


@given(rule=RULES, batches=st.lists(EVENTS, min_size=1, max_size=4))
def test_rounds_tell_what_single_keys_tell(
    rule: Leaky, batches: list[list[tuple[int, int]]]
) -> None:
    alone = poured(rule, batches, KEYS + 1)
    assert poured(rule, batches, 1) == alone
    assert poured(rule, batches, 3) == alone


def test_a_set_of_items_is_kept_and_stored_as_text() -> None:
    rule = Leaky(capacity=50, leak=1000, distinct=Column("v", type=Type.INTEGER), blackhole=0)
    states, buckets = States(rule.of_key), Buckets(rule, 100)
    states.grow(2)
    items = np.array([5, -7, 5, 2**62], np.int64)
    held = []
    for time in (1, 2):
        columns = {"time": np.full(4, time), "item": items + time, "poured": np.ones(4, np.int64)}
        rows = Run(np.zeros(4, np.int64), np.zeros(4, np.int64), columns)
        found = buckets.advance(rows, states, Span(0, 0, 0, 0))
        states.put(found.changed, found.times, found.columns)
        held.append(states.columns["items"][0])
    assert held[0] is held[1] == {6, 7, -6, -5, 2**62 + 1, 2**62 + 2}
    blank = {"n": np.empty(0, np.int64), "time": np.empty(0, np.int64)}
    blank |= {name: column[:0] for name, column in states.columns.items()}
    rows = states.rows(np.array([0]), 1, blank)
    texts = [f"{item % 2**64:016x}" for item in sorted(held[0])]
    assert rows.columns["items"].tolist() == ["".join(texts)]
    again = States(rule.of_key)
    again.grow(2)
    again.take(rows)
    assert [c.tolist() for c in again.columns.values()] == [
        c.tolist() for c in states.columns.values()
    ]
