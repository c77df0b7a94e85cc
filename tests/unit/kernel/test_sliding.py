"""A close judges the keys of which something can be told, however much its windows hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from tailrace.config import loads
from tailrace.kernel.ordered import sliding
from tailrace.kernel.ordered.order import in_order
from tailrace.kernel.reducers import reducer_of
from tailrace.kernel.types import GroupPartials
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.grouping import group_rules
from tailrace.plan.model import NO_START

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.kernel.runs import Run

PIPELINE = """\
name: p
source: {stdin: {}}
time: {field: t}
fields: {k: text}
rules:
  - """
SECOND = 1_000_000

# Keys by second, and how many events are looked at in the close of each second.
FED = ["a a b c d e", "b", "", "a", "", "", "", "", "", "", "", "", "", ""]
LOOKED_AT = {
    # `a` fires until its first events leave, `b` has two events, of which one leaves later; the
    # others have too few, where there are enough events to count those of each key.
    "alert: r\n    by: k\n    window: 10s sliding\n    when: count(*) > 1": (
        [2, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 1, 0, 1]
    ),
    "record: r\n    by: k\n    window: 10s sliding\n    select: {n: count(*)}": (
        [6, 2, 0, 3, *[0] * 10]
    ),
}


@pytest.mark.parametrize("rule", LOOKED_AT, ids=["alert", "record"])
def test_events_looked_at(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def counted(run: Run, *, placed: bool) -> NDArray[np.int64]:
        looked.append(len(run))
        return in_order(run, placed=placed)

    monkeypatch.setattr(sliding, "in_order", counted)
    plan = compile_pipeline(loads(PIPELINE + rule + "\n", "p.yaml"))
    starts = {plan.rules[0].identity: NO_START}
    (group,) = group_rules(plan.rules, starts)
    reducer = reducer_of(group, plan.bounds, "salt")
    for second, keys in enumerate(FED):
        names = pa.array(keys.split(), pa.string())
        if len(names):
            times = np.full(len(names), second * SECOND)
            columns = {"code": names, "k0": names, "pane": times // SECOND}
            columns |= {"n": np.ones(len(names), int)}
            columns |= {partial.name: times for partial in group.plain}
            reducer.add(GroupPartials(pa.table(columns), {}, 0, 0))
        until = (second + 1) * SECOND
        before = len(looked)
        reducer.close(second * SECOND, until, starts, until, 0)
        reducer.forget(until)
        looked += [0] * (before + 1 - len(looked))
    assert looked == LOOKED_AT[rule]
