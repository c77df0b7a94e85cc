"""Comparing an outcome with what a case expects, and two outcomes with each other.

The one comparator: users' tests and the conformance corpus of every engine go through `check`,
engines are held against each other by `differences`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from tailrace.errors import Where
from tailrace.testing.canonical import Numbers, Shown, canonical, shown
from tailrace.testing.case import (
    Case,
    Expectation,
    Expected,
    ExpectedRow,
    Kind,
    Match,
    Number,
)
from tailrace.testing.diff import count_lines, row_lines
from tailrace.testing.outcome import Counts, Instant, Notice, Outcome, RuleCounts, Value


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that doesn't hold: what was expected, where, and the lines of a diff."""

    where: Where
    title: str
    lines: tuple[str, ...] = ()

    def render(self) -> str:
        """Text for a terminal."""
        return "\n".join([f"{self.where}: {self.title}", *(f"  {line}" for line in self.lines)])


def check(case: Case, outcome: Outcome, numbers: Numbers) -> tuple[Failure, ...]:
    """Hold all expectations of a case against an outcome; nothing is returned if they hold."""
    results = shown(outcome, numbers)
    found = []
    for expectation in case.expectations:
        if expectation.kind is Kind.COUNTS:
            failure = _check_counts(expectation, outcome)
        else:
            failure = _check_rows(case, expectation, results)
        if failure:
            found.append(failure)
    return tuple(found)


def _check_counts(expectation: Expectation, outcome: Outcome) -> Failure | None:
    got: Counts | RuleCounts | None = outcome.counts
    if expectation.rule:
        got = outcome.rules.get(expectation.rule)
        if got is None:
            return Failure(expectation.where, f"there is no rule {expectation.rule}")
    numbers: dict[str, int] = asdict(got) if got else {}
    if all(holds(expected, numbers[name]) for name, expected in expectation.only):
        return None
    lines = count_lines({name: each.text for name, each in expectation.only}, numbers)
    whose = f" of {expectation.rule}" if expectation.rule else ""
    return Failure(expectation.where, f"the counts{whose} differ", lines)


def _check_rows(case: Case, expectation: Expectation, results: list[Shown]) -> Failure | None:
    got = [
        row
        for row in results
        if row.kind is expectation.kind
        and row.rule == expectation.rule
        and all(has(row, name, value) for name, value in expectation.only)
    ]
    pairs = pair(expectation.rows, got)
    missing = [row for row in range(len(expectation.rows)) if row not in pairs]
    surplus = [row for row in range(len(got)) if row not in set(pairs.values())]
    if expectation.match is Match.SOME:
        surplus = surplus if missing else []
    if not missing and not surplus:
        return None
    what = f"{expectation.kind}" + (f" {expectation.rule}" if expectation.rule else "")
    counts = [f"{len(missing)} missing"] if missing else []
    counts += [f"{len(surplus)} unexpected"] if surplus else []
    title = f"expect {what}: {', '.join(counts)}"
    lines = row_lines(case, expectation, got, pairs)
    return Failure(expectation.where, title, lines)


def pair(expected: Sequence[ExpectedRow], got: Sequence[Shown]) -> dict[int, int]:
    """Pair as many expected rows with got ones as can be: expected index to got index.

    A row that says little may fit several: this is maximum bipartite matching by augmenting paths.
    """
    fits = [[j for j, row in enumerate(got) if fitting(each, row)] for each in expected]
    taken: dict[int, int] = {}

    def augment(i: int, tried: set[int]) -> bool:
        for j in fits[i]:
            if j not in tried:
                tried.add(j)
                if j not in taken or augment(taken[j], tried):
                    taken[j] = i
                    return True
        return False

    for i in range(len(expected)):
        augment(i, set())
    return {i: j for j, i in taken.items()}


def fitting(expected: ExpectedRow, got: Shown) -> bool:
    """Whether a result is what the row describes, as far as the row describes it."""
    return (
        expected.word in {None, got.word}
        and expected.window in {None, got.window}
        and expected.record in {None, got.record}
        and all(has(got, name, value) for name, value in expected.attributes)
    )


def has(row: Shown, name: str, expected: Expected) -> bool:
    """Whether a result has a value of this name that is as expected."""
    return name in row.values and holds(expected, row.values[name])


def holds(expected: Expected, got: Value) -> bool:
    """Whether a value is as expected: equal in type and value, numbers by their exact value.

    An expected decimal is equal to the double nearest to it.
    """
    value = expected.value
    if isinstance(got, Instant):
        return expected.time == got.micros
    if got is None or isinstance(got, bool | str) or not isinstance(value, Number):
        return type(value) is type(got) and value == got
    if expected.approximate:
        digits = Decimal(value.text)
        exponent = digits.as_tuple().exponent
        assert isinstance(exponent, int)  # noqa: S101 (no NaN passes the parser)
        return abs(Decimal(got) - digits) <= Decimal(1).scaleb(exponent) / 2
    if isinstance(got, float):
        return float(value.text) == got
    return Decimal(value.text) == got


def differences(one: Outcome, other: Outcome) -> tuple[str, ...]:
    """Lines that only one of two outcomes has: `-` the first, `+` the second."""
    left, right = canonical(one), canonical(other)
    lines: list[str] = []
    for kind in left:
        only_left = Counter(left[kind]) - Counter(right[kind])
        only_right = Counter(right[kind]) - Counter(left[kind])
        lines.extend(f"{kind} - {line}" for line in sorted(only_left.elements()))
        lines.extend(f"{kind} + {line}" for line in sorted(only_right.elements()))
    return tuple(lines)


def unconfirmed(outcome: Outcome) -> tuple[Notice, ...]:
    """Early notices that no incident of their rule and key names; bounded input must leave none."""
    named = {
        (each.rule, tuple(sorted(each.key.items())), notice)
        for each in outcome.revisions
        for notice in each.notices
    }
    return tuple(
        each
        for each in outcome.notices
        if (each.rule, tuple(sorted(each.key.items())), each.id) not in named
    )
