"""A row that stands for a run of firings tells what its single firings would tell."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.naive import tell
from tests.unit.alerts.test_fold import KEYS, Store, rule, told

from tailrace.alerts.incidents import Firings, IncidentRule, Revision
from tailrace.alerts.states import Reached

Run = tuple[int, int]
FEW = st.integers(0, 7)


@st.composite
def rules(draw: st.DrawFn) -> IncidentRule:
    return rule(
        for_=draw(FEW), keep_firing_for=draw(FEW), cooldown=draw(FEW), update_every=draw(FEW)
    )


@st.composite
def runs(draw: st.DrawFn) -> list[Run]:
    found: list[Run] = []
    at = draw(st.integers(-4, 4))
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 12)))):
        at += gap
        found.append((at, at + length))
        at += length + 1
    return found


def given_as(found: list[Run]) -> Firings:
    return Firings(
        ends=np.array([first for first, _ in found], np.int64),
        keys=np.zeros(len(found), np.int64),
        key_values=lambda _: KEYS[0],
        measures=lambda row: {"count": row},
        lasts=np.array([last for _, last in found], np.int64),
    )


def up_to(found: list[Run], cut: int) -> tuple[list[Run], list[Run]]:
    """The runs as far as an instant, and what comes after it."""
    before = [(first, min(last, cut)) for first, last in found if first <= cut]
    return before, [(max(first, cut + 1), last) for first, last in found if last > cut]


@settings(deadline=None)
@given(of=rules(), left=runs(), cuts=st.lists(st.integers(-10, 80), max_size=8).map(sorted))
def test_runs_cut_anywhere_tell_what_single_firings_tell(
    of: IncidentRule, left: list[Run], cuts: list[int]
) -> None:
    fired = {end for first, last in left for end in range(first, last + 1)}
    final = max([*cuts, *fired, -10])
    store = Store(of)
    revisions: list[Revision] = []
    for cut in cuts:
        closed, left = up_to(left, cut)
        result = store.fold().advance(given_as(closed), cut)
        store.save(result)
        revisions += result.revisions
    fold = store.fold()
    revisions += fold.advance(given_as(left), final).revisions
    revisions += fold.finish(final).revisions
    assert [told(revision) for revision in revisions] == tell(of, fired, final)


def test_of_incidents_that_go_on_nothing_is_stored_anew() -> None:
    numbers = np.arange(len(KEYS))

    def firing(first: int, last: int, count: int = 7) -> Firings:
        return Firings(
            ends=np.full(len(KEYS), first),
            keys=numbers,
            key_values=KEYS.__getitem__,
            measures=lambda _: {"count": count},
            lasts=np.full(len(KEYS), last),
        )

    store = Store(rule())
    fold = store.fold()
    opened = fold.advance(firing(1, 10), 10)
    assert len(opened.changed) == len(KEYS) + 1
    store.save(opened)
    for first in (11, 21):
        (reached,) = (same := fold.advance(firing(first, first + 9), first + 9)).changed
        assert (reached.life, same.forgotten) == (Reached(first + 9), ())
        store.save(same)
        again = store.fold()
        assert sorted(again.states(), key=repr) == sorted(fold.states(), key=repr)
    assert len(fold.advance(firing(31, 40, 8), 40).changed) == len(KEYS) + 1
    # Read back, they were firing up to where the rule was judged.
    ended = again.advance(firing(31, 35), 38)
    assert {revision.last_firing_at for revision in ended.revisions} == {35}
    store.save(ended)
    assert store.rows == {}
