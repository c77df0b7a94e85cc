"""The types of operators between two values."""

from __future__ import annotations

from tailrace.expr.coercion import NUMBERS, coerce, common_type, mismatch, must_be, typed_null
from tailrace.expr.nodes import Binary, Column, Literal, Node, Span, Type
from tailrace.expr.problems import refused

COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})


def infix(op: str, left: Node, right: Node, span: Span, op_span: Span) -> Binary:
    """Two operands typed and brought to one type; ``op`` as in ``nodes.Binary``."""
    if op in ("and", "or"):
        left = must_be(left, Type.BOOLEAN, f"each side of `{op}`")
        right = must_be(right, Type.BOOLEAN, f"each side of `{op}`")
        return Binary(type=Type.BOOLEAN, span=span, op=op, left=left, right=right)
    if op in COMPARISONS:
        return _comparison(op, left, right, span, op_span)
    if op == "||":
        left = must_be(left, Type.TEXT, "each side of `||`")
        right = must_be(right, Type.TEXT, "each side of `||`")
        return Binary(type=Type.TEXT, span=span, op=op, left=left, right=right)
    return _arithmetic(op, left, right, span)


def _comparison(op: str, left: Node, right: Node, span: Span, op_span: Span) -> Binary:
    for side in (left, right):
        if isinstance(side, Literal) and side.value is None:
            raise refused(f"`{op} null` is never true", side.span, "write `is null`")
    shared = common_type((left.type, right.type))
    if shared is None:
        raise mismatch(left, right)
    if shared is Type.BOOLEAN and op not in ("=", "!="):
        raise refused(f"true and false have no order for `{op}`", op_span, "use = or !=")
    left, right = coerce(left, shared), coerce(right, shared)
    return Binary(type=Type.BOOLEAN, span=span, op=op, left=left, right=right)


def _arithmetic(op: str, left: Node, right: Node, span: Span) -> Binary:
    left, right = typed_null(left, right.type), typed_null(right, left.type)
    left, right = typed_null(left, Type.INTEGER), typed_null(right, Type.INTEGER)
    refuse_no_number(left, op)
    refuse_no_number(right, op)
    shared = common_type((left.type, right.type)) or Type.DOUBLE
    if op == "/":
        shared = Type.DOUBLE
    if op == "//" and shared is not Type.INTEGER:
        wrong = left if left.type is Type.DOUBLE else right
        raise refused("`//` divides integers", wrong.span, "write floor(x / y) for doubles")
    return Binary(
        type=shared, span=span, op=op, left=coerce(left, shared), right=coerce(right, shared)
    )


def refuse_no_number(node: Node, op: str) -> None:
    """Raises Refused unless the operand of ``op`` is a number."""
    if node.type in NUMBERS:
        return
    hint = "epoch(t) gives the seconds of a time" if node.type is Type.TIME else None
    if node.type is Type.TEXT:
        hint = "join texts with ||"
        if isinstance(node, Column):
            hint = (
                f"declare {node.name} as a number under `fields`, or cast({node.name} as integer)"
            )
    raise refused(f"`{op}` takes numbers, not {node.type}", node.span, hint)
