"""Constants as written to constants of a type."""

from __future__ import annotations

from tailrace.expr.moments import read_moment
from tailrace.expr.nodes import Literal, Type
from tailrace.expr.problems import refused
from tailrace.expr.sqltext import INT64_MAX, INT64_MIN
from tailrace.expr.syntax import Moment, Number

_LONGEST_INTEGER = 1000


def number(tree: Number) -> Literal:
    """A number: an integer unless it has a point or an exponent."""
    text = tree.text
    if text.lstrip("-").isdigit():
        whole = int(text) if len(text) <= _LONGEST_INTEGER else INT64_MAX + 1
        if INT64_MIN <= whole <= INT64_MAX:
            return Literal(type=Type.INTEGER, span=tree.span, value=whole)
        hint = "integers have 64 bits; write it with a point for a double"
        raise refused(f"{text} is beyond the integers", tree.span, hint)
    value = float(text) + 0.0
    if abs(value) == float("inf"):
        raise refused(f"{text} is beyond the doubles", tree.span)
    return Literal(type=Type.DOUBLE, span=tree.span, value=value)


def moment(tree: Moment) -> Literal:
    """A point in time."""
    value = read_moment(tree.value)
    if value is None:
        hint = "write timestamp '2024-01-01 00:00:00', UTC unless a zone such as +02:00 follows"
        raise refused(f"'{tree.value}' is not a point in time", tree.span, hint)
    return Literal(type=Type.TIME, span=tree.span, value=value)
