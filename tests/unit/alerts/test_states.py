from __future__ import annotations

import json

import pytest

from tailrace.alerts.states import Cooldown, Firing, IncidentState, Life, Noticed, Pending
from tailrace.plan.identity import Key, Time, digest

OPEN = Firing(
    fingerprint="f" * 32,
    since=-5,
    opened_at=2**62,
    last=2**62 + 1,
    revision=3,
    update_due=None,
    measures={
        "count": 2**63 - 1,
        "mean": 0.1,
        "first": Time(7),
        "host": "\0'\"é\x1b",
        "none": None,
    },
    flags=2,
    notices=("n1", "n2"),
)


@pytest.mark.parametrize(
    "life",
    [Pending(1, 2), OPEN, OPEN._replace(update_due=9, notices=()), Cooldown(3), Noticed(4, "n")],
)
@pytest.mark.parametrize("key", [(), ("a", 1, True, None, 1.0, Time(1), "{}")])
def test_a_state_comes_back_as_it_was(life: Life, key: Key) -> None:
    state = IncidentState("rule", key, life)
    back = IncidentState.from_json(state.to_json())
    assert back == state
    assert type(back.life) is type(life)
    assert [type(value) for value in back.key] == [type(value) for value in key]
    assert back.place == digest("rule", *key)
    json.loads(state.to_json())


def test_times_stay_times_among_measures() -> None:
    back = IncidentState.from_json(IncidentState("rule", (), OPEN).to_json()).life
    assert isinstance(back, Firing)
    assert type(back.measures["first"]) is Time
    assert type(back.measures["count"]) is int
