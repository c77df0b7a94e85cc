"""Names of measures, made from what they measure: ``avg_request_time``, ``count_status_ge_500``."""

from __future__ import annotations

import re

from tailrace.expr.nodes import Aggregate, AggregateFunction
from tailrace.expr.render import render, rendered_rank

MAX_NAME = 60

_WORDS = {
    "=": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "||": "join",
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "per",
    "//": "div",
    "%": "mod",
}


def measure_name(aggregate: Aggregate) -> str:
    """A readable name of letters, digits and ``_``; different aggregates may share one.

    The function, then the rank of a quantile in percent, the argument, the filter's condition.
    """
    pieces = [str(aggregate.function)]
    if aggregate.distinct:
        pieces.append("distinct")
    if aggregate.function is AggregateFunction.QUANTILE and aggregate.q is not None:
        pieces.append(_percent(aggregate))
    if aggregate.arg is not None:
        pieces.append(render(aggregate.arg))
    if aggregate.where is not None:
        pieces.append(render(aggregate.where))
    return "_".join(_slug(piece) for piece in pieces)[:MAX_NAME].strip("_")


def _percent(aggregate: Aggregate) -> str:
    whole, _, digits = rendered_rank(aggregate).partition(".")
    digits = digits.ljust(2, "0")
    return f"{int(whole + digits[:2])} {digits[2:]}"


def _slug(text: str) -> str:
    # `render` puts blanks around the operators, and only a text can have others between blanks.
    words = " ".join(_WORDS.get(word, word) for word in text.split(" "))
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_")
