"""Which types can be cast to which, and under what names types are written."""

from __future__ import annotations

from tailrace.expr.coercion import coerce
from tailrace.expr.nodes import Cast, Node, Span, Type
from tailrace.expr.problems import refused

_NAMES = {
    **dict.fromkeys(("text", "varchar", "string"), Type.TEXT),
    **dict.fromkeys(("integer", "int", "bigint"), Type.INTEGER),
    **dict.fromkeys(("double", "float"), Type.DOUBLE),
    **dict.fromkeys(("boolean", "bool"), Type.BOOLEAN),
}
_POSSIBLE = {
    Type.TEXT: {Type.INTEGER, Type.DOUBLE, Type.BOOLEAN},
    Type.INTEGER: {Type.DOUBLE, Type.TEXT},
    Type.DOUBLE: {Type.INTEGER, Type.TEXT},
    Type.BOOLEAN: {Type.INTEGER, Type.TEXT},
    Type.TIME: set(),
}
_HINTS = {
    Type.TIME: "epoch(t) gives the seconds of a time as a double",
    Type.INTEGER: "compare it: x != 0",
    Type.DOUBLE: "compare it: x != 0",
}


def cast(operand: Node, target: str, target_span: Span, span: Span) -> Node:
    """``operand`` as the type named ``target``; raises Refused for other types and other pairs."""
    kind = _NAMES.get(target)
    if kind is None:
        hint = "casts are to text, integer, double or boolean"
        raise refused(f"no cast to '{target}'", target_span, hint)
    if operand.type is Type.NULL:
        operand = coerce(operand, Type.INTEGER if kind is Type.TEXT else Type.TEXT)
    if operand.type is kind:
        return operand
    if kind not in _POSSIBLE[operand.type]:
        message = f"{operand.type} can't be cast to {kind}"
        raise refused(message, span, _HINTS.get(operand.type))
    return Cast(type=kind, span=span, operand=operand)
