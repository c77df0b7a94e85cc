"""Comparing: what is equal to what, which rows pair, what a failure shows."""

from dataclasses import replace

import pytest

from tailrace.testing.case import Case, Number
from tailrace.testing.compare import check, differences, holds, unconfirmed
from tailrace.testing.format import loads
from tailrace.testing.outcome import (
    Counts,
    DeadLetter,
    EventAlert,
    Instant,
    Notice,
    Outcome,
    Revision,
    RuleCounts,
    Value,
    Window,
)
from tailrace.testing.tokens import expected

HEAD = "pipeline\n  name: x\ncase one\nrows p\n  0s\n  1s\n"
SECOND = 1_000_000
NUMBERS = {("p", 0): 1, ("p", 9): 2}


def case(text: str) -> Case:
    (found,) = loads(HEAD + text, "f.test")
    return found


def window(start: int, key: str, **measures: Value) -> Window:
    end = start + 10
    return Window(f"{key}{start}", "w", start * SECOND, end * SECOND, {"k": key}, measures)


def revision(reason: str, number: int, **measures: Value) -> Revision:
    return Revision(
        id=f"i{number}",
        fingerprint="f",
        revision=number,
        state="firing",
        reason=reason,
        pipeline="x",
        rule="r",
        key={"k": "a"},
        measures=measures,
        start=0,
        end=10 * SECOND,
        started_at=10 * SECOND,
        opened_at=10 * SECOND,
        last_firing_at=10 * SECOND,
        resolved_at=20 * SECOND if number else None,
        labels={"severity": "page"},
        annotations={"summary": "a b"},
    )


@pytest.mark.parametrize(
    ("text", "value", "equal"),
    [
        ("2", 2, True),
        ("2", 2.0, True),
        ("2.0", 2, True),
        ("0.1", 0.1, True),
        ("0.10000000000000001", 0.1, True),
        ("0.3", 0.1 + 0.2, False),
        ("9007199254740993", 9007199254740993, True),
        ("9007199254740993", 9007199254740992, False),
        ("9223372036854775808", 9223372036854775807, False),
        ("1e18", 1e18, True),
        ("~0.33", 1 / 3, True),
        ("~0.333", 0.3336, False),
        ("~0.333", 0.3334, True),
        ("~1.00e-300", 1.004e-300, True),
        ("~1.00e-300", 1.006e-300, False),
        ("~3", 3, True),
        ("2", "2", False),
        ('"2"', "2", True),
        ('"2"', 2, False),
        ("a", "a", True),
        ("a", "A", False),
        ("true", True, True),
        ("1", True, False),
        ("true", 1, False),
        ("null", None, True),
        ("null", 0, False),
        ("null", "null", False),
        ('"null"', "null", True),
        ("0", None, False),
        ("5s", Instant(5 * SECOND), True),
        ("5s", 5 * SECOND, False),
        ("5000000", Instant(5 * SECOND), False),
        ("5s", "5s", True),
        ("1970-01-01T00:00:05Z", Instant(5 * SECOND), True),
    ],
)
def test_holds(text: str, value: Value, equal: bool) -> None:
    assert holds(expected(text, 1, 0), value) is equal


def test_everything_as_expected() -> None:
    found = Outcome(
        revisions=(revision("opened", 0, count=3), revision("resolved", 1, count=3)),
        windows=(window(0, "a", n=1), window(10, "a", n=2, x=0.5)),
        events=(EventAlert("e", "each", "p", 9, SECOND, {"k": "b"}),),
        dead=(DeadLetter("p", 0, "bad_value", "k"),),
        counts=Counts(read=2, events=1, dead=1),
        rules={"w": RuleCounts(accepted=1)},
        metrics={'m{a="b"}': 3},
    )
    text = (
        "expect alerts r\n"
        "  opened [0s, 10s) k=a count=3 @revision=0 @opened=10s @resolved=null\n"
        '  resolved label.severity=page annotation.summary="a b" @resolved=20s @flags=null\n'
        "expect windows w\n  [10s, 20s) n=2 x=0.5\n  [0s, 10s)\n"
        "expect windows w n=2\n  [10s, 20s)\n"
        "expect some windows w\n  [0s, 10s) k=a\n"
        "expect no windows w k=b\n"
        "expect events each\n  p#2 k=b @time=1s\n"
        "expect dead\n  p#1 code=bad_value field=k\n"
        "expect counts read=2 blank=0\n"
        "expect counts w accepted=1 late=0\n"
        'expect metrics\n  "m{a=\\"b\\"}" value=3\n'
    )
    assert check(case(text), found, NUMBERS) == ()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("expect windows w\n  [0s, 10s) n=1\n", "expect windows w: 1 unexpected"),
        (
            "expect windows w\n  [0s, 10s)\n  [10s, 20s)\n  [0s, 9s)\n",
            "expect windows w: 1 missing",
        ),
        ("expect windows w\n  [0s, 10s) n=7\n  [10s, 20s)\n", "1 missing, 1 unexpected"),
        ("expect windows w\n  [0s, 10s) z=null\n  [10s, 20s)\n", "1 missing, 1 unexpected"),
        ("expect some windows w\n  [0s, 10s) n=7\n", "1 missing, 2 unexpected"),
        ("expect no windows w k=a\n", "2 unexpected"),
        ("expect no windows w n=2\n", "1 unexpected"),
        ("expect windows v\n  [0s, 10s)\n", "expect windows v: 1 missing"),
        ("expect counts read=1\n", "the counts differ"),
        ("expect counts w late=1\n", "the counts of w differ"),
        ("expect counts v late=1\n", "there is no rule v"),
    ],
)
def test_something_else(text: str, title: str) -> None:
    found = Outcome(windows=(window(0, "a", n=1), window(10, "a", n=2)), rules={"w": RuleCounts()})
    (failure,) = check(case(text), found, NUMBERS)
    assert failure.title.endswith(title)
    assert failure.where.line == 7


def test_rows_that_say_little_pair_with_whatever_is_left() -> None:
    found = Outcome(windows=(window(0, "a", n=1), window(0, "b", n=2), window(0, "c", n=3)))
    text = "expect windows w\n  [0s, 10s)\n  [0s, 10s) n=1\n  [0s, 10s) k=b\n"
    assert check(case(text), found, NUMBERS) == ()
    text = "expect windows w\n  [0s, 10s) n=1\n  [0s, 10s) k=a\n  [0s, 10s)\n"
    (failure,) = check(case(text), found, NUMBERS)
    assert failure.title == "expect windows w: 1 missing, 1 unexpected"


def test_diff_shows_rows_in_columns_and_the_nearest_below_each_other() -> None:
    found = Outcome(
        windows=(
            window(0, "a", n=1),
            window(10, "long key", n=30),
            window(20, "z", n=None, s="\x1b[31m", t=Instant(61 * SECOND)),
        )
    )
    text = (
        "expect windows w\n"
        "  [0s, 10s)   k=a          n=1\n"
        '  [10s, 20s)  k="long key" n=3\n'
        "  [20s, 30s)  k=z          n=0 s=x t=1m\n"
    )
    (failure,) = check(case(text), found, NUMBERS)
    assert failure.render().split("\n") == [
        "f.test:7:1: expect windows w: 2 missing, 2 unexpected",
        "  =  [0s, 10s)   k=a           n=1",
        '  -  [10s, 20s)  k="long key"  n=3',
        '  +  [10s, 20s)  k="long key"  n=30',
        "  -  [20s, 30s)  k=z           n=0     s=x             t=1m",
        '  +  [20s, 30s)  k=z           n=null  s="\\u001b[31m"  t=1m1s',
    ]


def test_diff_of_dates_is_in_dates() -> None:
    found = Outcome(windows=(window(0, "a"),))
    text = "expect windows w\n  [1970-01-01T00:00:01Z, 1970-01-01T00:00:11Z)\n"
    (failure,) = check(case(text), found, NUMBERS)
    assert failure.lines == (
        "-  [1970-01-01T00:00:01Z, 1970-01-01T00:00:11Z)",
        "+  [1970-01-01T00:00:00Z, 1970-01-01T00:00:10Z)  k=a",
    )


def test_counts_below_each_other() -> None:
    (failure,) = check(case("expect counts read=10 events=1\n"), Outcome(), NUMBERS)
    assert failure.lines == ("-  read=10  events=1", "+  read=0   events=0")


def test_outcomes_are_compared_to_the_byte() -> None:
    one = Outcome(windows=(window(0, "a", n=1), window(10, "a", n=2)))
    assert differences(one, Outcome(windows=one.windows[::-1])) == ()
    for other in (
        Outcome(windows=one.windows[:1]),
        Outcome(windows=(*one.windows, one.windows[0])),
        Outcome(windows=(window(0, "a", n=1.0), one.windows[1])),
        Outcome(windows=(window(0, "a", n=True), one.windows[1])),
        Outcome(windows=(window(0, "a", n=Instant(1)), one.windows[1])),
        Outcome(windows=one.windows, counts=Counts(read=1)),
        Outcome(windows=one.windows, rules={"w": RuleCounts(late=1)}),
    ):
        assert differences(one, other)
        assert differences(other, one)


def test_notices_are_outside_the_comparison_but_must_be_confirmed() -> None:
    notice = Notice("n1", "r", {"k": "a"}, 0, 10)
    silent = Outcome(revisions=(revision("opened", 0),))
    assert differences(silent, Outcome(revisions=silent.revisions, notices=(notice,))) == ()
    assert unconfirmed(Outcome(revisions=silent.revisions, notices=(notice,))) == (notice,)
    named = [replace(revision("opened", 0), notices=("n1",))]
    assert unconfirmed(Outcome(revisions=tuple(named), notices=(notice,))) == ()
    assert differences(silent, Outcome(revisions=tuple(named))) == ()


def test_number_keeps_its_digits() -> None:
    assert expected("1.50", 1, 0).value == Number("1.50")
