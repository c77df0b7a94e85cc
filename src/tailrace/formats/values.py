"""One text at a time into one value, careful and slow: the definition for ``columns``.

The rules are the truth table in ``docs/semantics-decoding.md``. Times have a module of their own,
``times``.
"""

from __future__ import annotations

import math
import re

LARGEST = 10**18
"""Doubles of a greater magnitude are bad values: sums of them would not be exact (SEMANTICS 15)."""
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

_DECIMAL = re.compile(
    r"[ \t]*([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?[ \t]*"
)
_DIGITS = 40
"""More digits than any 64-bit integer or time has."""


class BadValueError(ValueError):
    """A text is not of the type; the message says what it is not."""


def scaled_floor(text: str, shift: int) -> tuple[int, bool] | None:
    """Floor of a decimal text times ``10**shift``, and whether it is exact; None if it is none.

    What is far beyond every range comes back as ``±10**_DIGITS``, so that hostile exponents cost
    nothing.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, exponent = match.groups(default="")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0, True
    power = _DIGITS * 10**4 if len(exponent) > 10**3 else int(exponent or 0)
    if len(exponent) > 10**3 and exponent.startswith("-"):
        power = -power
    kept = len(digits) - len(fraction) + power + shift
    if kept > _DIGITS:
        value, exact = 10**_DIGITS, True
    elif kept <= 0:
        value, exact = 0, False
    else:
        value = int(digits[:kept].ljust(kept, "0"))
        exact = not digits[kept:].strip("0")
    if sign == "-":
        value = -value if exact else -value - 1
    return value, exact


def integer(text: str) -> int:
    """A decimal whose value is integral and fits 64 bits: ``7``, ``+7``, ``7.0``, ``7e2``."""
    found = scaled_floor(text, 0)
    if found is None or not found[1]:
        raise BadValueError("not an integer")
    if not SMALLEST_INTEGER <= found[0] <= LARGEST_INTEGER:
        raise BadValueError("an integer beyond 64 bits")
    return found[0]


def double(text: str) -> float:
    """The IEEE double nearest to a decimal; never NaN, infinite, beyond 1e18 or minus zero."""
    if _DECIMAL.fullmatch(text) is None:
        raise BadValueError("not a number")
    value = float(text)
    if math.isinf(value) or abs(value) > LARGEST:
        raise BadValueError("a number beyond 1e18")
    return value + 0.0


def boolean(text: str) -> bool:
    """``true``, ``false`` in any case, ``1`` or ``0``."""
    value = BOOLEANS.get(text.strip(" \t").lower())
    if value is None:
        raise BadValueError("not a boolean")
    return value
