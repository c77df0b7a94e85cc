"""Runs that are told once and go on accuse as if each were told at every watermark."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.alerts.verdict_fold import VerdictFold, VerdictResult
from tailrace.alerts.verdicts import FOREVER, Accusation, Act, Change, ManualAct, VerdictRule

END = 120


class Stretch(NamedTuple):
    """A rule's condition holds for a key of the rule, a part of which is listed."""

    rule: str
    run: tuple[str, str]
    first: int
    last: int


def rule(**options: int | bool | None) -> VerdictRule:
    return VerdictRule("list", "bots", "p", ("k",), ("r", "q"), **{"for_": 10, **options})  # type: ignore[arg-type]  # by name


def accusation(one: Stretch, start: int, last: int, *, told: bool, runs: bool) -> Accusation:
    shown = {"count": one.first}
    run = one.run if runs else None
    return Accusation(one.rule, one.run[:1], start, last, told, 1, shown, run)


def each_time(drawn: Iterable[Stretch], before: int, known: int) -> list[Accusation]:
    """What is told if everything is told each time."""
    return [
        accusation(
            one,
            max(one.first, before + 1),
            min(one.last, known),
            told=one.first > before,
            runs=False,
        )
        for one in drawn
        if one.first <= known and one.last > before
    ]


def once(drawn: Iterable[Stretch], before: int, known: int, *, anew: bool) -> list[Accusation]:
    """What is told if runs are told as they begin and end, and ``anew`` all that go on."""
    found = []
    for one in drawn:
        begun, over = one.first <= before, one.last <= known
        last = one.last if over else FOREVER
        if begun and one.last == before and before >= 0:
            found.append(accusation(one, before + 1, before, told=False, runs=True))
        elif one.first <= known and one.last > before and (not begun or over or anew):
            start = max(one.first, before + 1)
            found.append(accusation(one, start, last, told=not begun, runs=True))
    return found


@st.composite
def stretches(draw: st.DrawFn) -> list[Stretch]:
    found = []
    for name in "rq":
        for run in (("a", "x"), ("a", "y"), ("b", "x")):
            at = -1
            for gap, length in draw(
                st.lists(st.tuples(st.integers(1, 20), st.integers(1, 40)), max_size=3)
            ):
                at += gap
                found.append(Stretch(name, run, at, at + length - 1))
                at += length
    return found


OPTIONS = st.fixed_dictionaries(
    {
        "for_": st.integers(4, 12),
        "refresh": st.booleans(),
        "factor": st.integers(1, 3),
        "most": st.sampled_from([None, 3, 20]),
        "within": st.sampled_from([0, 30]),
        "tell_every": st.integers(1, 9),
    }
)
ACTS = st.dictionaries(
    st.integers(0, 8),
    st.tuples(
        st.sampled_from("ab"), st.sampled_from([Act.BAN, Act.ALLOW, Act.UNDO]), st.integers(1, 25)
    ),
    max_size=3,
)


class Story(NamedTuple):
    """``acts``, ``restarts`` and ``gone`` by the number of the call after which they are."""

    drawn: list[Stretch]
    cuts: list[int]
    behind: int
    options: dict[str, int | None]
    others: dict[str, int | None] | None
    acts: dict[int, tuple[str, Act, int]]
    restarts: set[int]
    gone: tuple[int, str] | None
    final: bool


class Kept:
    """A fold that begins anew from what it said was to be kept."""

    def __init__(self, options: dict[str, int | None]) -> None:
        self.options, self.horizon = options, -(10**6)
        self.stored: dict[str, str] = {}
        self.changes: list[Change] = []
        self.fold = VerdictFold(rule(**options))

    def take(self, result: VerdictResult) -> None:
        self.changes += result.changes
        for place, body in result.kept:
            self.stored.pop(place, None)
            if body is not None:
                self.stored[place] = body

    def go_on(self, given: Iterable[Accusation], horizon: int, *, final: bool) -> None:
        self.horizon = horizon
        self.take((self.fold.finish if final else self.fold.advance)(given, horizon))

    def act(self, key: str, act: Act, lasts: int) -> None:
        at = self.horizon + 1
        self.take(self.fold.act((key,), ManualAct(act, at, at + lasts)))

    def again(self) -> None:
        self.fold = VerdictFold(rule(**self.options), self.stored.values(), self.horizon)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    return Story(
        draw(stretches()),
        sorted(draw(st.lists(st.integers(0, END - 1), max_size=8, unique=True))),
        draw(st.integers(0, 5)),
        draw(OPTIONS),
        draw(st.none() | OPTIONS),
        draw(ACTS),
        draw(st.sets(st.integers(0, 8))),
        draw(st.none() | st.tuples(st.integers(0, 8), st.sampled_from("rq"))),
        draw(st.booleans()),
    )


@settings(max_examples=300)
@given(story=stories())
def test_told_once_is_as_told_each_time(story: Story) -> None:
    plain, lazy = Kept(story.options), Kept(story.options)
    both = (plain, lazy)
    drawn, anew = story.drawn, False
    for number, (before, known) in enumerate(pairwise([-1, *story.cuts, END])):
        horizon = max(known - story.behind, plain.horizon)
        final = story.final and known == END
        plain.go_on(each_time(drawn, before, known), known if final else horizon, final=final)
        lazy.go_on(once(drawn, before, known, anew=anew), known if final else horizon, final=final)
        anew = False
        if number in story.acts:
            for one in both:
                one.act(*story.acts[number])
        for at in range(horizon - 3, horizon + 1):
            for key in "ab":
                assert plain.fold.live((key,), at) == lazy.fold.live((key,), at)
        if story.gone is not None and story.gone[0] == number:
            # The pipeline becomes another: a rule accuses no more, and all else may be different.
            gone = story.gone[1]
            lazy.take(lazy.fold.settle({gone: known}))
            drawn = [one for one in drawn if one.rule != gone]
            for one in both:
                one.options = story.others or story.options
            anew = True
        if anew or number in story.restarts:
            for one in both:
                one.again()
            anew = True
        assert plain.changes == lazy.changes
    assert lazy.fold.remove(END + 1).changes == plain.fold.remove(END + 1).changes


def keys_of(many: int) -> Sequence[Stretch]:
    return [Stretch("r", (str(number), ""), 5, END) for number in range(many)]


def test_what_goes_on_changes_nothing() -> None:
    fold = VerdictFold(rule(for_=50, tell_every=20))
    begun = fold.advance(once(keys_of(100), -1, 10, anew=False), 10)
    assert len(begun.changes) == len(begun.kept) == 100
    for known in range(11, 25):
        assert fold.advance([], known) == VerdictResult()
    extended = fold.advance([], 25)
    assert {one.state for one in extended.changes} == {"extended"}
    assert len(extended.changes) == len(extended.kept) == 100


def test_what_is_banned_says_nothing() -> None:
    fold = VerdictFold(rule(for_=50, tell_every=20))
    fold.act(("0",), ManualAct(Act.BAN, 0, FOREVER))
    fold.advance(once(keys_of(1), -1, 10, anew=False), 10)
    assert fold.soonest is None
    assert fold.advance([], 90) == VerdictResult()
    undone = fold.act(("0",), ManualAct(Act.UNDO, 91, FOREVER))
    assert [(one.state, one.at) for one in undone.changes] == [("lifted", 91)]
    listed = fold.advance([], 92)
    assert [(one.state, one.at, one.since) for one in listed.changes] == [("listed", 91, 91)]
