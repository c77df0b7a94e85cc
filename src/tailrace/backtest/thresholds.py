"""What a rule's measures are compared with, numbers and limits: finding it, trying others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailrace.expr.nodes import Binary, Case, Cast, Column, IsNull, Literal, Lookup, Type, Unary
from tailrace.expr.parts import rebuilt, walk
from tailrace.expr.render import render
from tailrace.plan.identity import digest

if TYPE_CHECKING:
    from decimal import Decimal

    from tailrace.expr.nodes import Node
    from tailrace.plan.model import Rule
    from tailrace.plan.ordered import Leaky

COPY = "@"
"""Follows the rule's name in that of a copy; no name in a pipeline file has it."""
MOST_CAPACITY = 1_000_000
COMPARISONS = frozenset({"<", "<=", ">", ">=", "=", "!="})


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of measures with a number, or a limit, in a rule's condition.

    ``measure`` is the text of what is compared, ``names`` the measures in it; ``number`` is None
    where a ``limit`` stands, the column of a reference as it is written; ``bound_left``: that
    is written first.
    """

    node: Binary
    number: int | float | None
    limit: str | None
    type: Type
    measure: str
    names: tuple[str, ...]
    bound_left: bool

    @property
    def text(self) -> str:
        """The comparison as it is written."""
        return render(self.node)

    @property
    def compared(self) -> Node:
        """What is held against the number or limit."""
        return self.node.right if self.bound_left else self.node.left

    @property
    def bound(self) -> Node:
        """The number or limit."""
        return self.node.left if self.bound_left else self.node.right

    def at(self, value: Decimal) -> Binary:
        """The comparison with another number; ValueError if a whole number is compared.

        Who has no limit has none with another number either.
        """
        if self.type is Type.INTEGER and value != value.to_integral_value():
            raise ValueError(f"{self.measure} is a whole number, {value} is not")
        number = int(value) if self.type is Type.INTEGER else float(value)
        bound: Node = Literal(type=self.type, value=number)
        if self.limit is not None:
            limited = IsNull(type=Type.BOOLEAN, operand=self.bound, negated=True)
            nothing = Literal(type=self.type, value=None)
            bound = Case(type=self.type, branches=((limited, bound),), default=nothing)
        if self.bound_left:
            return replace(self.node, left=bound)
        return replace(self.node, right=bound)


def comparisons(rule: Rule) -> list[Comparison]:
    """All comparisons of measures with a number or a limit in the condition, in written order."""
    if rule.when is None:
        return []
    measures = {measure.name for measure in rule.measures}
    found = []
    for node in walk(rule.when):
        if isinstance(node, Binary) and node.op in COMPARISONS:
            comparison = _comparison(node, measures)
            if comparison is not None:
                found.append(comparison)
    return found


def with_threshold(rule: Rule, comparison: Comparison, value: Decimal) -> Rule:
    """A copy of the rule that compares with another number; it says nothing of itself.

    Its identity and name are its own. ValueError as ``Comparison.at``.
    """
    assert rule.when is not None  # noqa: S101 - there is a comparison in it
    when = _replaced(rule.when, comparison.node, comparison.at(value))
    place = next(i for i, c in enumerate(comparisons(rule)) if c.node is comparison.node)
    changed = replace(rule, when=when, when_text=render(when), early=None)
    return _copy(changed, f"{place + 1}:{value}")


def with_capacity(rule: Rule, leaky: Leaky, value: Decimal) -> Rule:
    """A copy of a rule with a leaky bucket of another capacity, as ``with_threshold``."""
    if value != value.to_integral_value() or not 0 < value <= MOST_CAPACITY:
        raise ValueError(f"a capacity is a whole number from 1 on, {value} is not")
    return _copy(replace(rule, ordered=replace(leaky, capacity=int(value))), f"capacity:{value}")


def _copy(rule: Rule, what: str) -> Rule:
    return replace(
        rule,
        identity=digest(rule.identity, "threshold", what),
        name=f"{rule.name}{COPY}{what}",
        update_every=0,
        labels={},
        annotations={},
        to=(),
    )


def _comparison(node: Binary, measures: set[str]) -> Comparison | None:
    for bound_left, bound, other in (
        (False, node.right, node.left),
        (True, node.left, node.right),
    ):
        number, limit = _number(bound), _limit(bound)
        names = tuple(
            dict.fromkeys(
                part.name
                for part in walk(other)
                if isinstance(part, Column) and part.name in measures
            )
        )
        if names and (number is not None or limit is not None):
            measure = render(other)
            return Comparison(node, number, limit, bound.type, measure, names, bound_left)
    return None


def _limit(node: Node) -> str | None:
    """The number of a reference's row that stands alone, as it is written."""
    if isinstance(node, Cast) and node.implicit:
        return _limit(node.operand)
    numeric = node.type in (Type.INTEGER, Type.DOUBLE)
    return render(node) if isinstance(node, Lookup) and numeric else None


def _number(node: Node) -> int | float | None:
    match node:
        case Literal(value=int() | float() as value) if not isinstance(value, bool):
            return value if node.type in (Type.INTEGER, Type.DOUBLE) else None
        case Unary(op="-", operand=operand):
            inner = _number(operand)
            return None if inner is None else -inner
        case Cast(implicit=True, operand=operand):
            return _number(operand)
        case _:
            return None


def _replaced(node: Node, old: Node, new: Node) -> Node:
    return new if node is old else rebuilt(node, lambda child: _replaced(child, old, new))
