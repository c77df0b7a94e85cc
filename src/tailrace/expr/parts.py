"""Taking trees apart and putting them together again, whatever the nodes mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

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
    Unary,
)


def parts(node: Node) -> tuple[Node, ...]:
    """The conditions that ``and`` and ``or`` join at the top, recursively, in written order."""
    if isinstance(node, Binary) and node.op in ("and", "or"):
        return (*parts(node.left), *parts(node.right))
    return (node,)


def between(node: Node) -> tuple[Node, Node, Node] | None:
    """Operand, low and high of ``x >= low and x <= high``, as ``between`` is kept; else None."""
    match node:
        case Binary(op="and", left=Binary(op=">=") as low, right=Binary(op="<=") as high):
            return (low.left, low.right, high.right) if low.left == high.left else None
        case _:
            return None


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, in written order."""
    match node:
        case Literal() | Column() | Lookup():
            return ()
        case Unary() | Cast() | Like() | IsNull() | In():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.args
        case Case():
            return (*(part for branch in node.branches for part in branch), node.default)
        case Aggregate():
            return tuple(part for part in (node.arg, node.where) if part is not None)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in written order."""
    yield node
    for child in children(node):
        yield from walk(child)


def columns(node: Node) -> tuple[str, ...]:
    """The distinct names of the columns that an expression reads, in written order."""
    read = (part.name for part in walk(node) if isinstance(part, (Column, Lookup)))
    return tuple(dict.fromkeys(read))


def size(node: Node) -> int:
    """The number of nodes, shared ones counted at each place."""
    return 1 + sum(size(child) for child in children(node))


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with ``change`` made to each node directly below."""
    match node:
        case Literal() | Column() | Lookup():
            return node
        case Unary() | Cast() | Like() | IsNull() | In():
            return replace(node, operand=change(node.operand))
        case Binary():
            return replace(node, left=change(node.left), right=change(node.right))
        case Call():
            return replace(node, args=tuple(change(arg) for arg in node.args))
        case Case():
            branches = tuple((change(when), change(then)) for when, then in node.branches)
            return replace(node, branches=branches, default=change(node.default))
        case Aggregate():
            arg = None if node.arg is None else change(node.arg)
            where = None if node.where is None else change(node.where)
            return replace(node, arg=arg, where=where)
