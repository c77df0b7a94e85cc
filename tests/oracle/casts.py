"""Casts, from docs/expressions.md: what can't be cast is a failure."""

import math
import re

from tests.oracle.evaluate import FAILED, Result, number_fits

from tailrace.expr.nodes import Type
from tailrace.testing.outcome import Value

BLANKS = " \t\n\r\f\v"
DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def cast_value(value: Result, target: Type) -> Result:  # noqa: PLR0911 (a table of pairs)
    """`value`, which is not null, as the type `target`."""
    match value, target:
        case str(), Type.INTEGER:
            return of_text(value, target)
        case str(), Type.DOUBLE:
            return of_text(value, target)
        case str(), Type.BOOLEAN:
            return BOOLEANS.get(value.strip(BLANKS).lower(), FAILED)
        case bool(), Type.INTEGER:
            return int(value)
        case bool(), Type.TEXT:
            return "true" if value else "false"
        case int(), Type.DOUBLE:
            return float(value)
        case float(), Type.INTEGER:
            return cut(value)
        case (int(), Type.TEXT) | (float(), Type.TEXT):
            return str(value)
    raise AssertionError(f"no cast of {value!r} to {target}")


def of_text(text: str, target: Type) -> Value | Result:
    text = text.strip(BLANKS)
    if target is Type.INTEGER:
        return int(text) if INTEGER.fullmatch(text) and number_fits(int(text)) else FAILED
    number = float(text) if DECIMAL.fullmatch(text) else math.inf
    return number + 0.0 if math.isfinite(number) else FAILED


def cut(value: float) -> Result:
    """Towards zero."""
    return int(value) if number_fits(int(value)) else FAILED
