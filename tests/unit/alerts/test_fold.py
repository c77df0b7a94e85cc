from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.naive import Told, tell

from tailrace.alerts.fold import IncidentFold, in_order
from tailrace.alerts.incidents import Firings, FoldResult, IncidentRule, Reason, Revision
from tailrace.alerts.states import IncidentState
from tailrace.plan.identity import Key, Scalar, Time

KEYS: tuple[Key, ...] = (("10.0.0.1", 1), ("a", None), (None, -3), ("", 0))
Window = tuple[Key, int]


def rule(**changes: Any) -> IncidentRule:
    given: dict[str, Any] = {
        "identity": "r1",
        "name": "flood",
        "pipeline": "nginx",
        "size": 3,
        "every": 1,
        "key_names": ("client_ip", "code"),
        "measure_names": ("count",),
        "labels": {"team": "{client_ip}"},
        "annotations": {"summary": "{rule}: {count} of {team}"},
    }
    return IncidentRule(**given | changes)


def firings(windows: Sequence[Window], ids: Callable[[Key], int] = KEYS.index) -> Firings:
    """Each window's measures tell which window they are of."""
    return Firings(
        ends=np.array([end for _, end in windows], np.int64),
        keys=np.array([ids(key) for key, _ in windows], np.int64),
        key_values=lambda number: next(key for key in KEYS if ids(key) == number),
        measures=lambda row: {"count": windows[row][1] * 10},
        flags=np.array([end % 4 for _, end in windows], np.int64),
    )


class Store:
    """Keeps states as text, as the store does, and a fold that starts anew at every call."""

    def __init__(self, of: IncidentRule) -> None:
        self.rule = of
        self.rows: dict[str, str] = {}

    def fold(self) -> IncidentFold:
        return IncidentFold(self.rule, map(IncidentState.from_json, self.rows.values()))

    def save(self, result: FoldResult) -> None:
        for state in result.changed:
            self.rows[state.place] = state.to_json()
        for place in result.forgotten:
            del self.rows[place]


def told(revision: Revision) -> Told:
    return Told(
        revision.reason,
        revision.end,
        revision.started_at,
        revision.opened_at,
        revision.last_firing_at,
        revision.resolved_at,
        revision.revision,
    )


@st.composite
def _rules(draw: st.DrawFn) -> IncidentRule:
    every = draw(st.integers(1, 3))
    few = st.integers(0, 7)
    return rule(
        size=every * draw(st.integers(1, 3)),
        every=every,
        for_=draw(st.just(0) | few),
        keep_firing_for=draw(st.just(0) | few),
        cooldown=draw(st.just(0) | few),
        update_every=draw(st.just(0) | few),
    )


@st.composite
def _windows(draw: st.DrawFn, every: int) -> list[Window]:
    """Firings in stretches and gaps, in any order."""
    windows: list[Window] = []
    for key in KEYS[: draw(st.integers(1, len(KEYS)))]:
        at = draw(st.integers(-4, 4))
        for gap, length in draw(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 8)))):
            at += gap
            windows += [(key, (at + step) * every) for step in range(length)]
            at += length
    return draw(st.permutations(windows))


@settings(deadline=None)
@given(data=st.data(), of=_rules())
def test_stretches_cut_anywhere_tell_what_single_windows_tell(
    data: st.DataObject, of: IncidentRule
) -> None:
    windows = data.draw(_windows(of.every))
    cuts = sorted(data.draw(st.lists(st.integers(-10, 80), max_size=8)))
    final = (cuts[-1] if cuts else -10) + data.draw(st.integers(0, 20))
    numbers = data.draw(st.permutations(range(len(KEYS))))

    store = Store(of)
    fold = store.fold()
    revisions: list[Revision] = []
    left = windows
    for cut in cuts:
        closed = [window for window in left if window[1] <= cut]
        left = [window for window in left if window[1] > cut]
        numbers = [*numbers[1:], numbers[0] + len(KEYS)]
        result = fold.advance(firings(closed, lambda key: numbers[KEYS.index(key)]), cut)  # noqa: B023
        store.save(result)
        revisions += result.revisions
        assert sorted(map(repr, fold.states())) == sorted(map(repr, store.fold().states()))
        if data.draw(st.booleans()):
            fold = store.fold()
    for result in (fold.advance(firings(left), final), fold.finish(final)):
        store.save(result)
        revisions += result.revisions

    assert not store.rows
    for key in KEYS:
        mine = [revision for revision in revisions if tuple(revision.key.values()) == key]
        fired = {end for other, end in windows if other == key}
        assert [told(revision) for revision in mine] == tell(of, fired, final)
        for revision in mine:
            assert revision.measures == {"count": revision.end * 10}
            assert revision.start == revision.end - of.size
            assert len(revision.flags) == (revision.end % 4).bit_count()
    last = (cuts or [-11])[-1]
    before_the_end = [r for r in revisions if r.at <= last and r.reason is not Reason.INPUT_ENDED]
    assert tuple(before_the_end) == in_order(before_the_end)
    assert len({revision.id for revision in revisions}) == len(revisions)


@settings(deadline=None)
@given(data=st.data(), of=_rules().filter(lambda of: not of.for_))
def test_each_early_notice_is_named_by_one_incident(data: st.DataObject, of: IncidentRule) -> None:
    windows = data.draw(_windows(of.every))
    evicted = data.draw(st.sets(st.sampled_from(windows), max_size=2)) if windows else set()
    store = Store(of)
    revisions: list[Revision] = []
    sent: dict[str, Window] = {}
    unconfirmed: list[str] = []
    last = -10
    for cut in [*range(-10, 80, data.draw(st.integers(1, 20))), 1000]:
        fold = store.fold()
        closed = [window for window in windows if last < window[1] <= cut]
        result = fold.advance(firings([w for w in closed if w not in evicted]), cut)
        store.save(result)
        revisions += result.revisions
        unconfirmed += result.unconfirmed
        ahead = [window for window in windows if window[1] > cut]
        for key in fold.may_notify([key for key in KEYS if any(key == w[0] for w in ahead)]):
            window = data.draw(st.sampled_from([window for window in ahead if window[0] == key]))
            notice = f"n{len(sent)}"
            sent[notice] = window
            state = fold.note(key, window[1] - of.size, notice)
            store.rows[state.place] = state.to_json()
            assert fold.may_notify([key]) == []
        last = cut

    named = [n for revision in revisions if revision.revision == 0 for n in revision.notices]
    assert sorted(named + unconfirmed) == sorted(sent)
    assert all(sent[notice] in evicted for notice in unconfirmed)
    for revision in revisions:
        assert all(sent[notice][0] == tuple(revision.key.values()) for notice in revision.notices)


CASES: list[tuple[str, dict[str, int], str, int, str]] = [
    # name, rule, windows that fire (one character each, from 1), watermark, what is told
    ("one window", {}, "x", 2, "opened@1 resolved@2"),
    ("not yet over", {}, "x", 1, "opened@1"),
    ("without a gap", {}, "xxx", 9, "opened@1 resolved@4"),
    ("a gap", {}, "x.x", 9, "opened@1 resolved@2 opened@3 resolved@4"),
    ("for", {"for_": 2}, "xx.xxx", 9, "opened@6 resolved@7"),
    ("for, not whole windows", {"for_": 3, "every": 2}, "xxx", 99, "opened@6 resolved@8"),
    ("keep", {"keep_firing_for": 1}, "x.x..x", 9, "opened@1 resolved@5 opened@6 resolved@8"),
    ("cooldown", {"cooldown": 2}, "x.xx", 9, "opened@1 resolved@2 opened@4 resolved@5"),
    (
        "cooldown hides for",
        {"cooldown": 2, "for_": 1},
        "xx.xxx",
        9,
        "opened@2 resolved@3 opened@6 resolved@7",
    ),
    ("updates", {"update_every": 2}, "xxxx", 4, "opened@1 updated@3"),
    (
        "updates missed",
        {"update_every": 2, "keep_firing_for": 9},
        "x....x.x",
        8,
        "opened@1 updated@6 updated@8",
    ),
]


@pytest.mark.parametrize(
    ("changes", "drawn", "watermark", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_the_life_of_an_incident(
    changes: dict[str, int], drawn: str, watermark: int, expected: str
) -> None:
    of = rule(**changes)
    windows = [(KEYS[0], (at + 1) * of.every) for at, mark in enumerate(drawn) if mark == "x"]
    result = IncidentFold(of).advance(firings(windows), watermark)
    assert " ".join(f"{told.reason}@{told.at}" for told in result.revisions) == expected


def test_a_removed_rule_resolves_its_incidents() -> None:
    fold = IncidentFold(rule(cooldown=60))
    opened = fold.advance(firings([(KEYS[0], 5), (KEYS[1], 2)]), 5)
    removed = fold.remove(5, 5)
    assert [(r.reason, r.state, r.at, r.resolved_at) for r in removed.revisions] == [
        ("rule_removed", "resolved", 5, 5)
    ]
    assert {state.place for state in opened.changed} == set(removed.forgotten)
    assert fold.states() == ()


def test_what_lived_only_during_one_call_is_not_forgotten_twice() -> None:
    result = IncidentFold(rule()).advance(firings([(KEYS[0], 1)]), 9)
    assert (result.changed, result.forgotten) == ((), ())


def test_a_revision_as_outputs_get_it() -> None:
    minute = 60_000_000
    of = rule(size=minute, every=minute, key_names=("client_ip", "since"))
    key: Key = ("10.0.0.1", Time(1))
    measures: dict[str, Scalar] = {"count": 12, "avg_time": 0.1, "max_host": None}
    fired = Firings(
        np.array([minute]), np.array([0]), lambda _: key, lambda _: measures, np.array([1])
    )
    opened, resolved = IncidentFold(of).advance(fired, 2 * minute).revisions
    assert opened.to_json_dict() == {
        "id": opened.id,
        "fingerprint": opened.fingerprint,
        "revision": 0,
        "state": "firing",
        "reason": "opened",
        "pipeline": "nginx",
        "rule": "flood",
        "key": {"client_ip": "10.0.0.1", "since": "1970-01-01T00:00:00.000001Z"},
        "labels": {"team": "10.0.0.1"},
        "annotations": {"summary": "flood: 12 of 10.0.0.1"},
        "measures": {"count": 12, "avg_time": 0.1, "max_host": None},
        "window": {"start": "1970-01-01T00:00:00.000Z", "end": "1970-01-01T00:01:00.000Z"},
        "started_at": "1970-01-01T00:01:00.000Z",
        "opened_at": "1970-01-01T00:01:00.000Z",
        "last_firing_at": "1970-01-01T00:01:00.000Z",
        "resolved_at": None,
        "notices": [],
        "flags": ["keys_evicted"],
    }
    assert resolved.to_json_dict()["resolved_at"] == "1970-01-01T00:02:00.000Z"
    assert (resolved.fingerprint, resolved.revision) == (opened.fingerprint, 1)
