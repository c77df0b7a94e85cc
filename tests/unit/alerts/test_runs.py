"""A row that stands for a run of firings tells what its single firings would tell."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.naive import tell
from tests.unit.alerts.test_fold import KEYS, Store, rule, told

from tailrace.alerts.incidents import Firings, IncidentRule, Revision

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
