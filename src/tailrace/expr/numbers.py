"""Scalar functions of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from tailrace.expr.nodes import Call, Literal, Type
from tailrace.expr.signature import Function, Parameter, Variant, whole_number
from tailrace.expr.sqltext import finite, only_if

INTEGER, DOUBLE = Type.INTEGER, Type.DOUBLE


def _rounded(call: Call, args: Sequence[str]) -> str:
    digits = call.args[1]
    assert isinstance(digits, Literal)  # noqa: S101 - the parameter's check holds it
    scale = f"1e{digits.value}"
    return f"({finite(f'round({args[0]} * {scale})')} / {scale} + 0e0)"


def _whole(name: str, doc: str, example: str, gives: str) -> Function:
    return Function(
        name,
        (
            Variant((Parameter("x", INTEGER),), INTEGER, "{0}"),
            Variant((Parameter("x", DOUBLE),), DOUBLE, f"({name}({{0}}) + 0e0)"),
        ),
        doc,
        example,
        gives,
    )


FUNCTIONS = (
    Function(
        "abs",
        (
            Variant(
                (Parameter("x", INTEGER),),
                INTEGER,
                "try_cast(abs({0}::HUGEINT) AS BIGINT)",
                fails="x is the least integer",
            ),
            Variant((Parameter("x", DOUBLE),), DOUBLE, "abs({0})"),
        ),
        "The value without its sign.",
        "abs(-3)",
        "3",
    ),
    Function(
        "round",
        (
            Variant((Parameter("x", INTEGER),), INTEGER, "{0}"),
            Variant((Parameter("x", DOUBLE),), DOUBLE, "(round({0}) + 0e0)"),
            Variant(
                (Parameter("x", DOUBLE), Parameter("digits", INTEGER, check=whole_number(0, 15))),
                DOUBLE,
                _rounded,
                fails="x · 10^digits is beyond a double",
            ),
        ),
        "Rounded to the nearest whole number, halves away from zero. With `digits`: x · 10^digits, "
        "rounded so, divided by 10^digits, each step in double arithmetic.",
        "round(2.345, 1)",
        "2.3",
    ),
    _whole("floor", "The greatest whole number not above x.", "floor(-1.5)", "-2.0"),
    _whole("ceil", "The least whole number not below x.", "ceil(1.2)", "2.0"),
    Function(
        "sqrt",
        (
            Variant(
                (Parameter("x", DOUBLE),),
                DOUBLE,
                f"sqrt({only_if('{0}', 'v >= 0')})",
                fails="x is below 0",
            ),
        ),
        "The square root.",
        "sqrt(2.25)",
        "1.5",
    ),
)
