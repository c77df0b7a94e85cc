"""How large values can get, and which operations can fail: what SQL may leave unguarded.

Columns are taken to hold any value of their type; doubles in columns are finite.
"""

from __future__ import annotations

import sys
from math import sqrt

from tailrace.expr.functions import variant_of
from tailrace.expr.nodes import Binary, Call, Case, Cast, Literal, Node, Type, Unary
from tailrace.expr.sqltext import INT64_MAX, INT64_MIN

SAFE_MAGNITUDE = 1e300
"""Bounds below this leave room for their own rounding: no overflow to infinity."""

_ANY_INTEGER = (INT64_MIN, INT64_MAX)
_CALL_RANGES = {
    "length": (0, 2**32),
    "hour": (0, 23),
    "minute": (0, 59),
    "day_of_week": (1, 7),
    "abs": (0, INT64_MAX),
}


def integer_range(node: Node) -> tuple[int, int]:  # noqa: PLR0911 - one case a kind
    """The least and the greatest value that an integer node can have."""
    match node:
        case Literal(value=int(value)):
            return value, value
        case Call(name=name) if name in _CALL_RANGES:
            return _CALL_RANGES[name]
        case Case():
            return _hull([then for _, then in node.branches] + [node.default])
        case Call(name="least" | "greatest" | "coalesce"):
            return _hull(list(node.args))
        case Cast(operand=operand) if operand.type is Type.BOOLEAN:
            return 0, 1
        case Unary() | Binary():
            low, high = exact_range(node)
            return max(low, INT64_MIN), min(high, INT64_MAX)
        case _:
            return _ANY_INTEGER


def exact_range(node: Unary | Binary) -> tuple[int, int]:
    """The range of integer arithmetic before anything is refused for having over 64 bits."""
    if isinstance(node, Unary):
        low, high = integer_range(node.operand)
        return -high, -low
    (a, b), (c, d) = integer_range(node.left), integer_range(node.right)
    match node.op:
        case "+":
            return a + c, b + d
        case "-":
            return a - d, b - c
        case "*":
            products = (a * c, a * d, b * c, b * d)
            return min(products), max(products)
        case "//":
            most = max(abs(a), abs(b))
            return -most, most
        case _:
            most = max(abs(c), abs(d))
            return (-most if a < 0 else 0), (most if b > 0 else 0)


def magnitude(node: Node) -> float:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    """A number that the absolute value of a double node never exceeds (infinity: unknown)."""
    match node:
        case Literal(value=float(value)):
            return abs(value)
        case Cast(operand=operand) if operand.type is Type.INTEGER:
            low, high = integer_range(operand)
            return float(max(abs(low), abs(high)))
        case Unary(operand=operand):
            return magnitude(operand)
        case Binary(op="+" | "-"):
            return magnitude(node.left) + magnitude(node.right)
        case Binary(op="*"):
            return magnitude(node.left) * magnitude(node.right)
        case Binary(op="/"):
            return magnitude(node.left) / (_least_magnitude(node.right) or sys.float_info.min)
        case Binary(op="%"):
            return magnitude(node.left)
        case Case():
            return max(magnitude(part) for part in [*(v for _, v in node.branches), node.default])
        case Call(name="least" | "greatest" | "coalesce" | "nullif"):
            return max(magnitude(arg) for arg in node.args)
        case Call(name="round" | "floor" | "ceil"):
            return magnitude(node.args[0]) + 1.0
        case Call(name="abs"):
            return magnitude(node.args[0])
        case Call(name="sqrt"):
            return sqrt(magnitude(node.args[0])) + 1.0
        case Call(name="epoch"):
            return 1e13
        case _:
            return sys.float_info.max


def may_be_zero(node: Node) -> bool:
    """Whether a number can be 0."""
    if node.type is Type.INTEGER:
        low, high = integer_range(node)
        return low <= 0 <= high
    return _least_magnitude(node) == 0


def _least_magnitude(node: Node) -> float:
    """A number that the absolute value of a double divisor is never below."""
    match node:
        case Literal(value=float(value)):
            return abs(value)
        case Cast(operand=operand) if operand.type is Type.INTEGER:
            low, high = integer_range(operand)
            return 0.0 if low <= 0 <= high else float(min(abs(low), abs(high)))
        case _:
            return 0.0


def fails_itself(node: Node) -> bool:  # noqa: PLR0911 - one case a kind
    """Whether a node can be null by its own failure, its operands not being null."""
    match node:
        case Unary(op="-", type=Type.INTEGER) | Binary(op="+" | "-" | "*", type=Type.INTEGER):
            low, high = exact_range(node)
            return low < INT64_MIN or high > INT64_MAX
        case Binary(op="+" | "-" | "*", type=Type.DOUBLE):
            return overflows(node)
        case Binary(op="/"):
            return may_be_zero(node.right) or overflows(node)
        case Binary(op="//"):
            return may_be_zero(node.right) or divides_beyond(node)
        case Binary(op="%"):
            return may_be_zero(node.right)
        case Call():
            return variant_of(node).fails is not None
        case Cast(operand=operand, type=kind):
            if operand.type is Type.DOUBLE and kind is Type.INTEGER:
                return magnitude(operand) > 2**62
            return operand.type is Type.TEXT
        case _:
            return False


def overflows(node: Node) -> bool:
    """Whether double arithmetic can become infinite, a zero divisor aside."""
    if isinstance(node, Binary) and node.op == "/" and _least_magnitude(node.right) == 0:
        # An integer divisor that isn't 0 is at least 1.
        whole = isinstance(node.right, Cast) and node.right.operand.type is Type.INTEGER
        return not (whole and magnitude(node.left) < SAFE_MAGNITUDE)
    return not magnitude(node) < SAFE_MAGNITUDE


def divides_beyond(node: Binary) -> bool:
    """Whether an integer division can be the least integer by -1."""
    low, high = integer_range(node.right)
    return integer_range(node.left)[0] == INT64_MIN and low <= -1 <= high


def _hull(nodes: list[Node]) -> tuple[int, int]:
    ranges = [integer_range(node) for node in nodes]
    return min(low for low, _ in ranges), max(high for _, high in ranges)
