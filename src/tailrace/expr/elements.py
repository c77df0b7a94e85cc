"""Functions of single text and time values in Python, for what NumPy has no match.

They see no nulls; None as a result is a failure. Window-level row counts are small.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tailrace.expr.addresses import contains, network_of
from tailrace.expr.octets import hex_address
from tailrace.expr.sqltext import BLANKS, INT64_MAX, INT64_MIN
from tailrace.expr.texts import lower_ascii, upper_ascii

Value = str | int | float | bool
Element = Callable[..., Value | None]

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_MINUTE, _HOUR, _DAY = 60_000_000, 3_600_000_000, 86_400_000_000


def to_integer(text: str) -> int | None:
    """A text as a 64-bit integer: an optional sign and digits, blanks around them."""
    digits = text.strip(BLANKS)
    if not _INTEGER.fullmatch(digits):
        return None
    significant = digits.lstrip("+-").lstrip("0")
    if len(significant) > 19:
        return None
    value = int(significant or "0") * (-1 if digits[0] == "-" else 1)
    return value if INT64_MIN <= value <= INT64_MAX else None


def to_double(text: str) -> float | None:
    """A text as a finite double: decimal digits, an optional point and exponent."""
    number = text.strip(BLANKS)
    if not _DOUBLE.fullmatch(number):
        return None
    value = float(number) + 0.0
    return value if abs(value) != float("inf") else None


def to_boolean(text: str) -> bool | None:
    """A text as a boolean: true or false, whatever the case, 1 or 0."""
    return {"true": True, "1": True, "false": False, "0": False}.get(
        lower_ascii(text.strip(BLANKS))
    )


def to_text(value: bool | float) -> str:  # noqa: FBT001 - a value, not an option
    """A number or boolean as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _part(text: str, separator: str, number: int) -> str:
    pieces = text.split(separator)
    at = number - 1 if number > 0 else len(pieces) + number
    return pieces[at] if 0 <= at < len(pieces) else ""


def _piece(text: str, start: int, length: int | None = None) -> str:
    return text[start - 1 :] if length is None else text[start - 1 : start - 1 + length]


ELEMENTS: dict[str, Element] = {
    "lower": lower_ascii,
    "upper": upper_ascii,
    "length": len,
    "trim": lambda text: text.strip(BLANKS),
    "substr": _piece,
    "split_part": _part,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": lambda text, piece: piece in text,
    "replace": str.replace,
    "ip_prefix": network_of,
    "cidr_contains": contains,
    "hex_address": hex_address,
    "epoch": lambda time: time / 1e6,
    "hour": lambda time: time % _DAY // _HOUR,
    "minute": lambda time: time % _HOUR // _MINUTE,
    "day_of_week": lambda time: (time // _DAY + 3) % 7 + 1,
}
