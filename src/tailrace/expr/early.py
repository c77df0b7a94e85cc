"""Conditions that more events can only make true: those may be told before their window closes.

The rule is in the semantics (early notices): what was true once stays true, whatever comes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tailrace.expr.aggregates import aggregates
from tailrace.expr.lookups import outer_lookups
from tailrace.expr.nodes import (
    Aggregate,
    AggregateFunction,
    Binary,
    Cast,
    Literal,
    Node,
    Type,
    Unary,
)
from tailrace.expr.render import render


@dataclass(frozen=True, slots=True)
class Early:
    """Whether a condition can be told early, and if it can't, ``why`` not (else empty)."""

    ok: bool
    why: str


class _Course(Enum):
    """How a value goes as events arrive; conditions rise from false to true."""

    STILL = 0
    RISES = 1
    FALLS = 2
    EITHER = 3


_BACK = {_Course.RISES: _Course.FALLS, _Course.FALLS: _Course.RISES}


def early(node: Node, nonnegative: Callable[[Node], bool]) -> Early:
    """Whether a window's condition can only turn from false to true as events arrive.

    ``nonnegative`` says whether the argument of a sum can't be below 0.
    """
    if not aggregates(node):
        return Early(ok=False, why="the condition has no aggregate")
    if outer_lookups(node):
        return Early(ok=False, why="a reference that it looks up in can change")
    course = _Courses(nonnegative)
    if course.of(node) is _Course.RISES:
        return Early(ok=True, why="")
    culprit = course.culprit or node
    return Early(ok=False, why=f"{render(culprit)} can turn false again as events arrive")


class _Courses:
    """Finds the course of each part; ``culprit`` is the innermost condition that spoils it."""

    def __init__(self, nonnegative: Callable[[Node], bool]) -> None:
        self._nonnegative = nonnegative
        self.culprit: Node | None = None

    def of(self, node: Node) -> _Course:  # noqa: PLR0911 - one case a kind
        """The course of a number or condition."""
        if not aggregates(node):
            return _Course.STILL
        match node:
            case Aggregate():
                return self._aggregate(node)
            case Cast(implicit=True):
                return self.of(node.operand)
            case Unary():
                course = self.of(node.operand)
                return _BACK.get(course, course)
            case Binary(op="and" | "or"):
                return _joined(self.of(node.left), self.of(node.right))
            case Binary(op="<" | "<=" | ">" | ">="):
                return self._comparison(node)
            case Binary(op="+"):
                return _joined(self.of(node.left), self.of(node.right))
            case Binary(op="*" | "/", right=Literal() as factor):
                return self.of(node.left) if _is_positive(factor) else _Course.EITHER
            case Binary(op="*", left=Literal() as factor):
                return self.of(node.right) if _is_positive(factor) else _Course.EITHER
            case _:
                return self._spoilt(node)

    def _comparison(self, node: Binary) -> _Course:
        left, right = self.of(node.left), self.of(node.right)
        if node.op in ("<", "<="):
            left, right = right, left
        course = _joined(left, _BACK.get(right, right))
        if course is not _Course.RISES:
            self._spoilt(node)
        return course

    def _aggregate(self, node: Aggregate) -> _Course:
        match node.function:
            case AggregateFunction.COUNT | AggregateFunction.MAX:
                return _Course.RISES
            case AggregateFunction.MIN:
                return _Course.FALLS
            case AggregateFunction.SUM if node.arg is not None and self._nonnegative(node.arg):
                return _Course.RISES
            case _:
                return _Course.EITHER

    def _spoilt(self, node: Node) -> _Course:
        if self.culprit is None and node.type is Type.BOOLEAN:
            self.culprit = node
        return _Course.EITHER


def _joined(one: _Course, other: _Course) -> _Course:
    if other in (one, _Course.STILL):
        return one
    return other if one is _Course.STILL else _Course.EITHER


def _is_positive(factor: Literal) -> bool:
    return isinstance(factor.value, (int, float)) and factor.value > 0
