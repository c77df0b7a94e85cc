"""Which partials an aggregate needs (SEMANTICS 15 to 17)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tailrace.expr.nodes import AggregateFunction, Column, Type
from tailrace.expr.render import render
from tailrace.plan.identity import digest
from tailrace.plan.model import CHANGES, Partial, PartialKind

if TYPE_CHECKING:
    from collections.abc import Container

    from tailrace.expr.nodes import Aggregate, Node

_DEVIATION_TERMS = ("first", "aa", "ab", "bb")


def partials_of(aggregate: Aggregate, declared: Container[str]) -> tuple[Partial, ...]:
    """The partials from which the aggregate's value is finished.

    None for ``count(*)``, which every pane has. ``declared``: the fields that decoding has seen; a
    derived one can be as large as any computed value.
    """
    arg = aggregate.arg
    bounded = isinstance(arg, Column) and arg.type is Type.DOUBLE and arg.name in declared
    return tuple(replace(partial, bounded=bounded) for partial in _partials_of(aggregate))


def _partials_of(aggregate: Aggregate) -> tuple[Partial, ...]:  # noqa: PLR0911 - one case a kind
    arg, where = aggregate.arg, aggregate.where
    match aggregate.function:
        case AggregateFunction.COUNT if aggregate.distinct:
            return (_partial(PartialKind.DISTINCT, arg, where),)
        case AggregateFunction.COUNT:
            if arg is None and where is None:
                return ()
            return (_partial(PartialKind.COUNT, arg, where, "present"),)
        case AggregateFunction.SUM | AggregateFunction.AVG:
            return (
                _partial(PartialKind.SUM, arg, where),
                _partial(PartialKind.COUNT, arg, where, _counted(arg)),
            )
        case AggregateFunction.MIN:
            return (
                _partial(PartialKind.LEAST, arg, where),
                _partial(PartialKind.COUNT, arg, where, "present"),
            )
        case AggregateFunction.MAX:
            return (
                _partial(PartialKind.GREATEST, arg, where),
                _partial(PartialKind.COUNT, arg, where, "present"),
            )
        case AggregateFunction.STDDEV:
            return (
                *(_partial(PartialKind.SUM, arg, where, term) for term in _DEVIATION_TERMS),
                _partial(PartialKind.COUNT, arg, where, "deviation"),
            )
        case AggregateFunction.CHANGES:
            return (_partial(PartialKind.COUNT, arg, where, CHANGES),)
        case AggregateFunction.QUANTILE:
            return (_partial(PartialKind.BUCKETS, arg, where),)


def _counted(arg: Node | None) -> str:
    """How the values that went into a sum are counted.

    An integer always goes in, a double may be too large.
    """
    return "present" if arg is not None and arg.type is Type.INTEGER else "sum"


def _partial(kind: PartialKind, arg: Node | None, where: Node | None, term: str = "sum") -> Partial:
    text = [render(node) if node is not None else "" for node in (arg, where)]
    kind_of = arg.type.value if arg is not None else ""
    name = f"{kind.value}_{digest(kind.value, term, kind_of, *text)[:16]}"
    return Partial(name, kind, arg, where, term, arg.type if arg is not None else None)
