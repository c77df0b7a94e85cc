"""Expressions, one row at a time, over the syntax tree.

A value is a Python value of its node's type, `None` for null, or `FAILED`: null because an
operation failed. A null that came of a failure stays one through whatever is null because of it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from tailrace.expr.nodes import (
    Aggregate,
    Binary,
    Call,
    Case,
    Cast,
    Column,
    In,
    IsNull,
    Like,
    Literal,
    Lookup,
    Node,
    Type,
    Unary,
)
from tailrace.testing.outcome import Instant, Value


class Failed:
    """The one value FAILED."""

    def __repr__(self) -> str:
        return "FAILED"


FAILED: Final = Failed()
Result = Value | Failed
Measures = Callable[[Aggregate], Result]
Row = Mapping[str, Result]


def absent(value: Result) -> bool:
    return value is None or value is FAILED


def plain(value: Result) -> Value:
    """The value with failures as null."""
    return None if isinstance(value, Failed) else value


def number_fits(value: int) -> bool:
    return -(2**63) <= value < 2**63


def order_of(value: Result) -> Any:
    """What to compare by: text by its bytes."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def no_aggregates(node: Aggregate) -> Result:
    raise AssertionError(f"{node} where one event is seen")


def evaluate(node: Node, row: Row, lookup: Measures = no_aggregates) -> Result:  # noqa: C901, PLR0911, PLR0912 (nodes)
    """The value of `node`; `lookup` gives the aggregates of a window."""
    match node:
        case Literal():
            return _literal(node)
        case Column() | Lookup():
            return row[node.name]
        case Aggregate():
            return lookup(node)
        case Unary(op="not"):
            operand = evaluate(node.operand, row, lookup)
            return operand if absent(operand) else not operand
        case Unary():
            return negative(evaluate(node.operand, row, lookup))
        case Binary(op="and" | "or"):
            left, right = (evaluate(each, row, lookup) for each in (node.left, node.right))
            return connected(node.op, left, right)
        case Binary():
            left, right = (evaluate(each, row, lookup) for each in (node.left, node.right))
            return (
                missing(left, right)
                if absent(left) or absent(right)
                else _binary(node.op, left, right)
            )
        case Case():
            return _case(node, row, lookup)
        case Cast():
            operand = evaluate(node.operand, row, lookup)
            return operand if absent(operand) else cast(operand, node.type)
        case In():
            return _in(node, evaluate(node.operand, row, lookup))
        case Like():
            return _like(node, evaluate(node.operand, row, lookup))
        case IsNull():
            return absent(evaluate(node.operand, row, lookup)) != node.negated
        case Call():
            from tests.oracle.functions import call

            return call(node.name, [evaluate(each, row, lookup) for each in node.args])


def missing(*values: Result) -> Result:
    """The null that comes of nulls among the operands."""
    return FAILED if any(value is FAILED for value in values) else None


def _literal(node: Literal) -> Value:
    if node.type is Type.TIME and isinstance(node.value, int):
        return Instant(node.value)
    if node.type is Type.DOUBLE and isinstance(node.value, int):
        return float(node.value)
    return node.value


def negative(value: Result) -> Result:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, float):
        return 0.0 - value
    return -value if number_fits(-value) else FAILED


def connected(op: str, left: Result, right: Result) -> Result:
    """Three-valued `and` and `or`."""
    decides = op == "or"
    if left is decides or right is decides:
        return decides
    if absent(left) or absent(right):
        return missing(left, right)
    return not decides


def _binary(op: str, left: Result, right: Result) -> Result:
    if op in {"=", "!=", "<", "<=", ">", ">="}:
        return compared(op, left, right)
    if op == "||":
        return f"{left}{right}"
    if isinstance(left, int) and isinstance(right, int):
        return of_integers(op, left, right)
    assert isinstance(left, int | float)
    assert isinstance(right, int | float)
    return of_doubles(op, float(left), float(right))


def compared(op: str, left: Result, right: Result) -> bool:
    one, other = order_of(left), order_of(right)
    equal = bool(one == other)
    less = bool(one < other)
    return {
        "=": equal,
        "!=": not equal,
        "<": less,
        "<=": less or equal,
        ">": not (less or equal),
        ">=": not less,
    }[op]


def of_integers(op: str, left: int, right: int) -> Result:
    if op in {"/", "//", "%"} and right == 0:
        return FAILED
    match op:
        case "/":
            return of_doubles(op, float(left), float(right))
        case "+":
            exact = left + right
        case "-":
            exact = left - right
        case "*":
            exact = left * right
        case "//":
            exact = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        case _:
            exact = int(math.copysign(1, left)) * (abs(left) % abs(right))
    return exact if number_fits(exact) else FAILED


def of_doubles(op: str, left: float, right: float) -> Result:
    if op in {"/", "//", "%"} and right == 0:
        return FAILED
    try:
        match op:
            case "+":
                value = left + right
            case "-":
                value = left - right
            case "*":
                value = left * right
            case "/":
                value = left / right
            case "//":
                value = float(math.trunc(left / right))
            case _:
                value = math.fmod(left, right)
    except OverflowError:
        return FAILED
    return value + 0.0 if math.isfinite(value) else FAILED


def _case(node: Case, row: Row, lookup: Measures) -> Result:
    conditions: list[Result] = []
    for condition, value in node.branches:
        conditions.append(evaluate(condition, row, lookup))
        if conditions[-1] is True:
            chosen = evaluate(value, row, lookup)
            break
    else:
        chosen = evaluate(node.default, row, lookup)
    return missing(chosen, *conditions) if absent(chosen) else chosen


def _in(node: In, value: Result) -> Result:
    if absent(value):
        return value
    items = [_literal(item) for item in node.items]
    if any(item is not None and compared("=", value, item) for item in items):
        return not node.negated
    return None if None in items else node.negated


def _like(node: Like, value: Result) -> Result:
    if not isinstance(value, str):
        return value
    text, pattern = value, node.pattern
    if node.ignore_case:
        text, pattern = ascii_lower(text), ascii_lower(pattern)
    return matches(text, pattern) != node.negated


def ascii_lower(text: str) -> str:
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def matches(text: str, pattern: str) -> bool:
    """Whether a text is like a pattern: `%` any characters, `_` one."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(matches(text[i:], pattern[1:]) for i in range(len(text) + 1))
    return bool(text) and pattern[0] in {"_", text[0]} and matches(text[1:], pattern[1:])


def cast(value: Result, target: Type) -> Result:
    from tests.oracle.casts import cast_value

    return cast_value(value, target)
