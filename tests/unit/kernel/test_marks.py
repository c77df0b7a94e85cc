"""Few marks of lost keys tell the same of every instant as all of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.config import loads
from tailrace.kernel.ordered.marks import sparse
from tailrace.kernel.reducers import reducer_of
from tailrace.kernel.types import GroupPartials
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.grouping import group_rules
from tailrace.plan.model import NO_START

MARKS = st.dictionaries(st.integers(-20, 20), st.integers(1, 7), max_size=20)


def told(marks: dict[int, int], reach: int) -> list[int]:
    """For each pane the buckets that an instant in it is told of."""
    found = []
    for pane in range(-25, 40):
        mask = 0
        for other, buckets in marks.items():
            mask |= buckets if pane - reach <= other <= pane else 0
        found.append(mask)
    return found


@given(first=MARKS, more=MARKS, reach=st.integers(0, 9))
def test_few_marks_tell_the_same(first: dict[int, int], more: dict[int, int], reach: int) -> None:
    both = {p: first.get(p, 0) | more.get(p, 0) for p in first.keys() | more.keys()}
    later = sparse(first, reach)
    later = {p: later.get(p, 0) | more.get(p, 0) for p in later.keys() | more.keys()}
    assert told(sparse(later, reach), reach) == told(both, reach)


PIPELINE = """\
name: p
source: {stdin: {}}
time: {field: t}
fields: {k: text}
limits: {max_keys: 64}
rules:
  - alert: a
    by: k
"""


@pytest.mark.parametrize("kind", ["first_seen: 30d", "absent_for: {after: 1h, forget: 2d}"])
def test_a_flood_of_keys_leaves_few_marks(kind: str) -> None:
    plan = compile_pipeline(loads(PIPELINE + f"    {kind}\n", "p.yaml"))
    rule = plan.rules[0]
    starts = {rule.identity: NO_START}
    (group,) = group_rules(plan.rules, starts)
    reducer = reducer_of(group, plan.bounds, "salt")
    for second in range(40):
        times = np.full(300, second * 1_000_000)
        keys = pa.array([f"{second}-{number}" for number in range(300)])
        columns = {"code": keys, "k0": keys, "pane": times // 1_000_000, "n": np.ones(300, int)}
        columns |= {partial.name: times for partial in group.plain}
        reducer.add(GroupPartials(pa.table(columns), {}, 0, 0))
        reducer.compact()
        until = (second + 1) * 1_000_000
        reducer.close(second * 1_000_000, until, starts, until, 0)
        reducer.forget(until)
    every = 2**64 - 1
    first, *_, last = reducer.bound.touched
    assert sum(mask.bit_count() for mask in reducer.bound.touched.values()) == 2 * 64
    assert reducer.bound.touched[first] | reducer.bound.touched[last] == every
