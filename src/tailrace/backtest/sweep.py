"""Sweeps: ``RULE.MEASURE=5..50:5`` becomes a copy of the rule for each threshold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tailrace.backtest.thresholds import Comparison, comparisons, with_capacity, with_threshold
from tailrace.errors import TailraceError
from tailrace.plan.model import Rule
from tailrace.plan.ordered import Leaky

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.plan.model import Plan

MOST_THRESHOLDS = 500
"""Of one sweep: each is a rule with incidents of its own."""

SYNTAX = "RULE.threshold=FIRST..LAST[:STEP]"
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}))?", re.ASCII)
_LIST = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sweep as it was asked for: which rule, which of its comparisons, which values."""

    rule: str
    name: str
    values: tuple[Decimal, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep of one threshold of a rule; ``copies`` in the order of ``values``.

    ``measure``: what is held against it; ``text``: that as the pipeline file has it, with the
    threshold ``current``, None where that is a limit of a reference.
    """

    rule: Rule
    measure: str
    text: str
    current: Decimal | None
    values: tuple[Decimal, ...]
    copies: tuple[Rule, ...]


def parse_sweep(text: str) -> Wanted:
    """Read ``RULE.NAME=VALUES``; TailraceError says what is wrong with it.

    Values are a range with both ends, ``5..50`` or ``0.1..0.9:0.1``, or a list, ``5,10,20``.
    """
    left, equals, right = text.partition("=")
    rule, dot, name = left.strip().partition(".")  # a limit's name has a dot of its own
    if not (equals and dot and rule and name):
        raise TailraceError(f"--sweep {text}: expected {SYNTAX}", hint=_EXAMPLE)
    return Wanted(rule, name, _values(text, right.strip()), text)


def all_sweeps(plan: Plan, several: Sequence[Wanted]) -> list[Sweep]:
    """What several sweeps ask for; TailraceError, too, if two are of the same comparison."""
    found: list[Sweep] = []
    first: dict[str, str] = {}
    for wanted in several:
        one = sweep(plan, wanted)
        # The same copy twice would be one rule that is told everything twice.
        swept = one.copies[0].name.rpartition(":")[0]
        other = first.get(swept)
        first[swept] = wanted.text
        if other is not None:
            raise TailraceError(
                f"--sweep {wanted.text}: --sweep {other} is of the same comparison, {one.text}",
                hint="write one --sweep with all values: RULE.threshold=5,10,20",
            )
        found.append(one)
    return found


def sweep(plan: Plan, wanted: Wanted) -> Sweep:
    """The copies of a rule that a sweep asks for; TailraceError if it can't be swept."""
    rule = _rule(plan, wanted)
    if isinstance(rule.ordered, Leaky):
        return _capacities(rule, rule.ordered, wanted, plan.bounds.max_distinct)
    comparison = _chosen(rule, wanted)
    try:
        copies = tuple(with_threshold(rule, comparison, value) for value in wanted.values)
    except ValueError as error:
        raise TailraceError(
            f"--sweep {wanted.text}: {error}", hint="give whole numbers, and a whole step"
        ) from None
    current = None if comparison.number is None else Decimal(str(comparison.number))
    return Sweep(rule, comparison.measure, comparison.text, current, wanted.values, copies)


_EXAMPLE = "for example client_flood.threshold=5..50:5, or client_flood.count=10,20,40"


def _capacities(rule: Rule, leaky: Leaky, wanted: Wanted, most_distinct: int) -> Sweep:
    """Buckets of other capacities; each has partials of its own."""
    if wanted.name not in ("threshold", "capacity"):
        raise TailraceError(
            f"--sweep {wanted.text}: of a leaky bucket only the capacity can be swept",
            hint=f"{rule.name}.capacity=FIRST..LAST",
        )
    try:
        copies = tuple(with_capacity(rule, leaky, value) for value in wanted.values)
    except ValueError as error:
        raise TailraceError(f"--sweep {wanted.text}: {error}", hint=_EXAMPLE) from None
    if leaky.distinct is not None and max(wanted.values) >= most_distinct:
        raise TailraceError(
            f"--sweep {wanted.text}: a bucket takes {most_distinct} distinct values at the most",
            hint="sweep smaller capacities, or raise limits.max_distinct",
        )
    current = Decimal(leaky.capacity)
    return Sweep(rule, "capacity", f"capacity: {current}", current, wanted.values, copies)


def _values(text: str, given: str) -> tuple[Decimal, ...]:
    if _LIST.fullmatch(given):
        values = tuple(dict.fromkeys(Decimal(part) for part in given.split(",")))
    else:
        found = _RANGE.fullmatch(given)
        if found is None:
            raise TailraceError(
                f"--sweep {text}: {given!r} is neither a range nor a list of numbers", hint=_EXAMPLE
            )
        values = _range(text, *(None if part is None else Decimal(part) for part in found.groups()))
    if len(values) > MOST_THRESHOLDS:
        raise _too_many(text, len(values))
    return tuple(sorted(values))


def _range(
    text: str, first: Decimal | None, last: Decimal | None, step: Decimal | None
) -> tuple[Decimal, ...]:
    assert first is not None  # noqa: S101 - the pattern has both ends
    assert last is not None  # noqa: S101
    if last < first:
        raise TailraceError(
            f"--sweep {text}: the range ends before it begins", hint=f"{last}..{first}"
        )
    if step is None:
        whole = first == first.to_integral_value() and last == last.to_integral_value()
        share = first == 0 and last == 1
        step = (last - first) / 20 if first < last and (share or not whole) else Decimal(1)
    if step <= 0:
        raise TailraceError(f"--sweep {text}: a step is above 0", hint=_EXAMPLE)
    number = int((last - first) / step) + 1
    if number > MOST_THRESHOLDS:
        raise _too_many(text, number)
    return tuple((first + step * index).normalize() for index in range(number))


def _too_many(text: str, number: int) -> TailraceError:
    return TailraceError(
        f"--sweep {text}: {number} thresholds, at most {MOST_THRESHOLDS} are tried at once",
        hint="give a larger step: FIRST..LAST:STEP",
    )


def _rule(plan: Plan, wanted: Wanted) -> Rule:
    rule = plan.rule(wanted.rule)
    alerts = [each.name for each in plan.rules if each.alert]
    hint = f"rules over windows that alert: {', '.join(alerts) or 'none'}"
    if rule is None:
        raise TailraceError(
            f"--sweep {wanted.text}: there is no rule {wanted.rule!r} in {plan.name}", hint=hint
        )
    if not isinstance(rule, Rule) or not rule.alert:
        what = "is a record" if isinstance(rule, Rule) else "judges single events"
        raise TailraceError(f"--sweep {wanted.text}: {rule.name} {what}", hint=hint)
    return rule


def _chosen(rule: Rule, wanted: Wanted) -> Comparison:
    known = comparisons(rule)
    if not known:
        raise TailraceError(
            f"--sweep {wanted.text}: {rule.name} compares no measure with a number or limit",
            hint=f"when: {rule.when_text}",
        )
    name = wanted.name
    if name == "threshold":
        matching = known
    elif name.isdecimal():
        matching = known[int(name) - 1 : int(name)] if name != "0" else []
    else:
        alone = [each for each in known if name in (each.measure, each.limit)]
        matching = alone or [each for each in known if name in each.names]
    if len(matching) == 1:
        return matching[0]
    listed = "; ".join(f"{rule.name}.{i}: {each.text}" for i, each in enumerate(known, start=1))
    what = "more than one comparison" if matching else "no comparison"
    raise TailraceError(
        f"--sweep {wanted.text}: {rule.name}.{name} means {what} of the condition",
        hint=f"name it by its measure, limit or number: {listed}",
    )
