"""Listings by event time: when a key is listed, how long, and what a person's word does."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.alerts.verdict_fold import VerdictFold
from tailrace.alerts.verdicts import (
    FOREVER,
    Accusation,
    Act,
    Change,
    ManualAct,
    Series,
    VerdictRule,
)

A = ("a",)


def rule(**options: int | bool | None) -> VerdictRule:
    return VerdictRule("list", "bots", "p", ("k",), ("r", "q"), **{"for_": 10, **options})  # type: ignore[arg-type]  # by name


def firing(
    start: int, last: int | None = None, *, rule: str = "r", told: bool = True, rest: int = 0
) -> Accusation:
    return Accusation(rule, A, start, start if last is None else last, told, rest)


def told(changes: Iterable[Change]) -> list[str]:
    return [
        f"{one.at} {one.state} {one.since}..{'' if one.until is None else one.until}"
        for one in changes
    ]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, 1),
        ({"factor": 2}, 60),  # 10 * 2^59 is the first beyond 2^62
        ({"factor": 2, "most": 10}, 1),
        ({"factor": 2, "most": 20}, 2),
        ({"factor": 2, "most": 21}, 3),
        ({"factor": 10, "most": 5}, 1),
    ],
)
def test_listings_beyond_which_none_lasts_longer(options: dict[str, int], steps: int) -> None:
    one = rule(**options)
    assert one.steps == steps
    assert replace(one, factor=1).steps == 1


CASES = [
    ("once", {}, [firing(5)], ["5 listed 5..15", "15 expired 5..15"]),
    (
        "again before it ends",
        {},
        [firing(5), firing(9)],
        ["5 listed 5..15", "9 extended 5..19", "19 expired 5..19"],
    ),
    (
        "again in the instant in which it ends",
        {},
        [firing(5), firing(15)],
        ["5 listed 5..15", "15 extended 5..25", "25 expired 5..25"],
    ),
    (
        "again after it has ended",
        {},
        [firing(5), firing(16)],
        ["5 listed 5..15", "15 expired 5..15", "16 listed 16..26", "26 expired 16..26"],
    ),
    (
        "not more often than asked, and its end all the same",
        {"tell_every": 4},
        [firing(5), firing(6), firing(7), firing(12)],
        ["5 listed 5..15", "9 extended 5..17", "13 extended 5..22", "22 expired 5..22"],
    ),
    (
        "a run goes on and on",
        {"tell_every": 5},
        [firing(5, 12), firing(13, 17, told=False)],
        [
            "5 listed 5..15",
            "10 extended 5..20",
            "15 extended 5..25",
            "20 extended 5..27",
            "27 expired 5..27",
        ],
    ),
    (
        "without refresh it ends when it was said to",
        {"refresh": False},
        [firing(5), firing(9), firing(14), firing(16)],
        ["5 listed 5..15", "15 expired 5..15", "16 listed 16..26", "26 expired 16..26"],
    ),
    (
        "without refresh a run that goes on lists anew",
        {"refresh": False},
        [firing(5, 16)],
        ["5 listed 5..15", "15 expired 5..15", "15 listed 15..25", "25 expired 15..25"],
    ),
    (
        "a run holds until it has ended",
        {"tell_every": 2},
        [firing(5, 8, rest=1)],
        ["5 listed 5..15", "7 extended 5..17", "9 extended 5..19", "19 expired 5..19"],
    ),
    (
        "without refresh a firing as it ends lists anew",
        {"refresh": False},
        [firing(5), firing(15)],
        ["5 listed 5..15", "15 expired 5..15", "15 listed 15..25", "25 expired 15..25"],
    ),
    (
        "repeaters stay longer, up to the most, within a time",
        {"factor": 2, "most": 35, "within": 100},
        [firing(0), firing(20), firing(50), firing(130)],
        [
            "0 listed 0..10",
            "10 expired 0..10",
            "20 listed 20..40",
            "40 expired 20..40",
            "50 listed 50..85",
            "85 expired 50..85",
            "130 listed 130..150",
            "150 expired 130..150",
        ],
    ),
    (
        "two rules",
        {},
        [firing(5), firing(5, rule="q"), firing(7, rule="q")],
        ["5 listed 5..15", "7 extended 5..17", "17 expired 5..17"],
    ),
]


@pytest.mark.parametrize(
    ("options", "firings", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_key_is_listed(
    options: dict[str, int], firings: list[Accusation], wanted: list[str]
) -> None:
    fold = VerdictFold(rule(**options))
    assert told(fold.advance(firings, 1000).changes) == wanted


def test_reasons_are_of_the_listing() -> None:
    fold = VerdictFold(rule())
    changes = fold.advance([firing(5), firing(6, rule="q"), firing(7), firing(30)], 35).changes
    last = changes[-2:]
    assert [(one.reasons, one.count, one.first_seen, one.last_seen) for one in last] == [
        ({"q": 1, "r": 2}, 3, 5, 7),
        ({"r": 1}, 1, 30, 30),
    ]


def test_a_ban_holds_against_the_rules() -> None:
    fold = VerdictFold(rule())
    fold.advance([firing(5)], 7)
    assert told(fold.act(A, ManualAct(Act.BAN, 8, 40)).changes) == ["8 banned 8..40"]
    assert fold.live(A, 39)
    assert told(fold.advance([firing(20)], 39).changes) == []
    assert told(fold.advance([], 60).changes) == ["40 expired 8..40"]
    assert fold.live(A, 39)
    assert not fold.live(A, 40)


def test_what_is_allowed_is_not_listed() -> None:
    fold = VerdictFold(rule())
    fold.advance([firing(5)], 7)
    assert told(fold.act(A, ManualAct(Act.ALLOW, 8, FOREVER)).changes) == ["8 allowed 8.."]
    assert fold.live(A, 7)
    assert not fold.live(A, 8)
    assert fold.advance([firing(20)], 100).changes == ()
    assert told(fold.act(A, ManualAct(Act.UNDO, 101, FOREVER)).changes) == ["101 lifted 101..101"]
    assert told(fold.advance([firing(105)], 106).changes) == ["105 listed 105..115"]


def test_nothing_is_kept_of_a_key_that_is_free() -> None:
    fold = VerdictFold(rule())
    kept = fold.advance([firing(5)], 7).kept
    assert kept[0][1] is not None
    assert fold.advance([], 15).kept == ((kept[0][0], None),)


def test_undo_without_an_act_changes_nothing() -> None:
    fold = VerdictFold(rule())
    fold.advance([firing(5)], 7)
    assert fold.act(A, ManualAct(Act.UNDO, 8, FOREVER)).changes == ()
    assert fold.live(A, 9)


def test_at_the_end_all_windows_accuse_but_time_stands() -> None:
    fold = VerdictFold(rule(tell_every=4))
    fold.advance([firing(5), firing(6)], 7)
    assert told(fold.finish([firing(12), firing(30)], 11).changes) == [
        "9 extended 5..16",
        "13 extended 5..22",
        "22 expired 5..22",
        "30 listed 30..40",
    ]
    assert fold.live(A, 39)


def test_at_the_end_what_was_not_told_is_told() -> None:
    fold = VerdictFold(rule(tell_every=4))
    fold.advance([firing(5), firing(6)], 7)
    assert told(fold.finish([], 8).changes) == ["8 extended 5..16"]


def test_a_list_that_is_removed_lifts_all() -> None:
    fold = VerdictFold(rule())
    fold.advance([firing(5)], 7)
    removed = fold.remove(8)
    assert told(removed.changes) == ["8 lifted 5..8"]
    assert [body for _, body in removed.kept] == [None]


RUNS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12), st.sampled_from("rq")), max_size=12
)

OPTIONS = st.fixed_dictionaries(
    {
        "for_": st.integers(4, 12),
        "refresh": st.booleans(),
        "factor": st.integers(1, 3),
        "most": st.sampled_from([None, 20]),
        "within": st.sampled_from([0, 30]),
        "tell_every": st.integers(1, 4),
    }
)
MANUALS = st.none() | st.tuples(st.sampled_from([Act.BAN, Act.ALLOW]), st.integers(1, 20))


@given(
    runs=RUNS,
    cuts=st.lists(st.integers(0, 80), max_size=6),
    options=OPTIONS,
    rest=st.integers(0, 1),
    manual=MANUALS,
)
def test_cuts_change_nothing(
    runs: list[tuple[int, int, str]],
    cuts: list[int],
    options: dict[str, int],
    rest: int,
    manual: tuple[Act, int] | None,
) -> None:
    taken: dict[str, int] = {}
    firings = []
    for start, length, name in sorted(runs):
        if start > taken.get(name, -1):
            firings.append(firing(start, start + length, rule=name, rest=rest))
            taken[name] = start + length
    act = None if manual is None else ManualAct(manual[0], 0, manual[1])
    fold = VerdictFold(rule(**options))
    stored: dict[str, str] = {}
    if act is not None:
        stored = {place: body for place, body in fold.act(A, act).kept if body}
    whole = fold.advance(firings, 200).changes
    found: list[Change] = []
    before = -1
    for cut in [*sorted(set(cuts)), 200]:
        # Every call begins anew from what was kept, and gets of a run what is known by then.
        fold = VerdictFold(rule(**options), stored.values())
        given_now = [
            Accusation(
                one.rule,
                A,
                max(one.start, before + 1),
                min(one.last, cut),
                one.start > before,
                rest,
            )
            for one in firings
            if one.start <= cut and one.last > before
        ]
        result = fold.advance(given_now, cut)
        found += result.changes
        for place, body in result.kept:
            if body is None:
                stored.pop(place, None)
            else:
                stored[place] = body
        before = cut
    assert found == list(whole)


@given(
    ends=st.dictionaries(
        st.sampled_from("rq"), st.sets(st.integers(0, 60), min_size=1), min_size=1
    ),
    cuts=st.lists(st.integers(0, 80), max_size=4),
    options=OPTIONS,
    manual=MANUALS,
)
def test_firings_together_are_as_each_alone(
    ends: dict[str, set[int]],
    cuts: list[int],
    options: dict[str, int],
    manual: tuple[Act, int] | None,
) -> None:
    alone, together = VerdictFold(rule(**options)), VerdictFold(rule(**options))
    for fold in (alone, together):
        if manual is not None:
            fold.act(A, ManualAct(manual[0], 0, manual[1]))
    before = -1
    for cut in [*sorted(set(cuts)), 200]:
        now = {name: sorted(e for e in es if before < e <= cut) for name, es in ends.items()}
        series = [
            Series(name, A, es, lambda place, es=es: {"m": es[place]})  # type: ignore[misc]  # a default
            for name, es in now.items()
            if es
        ]
        singles = [one.single(place) for one in series for place in range(len(one.ends))]
        assert together.advance(series, cut) == alone.advance(singles, cut)
        before = cut


@pytest.mark.parametrize("act", [Act.ALLOW, Act.BAN, Act.UNDO])
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("calls", [1, 2, 3])
def test_an_act_changes_nothing_before_it(act: Act, again: bool, calls: int) -> None:
    fold = VerdictFold(rule(for_=50))
    kept = dict(fold.advance([firing(90)], 100).kept)
    acts = [Act.BAN, Act.UNDO] if act is Act.UNDO else [act]
    for one in acts:
        kept |= dict(fold.act(A, ManualAct(one, 101, FOREVER)).kept)
    for _ in range(calls):
        if again:
            fold = VerdictFold(rule(for_=50), [text for text in kept.values() if text is not None])
        kept |= dict(fold.advance([], 100).kept)
        # A late event is judged at the watermark that its partition had come to.
        assert fold.live(A, 100)
        assert fold.live(A, 101) is (act is Act.BAN)
    for horizon in (101, 102):
        kept |= dict(fold.advance([], horizon).kept)
    assert fold.live(A, 100) is False
    if act is Act.UNDO:
        assert list(kept.values()) == [None]


def test_the_end_of_a_timed_allow_is_told() -> None:
    fold = VerdictFold(rule(for_=50))
    fold.advance([firing(90)], 100)
    fold.act(A, ManualAct(Act.ALLOW, 101, 200))
    assert told(fold.advance([], 1000).changes) == ["200 expired 101..200"]


def test_nothing_is_kept_of_a_removed_list() -> None:
    fold = VerdictFold(rule(for_=50))
    fold.advance([firing(90)], 100)
    fold.act(A, ManualAct(Act.ALLOW, 101, 200))
    assert [text for _, text in fold.remove(102).kept] == [None]


def test_only_offenders_are_looked_at() -> None:
    """A key that is remembered for repeaters alone is none; nor is it after a restart."""
    fold = VerdictFold(rule(factor=2, within=1000))
    fold.advance([firing(5)], 5)
    assert fold.known == [A]
    kept = dict(fold.advance([], 20).kept)
    assert (fold.known, fold.live(A, 14)) == ([A], True)
    fold.advance([], 21)
    assert (fold.known, list(fold.cases)) == ([], [A])
    again = VerdictFold(rule(factor=2, within=1000), [t for t in kept.values() if t is not None])
    assert (again.known, list(again.cases)) == ([], [A])
    fold.act(A, ManualAct(Act.ALLOW, 22, FOREVER))
    assert fold.known == []
    fold.act(A, ManualAct(Act.BAN, 22, FOREVER))
    assert fold.known == [A]
