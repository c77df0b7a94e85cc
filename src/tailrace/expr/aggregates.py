"""Aggregates: which there are, how they are typed, where they stand in an expression."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Protocol

from tailrace.expr.coercion import NUMBERS, coerce, must_be
from tailrace.expr.nodes import (
    Aggregate,
    AggregateFunction,
    Binary,
    Column,
    Literal,
    Node,
    Span,
    Type,
)
from tailrace.expr.parts import rebuilt, walk
from tailrace.expr.problems import Kind, refused
from tailrace.expr.syntax import Invocation, Number, Syntax

_ALIASES = {
    "count": AggregateFunction.COUNT,
    "count_if": AggregateFunction.COUNT,
    "sum": AggregateFunction.SUM,
    "avg": AggregateFunction.AVG,
    "mean": AggregateFunction.AVG,
    "min": AggregateFunction.MIN,
    "max": AggregateFunction.MAX,
    "stddev": AggregateFunction.STDDEV,
    "stddev_samp": AggregateFunction.STDDEV,
    "quantile": AggregateFunction.QUANTILE,
    "median": AggregateFunction.QUANTILE,
    "changes": AggregateFunction.CHANGES,
}
NAMES = frozenset(_ALIASES)
USAGE = (
    ("count(*)", "integer", "The number of events."),
    ("count(x)", "integer", "The number of events in which x is not null."),
    (
        "count(distinct x)",
        "integer",
        "The number of different values of x, exact up to `limits.max_distinct`, where it stays.",
    ),
    ("count_if(c)", "integer", "The number of events for which c is true."),
    ("sum(x)", "as x", "The exact sum of integers; of doubles rounded to 1e-9 each."),
    ("avg(x)", "double", "The mean; also written `mean(x)`."),
    ("min(x)", "as x", "The least number, text or time."),
    ("max(x)", "as x", "The greatest number, text or time."),
    ("stddev(x)", "double", "The sample standard deviation; also written `stddev_samp(x)`."),
    (
        "quantile(x, q)",
        "double",
        "The value of nearest rank q, 0 to 1, within 1 % (logarithmic buckets).",
    ),
    ("median(x)", "double", "`quantile(x, 0.5)`."),
    (
        "changes(x)",
        "integer",
        "The number of events in which x isn't what it was in the key's event before.",
    ),
)
"""Each call with its result and meaning, for the docs."""

_MEDIAN = Fraction(1, 2)


class Typing(Protocol):
    """What types the argument and the filter."""

    def node(self, tree: Syntax) -> Node:
        """One tree typed."""
        ...

    def inside(self, function: str) -> AbstractContextManager[None]:
        """While parts of an aggregate are typed."""
        ...


def aggregates(node: Node) -> tuple[Aggregate, ...]:
    """The distinct aggregates of an expression, in the order in which they are written."""
    return tuple(dict.fromkeys(part for part in walk(node) if isinstance(part, Aggregate)))


def replace_aggregates(node: Node, names: Mapping[Aggregate, str]) -> Node:
    """The expression over measures: each aggregate becomes the column that ``names`` gives it."""
    if isinstance(node, Aggregate):
        return Column(type=node.type, span=node.span, name=names[node])
    return rebuilt(node, lambda part: replace_aggregates(part, names))


def typed(checker: Typing, tree: Invocation) -> Aggregate:
    """An aggregate typed; raises Refused for arguments that don't fit."""
    function = _ALIASES[tree.name]
    _refuse_arity(tree)
    if tree.distinct and function is not AggregateFunction.COUNT:
        raise refused("only count takes `distinct`", tree.span, "write count(distinct x)")
    with checker.inside(tree.name):
        where = None if tree.where is None else checker.node(tree.where)
        args = [checker.node(arg) for arg in tree.args[:1]]
    if where is not None:
        where = must_be(where, Type.BOOLEAN, "the condition of `filter`")
    if tree.name == "count_if":
        return _count_if(args[0], where, tree.span)
    return Aggregate(
        type=_result(function, args),
        span=tree.span,
        function=function,
        arg=_argument(tree.name, function, args[0]) if args else None,
        where=where,
        distinct=tree.distinct,
        q=_rank(tree) if function is AggregateFunction.QUANTILE else None,
    )


def _refuse_arity(tree: Invocation) -> None:
    if tree.star and tree.name != "count":
        raise refused(f"only count takes `*`, not {tree.name}", tree.span)
    if tree.star and tree.distinct:
        raise refused("count(distinct *) has no field to look at", tree.span)
    wanted = 2 if tree.name == "quantile" else 0 if tree.star else 1
    if len(tree.args) == wanted:
        return
    usage = {"quantile": "quantile(x, 0.95)", "count": "count(*) or count(x)"}
    hint = "write " + usage.get(tree.name, f"{tree.name}(x)")
    message = f"{tree.name} takes {wanted} argument{'s' * (wanted != 1)}, not {len(tree.args)}"
    raise refused(message, tree.span, hint)


def _count_if(condition: Node, where: Node | None, span: Span) -> Aggregate:
    condition = must_be(condition, Type.BOOLEAN, "the argument of count_if")
    if where is not None:
        condition = Binary(type=Type.BOOLEAN, span=span, op="and", left=where, right=condition)
    return Aggregate(
        type=Type.INTEGER, span=span, function=AggregateFunction.COUNT, where=condition
    )


def _result(function: AggregateFunction, args: list[Node]) -> Type:
    if function in (AggregateFunction.COUNT, AggregateFunction.CHANGES):
        return Type.INTEGER
    if function in (AggregateFunction.SUM, AggregateFunction.MIN, AggregateFunction.MAX):
        return args[0].type
    return Type.DOUBLE


def _argument(name: str, function: AggregateFunction, arg: Node) -> Node:
    if isinstance(arg, Literal) and arg.value is None:
        raise refused(f"{name} of null is always null", arg.span, kind=Kind.ALWAYS_NULL)
    if function in (AggregateFunction.COUNT, AggregateFunction.CHANGES):
        return arg
    if function in (AggregateFunction.MIN, AggregateFunction.MAX):
        if arg.type is Type.BOOLEAN:
            hint = "count those that are true: count_if(x)"
            raise refused(f"{name} takes numbers, text or times", arg.span, hint)
        return arg
    if arg.type not in NUMBERS:
        must_be(arg, Type.DOUBLE, f"the argument of {name}")
    return coerce(arg, Type.DOUBLE) if function is AggregateFunction.QUANTILE else arg


def _rank(tree: Invocation) -> Fraction:
    if tree.name == "median":
        return _MEDIAN
    rank = tree.args[1]
    if not isinstance(rank, Number) or "e" in rank.text.lower():
        raise refused("the rank of quantile must be a number such as 0.95", rank.span)
    value = Fraction(rank.text)
    if not 0 <= value <= 1:
        hint = f"write {float(value / 100)}" if 1 < value <= 100 else "such as 0.95"
        raise refused("the rank of quantile lies between 0 and 1", rank.span, hint)
    return value
