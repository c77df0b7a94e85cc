"""The front door: text to a typed expression, or every problem found in it with its characters.

Grammar and types are our own rather than a general SQL parser's: each token keeps its characters,
what is not known is refused by construction, and the language changes only when we change it.
"""

from __future__ import annotations

from dataclasses import fields

from tailrace.expr import grammar
from tailrace.expr.check import MAX_NODES, Checker
from tailrace.expr.nodes import Node, Span, Type
from tailrace.expr.parts import size
from tailrace.expr.problems import ExpressionError, ExpressionProblem, Kind, Refused, refused
from tailrace.expr.scope import Scope
from tailrace.expr.syntax import Syntax

MAX_DEPTH = 50
"""Levels of the tree. A chain of n operators has n levels, one of `and` or `or` few."""

__all__ = ["MAX_DEPTH", "ExpressionError", "ExpressionProblem", "Scope", "parse"]


def parse(text: str, scope: Scope) -> Node:
    """The typed expression that ``text`` says within ``scope``.

    Raises ExpressionError, and nothing else for any text; its problems' spans are characters of
    ``text``, counted from 0.
    """
    try:
        tree = grammar.read(text)
        _refuse_deep(tree)
        node = Checker(scope).node(tree)
        whole = Span(0, len(text))
        if node.type is Type.NULL:
            raise refused("the expression is always null", whole, kind=Kind.ALWAYS_NULL)
        if size(node) > MAX_NODES:
            raise refused("the expression is too large", whole, "derive fields for its parts")
    except Refused as found:
        raise ExpressionError(text, found.problems) from None
    return node


def _refuse_deep(tree: Syntax) -> None:
    level: list[Syntax] = [tree]
    for _ in range(MAX_DEPTH):
        level = [below for node in level for below in _below(node)]
        if not level:
            return
    message = f"more than {MAX_DEPTH} levels of operators"
    raise refused(message, level[0].span, "derive fields for its parts")


def _below(tree: Syntax) -> list[Syntax]:
    found: list[Syntax] = []
    waiting: list[object] = [getattr(tree, field.name) for field in fields(tree)]
    for value in waiting:
        if isinstance(value, tuple):
            waiting.extend(value)
        elif isinstance(value, Syntax):
            found.append(value)
    return found
