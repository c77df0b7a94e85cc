"""How values of different types meet: null takes any type, integers widen to doubles, no more."""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.expr.nodes import Cast, Column, Literal, Node, Type
from tailrace.expr.problems import Refused, refused

NUMBERS = frozenset({Type.INTEGER, Type.DOUBLE})


def common_type(types: Iterable[Type]) -> Type | None:
    """The one type that all values can take without loss; None when there is none."""
    kinds = set(types) - {Type.NULL}
    if not kinds:
        return Type.NULL
    if len(kinds) == 1:
        return kinds.pop()
    return Type.DOUBLE if kinds == NUMBERS else None


def coerce(node: Node, target: Type) -> Node:
    """``node`` as a value of ``target``, which its type must be able to take."""
    if node.type is target:
        return node
    if isinstance(node, Literal) and node.value is None:
        return Literal(type=target, span=node.span, value=None)
    if isinstance(node, Literal) and isinstance(node.value, int):
        return Literal(type=target, span=node.span, value=float(node.value))
    return Cast(type=target, span=node.span, operand=node, implicit=True)


def typed_null(node: Node, kind: Type) -> Node:
    """A null literal takes ``kind``; every other node stays."""
    return coerce(node, kind) if node.type is Type.NULL and kind is not Type.NULL else node


def must_be(node: Node, wanted: Type, what: str) -> Node:
    """``node`` coerced to ``wanted``; raises Refused naming ``what`` needs the type."""
    if common_type((node.type, wanted)) is not wanted:
        raise refused(
            f"{what} must be {wanted}, not {node.type}", node.span, hint_for(node, wanted)
        )
    return coerce(node, wanted)


def mismatch(left: Node, right: Node) -> Refused:
    """The problem of two values that can't be compared or stand for each other."""
    first, other = (right, left) if isinstance(right, Literal) else (left, right)
    hint = hint_for(first, other.type) or hint_for(other, first.type)
    return refused(f"{left.type} and {right.type} don't go together", right.span, hint)


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.lstrip("-").replace(".", "", 1).isdecimal()


def hint_for(node: Node, wanted: Type) -> str | None:  # noqa: PLR0911 - one case a kind
    """How a value can be made to be of type ``wanted``, where there is a way."""
    if isinstance(node, Literal) and node.type is Type.TEXT:
        if wanted in NUMBERS:
            return f"write it without quotes: {node.value}" if _is_number(node.value) else None
        if wanted is Type.TIME:
            return f"write timestamp '{node.value}'"
    if isinstance(node, Literal) and wanted is Type.TEXT:
        return f"write it in quotes: '{node.value}'" if node.type in NUMBERS else None
    if wanted is Type.BOOLEAN:
        return "compare it with something, such as `> 0`" if node.type in NUMBERS else None
    if node.type is Type.TIME:
        return "epoch(time) gives its seconds as a double" if wanted in NUMBERS else None
    if wanted is Type.TIME:
        return "a point in time is written timestamp '2024-01-01 00:00:00'"
    if isinstance(node, Column) and node.type is Type.TEXT and wanted in NUMBERS:
        return f"declare {node.name} as {wanted} under `fields`, or cast({node.name} as {wanted})"
    return f"cast(... as {wanted})"
