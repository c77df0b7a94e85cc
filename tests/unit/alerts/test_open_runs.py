"""Runs that are told once and go on: the same as if each were told at every watermark."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.test_fold import KEYS, Store, rule

from tailrace.alerts.incidents import Firings, IncidentRule

if TYPE_CHECKING:
    from collections.abc import Sequence


class Stretch(NamedTuple):
    key: int
    first: int
    last: int


class Row(NamedTuple):
    key: int
    end: int
    last: int
    open: bool
    measure: int


@st.composite
def rules(draw: st.DrawFn) -> IncidentRule:
    few = st.just(0) | st.integers(0, 7)
    names = ("for_", "keep_firing_for", "cooldown", "update_every")
    return rule(**{name: draw(few) for name in names})


@st.composite
def stretches(draw: st.DrawFn) -> list[Stretch]:
    found = []
    for key in range(draw(st.integers(1, len(KEYS)))):
        at = draw(st.integers(-4, 4))
        for gap, length in draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 25)))):
            at += gap
            found.append(Stretch(key, at, at + length - 1))
            at += length
    return found


def rows(drawn: Sequence[Stretch], before: int, known: int, *, anew: bool) -> list[Row]:
    """What is told of the time after ``before`` up to ``known``; ``anew``: of all that goes on."""
    found = []
    for key, first, last in drawn:
        begun, over = first <= before, last <= known
        if begun and last == before:
            # It was told as one that goes on, if it was known to end no sooner.
            found.append(Row(key, before + 1, before, open=False, measure=first))
        elif first <= known and last > before and (not begun or over or anew):
            row = Row(key, max(first, before + 1), min(last, known), open=not over, measure=first)
            found.append(row)
    return found


def all_rows(drawn: Sequence[Stretch], before: int, known: int) -> list[Row]:
    """What is told of it if everything is told each time."""
    told = rows(drawn, before, known, anew=True)
    return [row._replace(open=False) for row in told if row.last >= row.end]


def firings(told: Sequence[Row], *, opens: bool) -> Firings:
    return Firings(
        ends=np.array([row.end for row in told], np.int64),
        keys=np.array([row.key for row in told], np.int64),
        key_values=KEYS.__getitem__,
        measures=lambda row: {"count": told[row].measure},
        flags=np.array([row.measure % 4 for row in told], np.int64),
        lasts=np.array([row.last for row in told], np.int64),
        open=np.array([row.open for row in told], np.bool_) if opens else None,
    )


@settings(deadline=None)
@given(data=st.data(), of=rules(), drawn=stretches())
def test_what_goes_on_untold_is_as_if_it_were_told(
    data: st.DataObject, of: IncidentRule, drawn: list[Stretch]
) -> None:
    cuts = sorted({-10, *data.draw(st.lists(st.integers(-10, 120), min_size=1, max_size=12))})
    plain, brief = Store(of), Store(of)
    one, other = plain.fold(), brief.fold()
    anew = True
    before = -20
    for cut in cuts:
        expected = one.advance(firings(all_rows(drawn, before, cut), opens=False), cut)
        given = rows(drawn, before, cut, anew=anew)
        found = other.advance(firings(given, opens=True), cut)
        plain.save(expected)
        brief.save(found)
        assert found.revisions == expected.revisions
        assert brief.rows == plain.rows
        assert sorted(map(repr, other.states())) == sorted(map(repr, one.states()))
        before, anew = cut, data.draw(st.booleans())
        if anew:
            other = brief.fold()
    if data.draw(st.booleans()):
        ends = one.finish(before), other.finish(before)
    else:
        ends = one.remove(before, before), other.remove(before, before)
    assert ends[0].revisions == ends[1].revisions
    assert sorted(ends[0].forgotten) == sorted(ends[1].forgotten)


def test_a_run_that_goes_on_asks_for_no_attention() -> None:
    fold = Store(rule()).fold()
    fold.advance(firings([Row(0, 5, 9, open=True, measure=5)], opens=True), 9)
    fold.advance(None, 10)  # where it would have been over
    assert fold.soonest is None
    assert not fold.advance(None, 10_000).revisions
    (resolved,) = fold.advance(
        firings([Row(0, 10_001, 10_000, open=False, measure=5)], opens=True), 10_001
    ).revisions
    assert (resolved.last_firing_at, resolved.resolved_at) == (10_000, 10_001)
