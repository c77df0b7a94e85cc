"""Buckets filled in rounds and one key after another come to the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
