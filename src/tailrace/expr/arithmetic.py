"""Numbers in NumPy: 64-bit integers that notice overflow, doubles that refuse infinity.

Each function gives the results and where the operation failed. What stands at nulls is computed
too, so NumPy's warnings mean nothing here: ``evaluate`` turns them off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tailrace.expr.values import Data, Mask

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]

_LEAST = np.iinfo(np.int64).min
_CERTAIN = 2.0**62
"""Products whose double estimate is below this fit 64 bits for certain."""


def integers(op: str, a: Ints, b: Ints) -> tuple[Ints, Mask]:
    """``+ - * // %`` of integers."""
    match op:
        case "+":
            total = a + b
            return total, ((a ^ total) & (b ^ total)) < 0
        case "-":
            rest = a - b
            return rest, ((a ^ b) & (a ^ rest)) < 0
        case "*":
            return a * b, _product_overflows(a, b)
        case "//":
            return _quotient(a, b)
        case _:
            zero = b == 0
            return np.fmod(a, np.where(zero | (b == -1), 1, b)), zero


def _product_overflows(a: Ints, b: Ints) -> Mask:
    estimate = np.abs(a.astype(np.float64) * b.astype(np.float64))
    beyond: Mask = estimate >= _CERTAIN
    for at in np.flatnonzero(beyond):
        beyond[at] = not _LEAST <= int(a[at]) * int(b[at]) < -_LEAST
    return beyond


def _quotient(a: Ints, b: Ints) -> tuple[Ints, Mask]:
    failed: Mask = (b == 0) | ((a == _LEAST) & (b == -1))
    divisor = np.where(failed, 1, b)
    down = a // divisor
    inexact = down * divisor != a
    return down + (inexact & ((a < 0) != (divisor < 0))), failed


def doubles(op: str, a: Doubles, b: Doubles) -> tuple[Doubles, Mask]:
    """``+ - * / %`` of finite doubles; never -0.0."""
    match op:
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case "/":
            result = np.where(b == 0, np.inf, a / b)
        case _:
            result = np.where(b == 0, np.inf, np.fmod(a, b))
    return result + 0.0, ~np.isfinite(result)


def negative(a: Data) -> tuple[Data, Mask]:
    """The values with the other sign."""
    if a.dtype == np.float64:
        return 0.0 - a, np.zeros(len(a), np.bool_)
    return -a, a == _LEAST


def absolute(a: Data) -> tuple[Data, Mask]:
    """The values without sign."""
    return np.abs(a), (a == _LEAST) if a.dtype == np.int64 else np.zeros(len(a), np.bool_)


def rounded(a: Doubles) -> Doubles:
    """The nearest whole number, halves away from zero; never -0.0."""
    whole = np.trunc(a)
    return whole + np.where(np.abs(a - whole) >= 0.5, np.copysign(1.0, a), 0.0) + 0.0


def rounded_to(a: Doubles, digits: int) -> tuple[Doubles, Mask]:
    """``a`` times 10**digits, rounded, divided by 10**digits."""
    scale = float(10**digits)
    scaled = a * scale
    failed = ~np.isfinite(scaled)
    return rounded(np.where(failed, 0.0, scaled)) / scale + 0.0, failed


def square_root(a: Doubles) -> tuple[Doubles, Mask]:
    """The square root."""
    below = a < 0
    return np.sqrt(np.where(below, 0.0, a)), below


def whole(a: Doubles) -> tuple[Ints, Mask]:
    """The integers that doubles have before the point."""
    cut = np.trunc(a)
    beyond = ~((cut >= -(2.0**63)) & (cut < 2.0**63))
    return np.where(beyond, 0.0, cut).astype(np.int64), beyond
