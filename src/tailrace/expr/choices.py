"""Scalar functions of any type that choose among their arguments, and see past nulls."""

from __future__ import annotations

from collections.abc import Sequence

from tailrace.expr.nodes import Call
from tailrace.expr.signature import Function, Parameter, Variant
from tailrace.expr.sqltext import bind


def _nullif(_call: Call, args: Sequence[str]) -> str:
    return bind(args[0], f"nullif({{v}}, {args[1]})")


FUNCTIONS = (
    Function(
        "least",
        (
            Variant(
                (Parameter("x"), Parameter("y")),
                None,
                "least({})",
                strict=False,
                repeats=True,
            ),
        ),
        "The smallest argument that is not null.",
        "least(3, 1, 2)",
        "1",
    ),
    Function(
        "greatest",
        (
            Variant(
                (Parameter("x"), Parameter("y")),
                None,
                "greatest({})",
                strict=False,
                repeats=True,
            ),
        ),
        "The largest argument that is not null.",
        "greatest(3, 1, 2)",
        "3",
    ),
    Function(
        "coalesce",
        (
            Variant(
                (Parameter("x"), Parameter("y")),
                None,
                "coalesce({})",
                strict=False,
                repeats=True,
            ),
        ),
        "The first argument that is not null.",
        "coalesce(null, 7)",
        "7",
    ),
    Function(
        "nullif",
        (Variant((Parameter("x"), Parameter("y")), None, _nullif, strict=False),),
        "Null if x equals y, else x.",
        "nullif('-', '-')",
        "null",
    ),
)
