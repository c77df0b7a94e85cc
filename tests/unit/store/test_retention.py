"""What is over goes after its time, what still matters stays; the log of decisions has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.engines.epoch import DecisionKind
from tailrace.store import store as stores
from tailrace.store.commit import Commit
from tailrace.store.store import MEMORY, PASSING, Store

if TYPE_CHECKING:
    import pytest

STAMP = pa.timestamp("us")


def verdict(name: str, state: str, until: int | None) -> dict[str, object]:
    plain = {"verdict": "bots", "key": name, "since": 0, "reasons": "{}", "count": 1, "body": "{}"}
    live = state in ("listed", "extended", "banned")
    return {"id": name, "state": state, "live": live, "until": until, **plain}


def incident(
    name: str, resolved_at: int | None, reason: str = "", last: int = 1
) -> dict[str, object]:
    plain = {"rule": "r", "key": "{}", "reason": reason, "revision": 0, "last_firing_at": last}
    return {
        **plain,
        **dict.fromkeys(("started_at", "opened_at"), 1),
        "fingerprint": name,
        "state": "firing" if resolved_at is None else "resolved",
        "resolved_at": resolved_at,
        "body": "{}",
    }


def table(rows: list[dict[str, object]], *times: str) -> pa.Table:
    found = pa.Table.from_pylist(rows)
    for name in times:
        place = found.column_names.index(name)
        column = found[name].cast(pa.int64()).cast(STAMP)
        found = found.set_column(place, name, column)
    return found


def test_what_is_over_goes_and_the_rest_stays() -> None:
    store = Store.open(MEMORY, "p", salt="")
    incidents = [incident("fires", None), incident("old", 99), incident("new", 100)]
    incidents += [
        incident("ended", None, "input_ended", 99),
        incident("ended lately", None, "input_ended", 100),
    ]
    verdicts = [
        verdict("expired", "expired", 99),
        verdict("lately", "expired", 100),
        verdict("listed", "listed", 50),  # time has not come so far in the table alone
        verdict("banned", "banned", None),
        verdict("allowed", "allowed", None),
        verdict("lifted", "lifted", 7),
    ]
    times = ("started_at", "opened_at", "last_firing_at", "resolved_at")
    commit = Commit(
        1,
        {},
        incidents=table(incidents, *times),
        verdicts=table(verdicts, "since", "until"),
    )
    store.commit(commit)
    store.commit(Commit(2, {}, retained_from=100))
    left = store.query("select fingerprint from incidents order by 1")["fingerprint"].to_pylist()
    assert left == ["ended lately", "fires", "new"]
    left = store.query("select key from verdicts order by 1")["key"].to_pylist()
    assert left == ["allowed", "banned", "lately", "listed"]


def test_the_log_keeps_the_last_decisions_and_all_that_people_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stores, "MOST_PASSING", 30)
    store = Store.open(MEMORY, "p", salt="")
    for epoch in range(200):
        decisions: list[tuple[str, dict[str, object]]] = [("clock", {"value": epoch})]
        if epoch % 50 == 0:
            decisions.append(("manual", {"value": epoch}))
        store.commit(Commit(epoch, {}, decisions=tuple(decisions)))
        assert len(store.decisions()) <= 30 + 3 + 4
    clocks = [epoch for epoch, kind, _ in store.decisions() if kind == "clock"]
    assert clocks == list(range(clocks[0], 200))
    assert len(clocks) >= 30
    assert [epoch for epoch, kind, _ in store.decisions() if kind == "manual"] == [0, 50, 100, 150]


def test_the_kinds_are_kinds_of_decisions() -> None:
    assert set(PASSING) <= {kind.value for kind in DecisionKind}
