"""Who of many events was listed: for all at once as for each by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.alerts.verdict_fold import VerdictFold
from tailrace.alerts.verdicts import FOREVER, Accusation, Act, ManualAct, VerdictRule
from tailrace.engines.listed import listed
from tailrace.plan.identity import Key, Time

FIELDS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "text": (pa.string(), ["", "a", "ü"]),
    "integer": (pa.int64(), [-1, 7]),
    "boolean": (pa.bool_(), [True, False]),
    "time": (pa.timestamp("us", "UTC"), [Time(0), Time(9)]),
}
acts = st.tuples(
    st.sampled_from(["accuse", *(act.value for act in Act)]),
    st.integers(0, 40),
    st.integers(0, 25),
    st.integers(0, 5),
)


@settings(max_examples=200)
@given(
    names=st.lists(st.sampled_from(list(FIELDS)), min_size=1, max_size=3, unique=True),
    done=st.lists(acts, max_size=14),
    data=st.data(),
)
def test_all_at_once_as_each_by_itself(
    names: list[str], done: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    value = st.tuples(*(st.sampled_from(FIELDS[name][1]) for name in names))
    keys: list[Key] = data.draw(st.lists(value, min_size=1, max_size=4))
    fold = VerdictFold(
        VerdictRule("list", "bots", "p", tuple(names), ("r",), for_=10, tell_every=4)
    )
    horizon = 0
    for act, at, lasts, which in done:
        key = keys[which % len(keys)]
        if act == "accuse":
            begin = horizon + 1 + at
            horizon += lasts
            fold.advance([Accusation("r", key, begin, begin + lasts)], horizon)
        else:
            until = FOREVER if lasts > 20 else horizon + 1 + lasts
            fold.act(key, ManualAct(Act(act), horizon + 1, until))
    perhaps = st.tuples(*(st.one_of(st.none(), st.sampled_from(FIELDS[n][1])) for n in names))
    events = data.draw(st.lists(st.tuples(perhaps, st.integers(0, 120)), max_size=30))
    columns = [
        pa.chunked_array([_column([key[n] for key, _ in events], FIELDS[name][0])])
        for n, name in enumerate(names)
    ]
    instants = np.array([instant for _, instant in events], np.int64)
    assert listed(fold, columns, instants).tolist() == [
        fold.live(key, when) for key, when in events
    ]


def test_many_keys_and_instants_far_apart() -> None:
    """Keys times microseconds of two millennia would not be numbers of 64 bits."""
    first, last, count = 0, 9 * 10**16, 3000
    fold = VerdictFold(VerdictRule("list", "bots", "p", ("text",), ("r",), for_=10, tell_every=4))
    for n in range(count):
        fold.act((f"k{n}",), ManualAct(Act.BAN, first, FOREVER))
    column = pa.chunked_array([pa.array([f"k{n}" for n in range(count)] * 2)])
    instants = np.array([first] * count + [last] * count, np.int64)
    assert listed(fold, [column], instants).all()
    assert not listed(fold, [column], instants - (last - first) - 1)[:count].any()


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        plain = [None if value is None else int(value) for value in values]
        return pa.array(plain, pa.int64()).cast(kind)
    return pa.array(values, kind)
