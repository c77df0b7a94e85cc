"""Which columns an expression reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    Unary,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.expr.nodes import Node


def children(node: Node) -> Iterator[Node]:
    """The direct operands of a node, in order."""
    match node:
        case Literal() | Column() | Lookup():
            return
        case Unary() | Cast() | In() | Like() | IsNull():
            yield node.operand
        case Binary():
            yield node.left
            yield node.right
        case Call():
            yield from node.args
        case Case():
            for condition, value in node.branches:
                yield condition
                yield value
            yield node.default
        case Aggregate():
            if node.arg is not None:
                yield node.arg
            if node.where is not None:
                yield node.where


def column_names(node: Node) -> set[str]:
    """The names of all columns below a node."""
    if isinstance(node, (Column, Lookup)):
        return {node.name}
    return set().union(*(column_names(child) for child in children(node)))
