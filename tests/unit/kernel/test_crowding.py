"""Under a flood of new keys an ordered rule remembers no more of them than there is place for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.kernel.test_marks import PIPELINE

from tailrace.config import loads
from tailrace.kernel import reducer as reducers
from tailrace.kernel.keys import DenseKeys
from tailrace.kernel.ordered.crowding import Crowding, Presence
from tailrace.kernel.reducers import reducer_of
from tailrace.kernel.types import GroupPartials
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.grouping import group_rules
from tailrace.plan.model import NO_START

KINDS = (
    "first_seen: 30d",
    "absent_for: {after: 1h, forget: 2d}",
    "leaky: {capacity: 9, leak: 1h}",
    "sequence: {steps: {a: \"k > ''\", b: \"k = 'q'\"}, within: 9h}",
    "{window: 1h sliding, when: count(*) > 9}",
)
PLACES = 64


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_of_keys_is_not_remembered(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reducers, "_FEW_KEYS", 100)
    lines = kind.strip("{}").replace(", when", "\n    when") if kind[0] == "{" else kind
    plan = compile_pipeline(loads(PIPELINE + f"    {lines}\n", "p.yaml"))
    rule = plan.rules[0]
    starts = {rule.identity: NO_START}
    (group,) = group_rules(plan.rules, starts)
    reducer = reducer_of(group, plan.bounds, "salt")
    evicted = forgotten = 0
    for second in range(30):
        codes = [f"u{second}.{number}" for number in range(200)]
        time = second * 1_000_000
        columns: dict[str, pa.Array] = {
            "code": pa.array(codes),
            "k0": pa.array(codes),
            "pane": pa.array(np.full(200, second)),
            "n": pa.array(np.ones(200, np.int64)),
        }
        for partial in group.plain:
            value = {"time": time, "steps": 1, "poured": 1}.get(partial.name, 0)
            columns[partial.name] = pa.array(np.full(200, value))
        for name in {"partition", "items"} & columns.keys():
            columns[name] = pa.array([""] * 200)
        _, _, gone, _ = reducer.add(GroupPartials(pa.table(columns), {}, 200, 0))
        closed = reducer.close(time, time + 1_000_000, starts, time)
        evicted += gone + closed.evicted
        forgotten += closed.forgotten
        reducer.forget(time + 1_000_000)
        assert reducer.rows <= PLACES
        reducer.compact()
        assert len(reducer.keys) <= PLACES + 200
    assert 30 * 200 - evicted - forgotten == reducer.rows == PLACES


def test_keys_go_pane_after_pane() -> None:
    keys = DenseKeys()
    names = pa.chunked_array([["y", "q", "xb", "a"]])  # of one bucket, by descending hash; but a
    y, q, xb, a = keys.number(names, [names]).tolist()
    crowding = Crowding(1, 10, "")
    coming = Presence(np.array([a, y, q, y, xb, q, y]), np.array([1, 1, 3, 4, 5, 5, 16]))
    remembered = Presence(np.array([q]), np.array([-9]))
    losses = [
        (loss.pane, loss.evicted.tolist(), loss.forgotten.tolist())
        for loss in crowding.losses(keys, remembered, coming)
    ]
    assert losses == [(1, [y], []), (4, [y], []), (5, [q], [q])]
