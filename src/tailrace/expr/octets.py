r"""Addresses written octet by octet, ``\0x7f\0x00\0x00\0x01``, as sniffers put them into keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tailrace.expr.nodes import Call, Literal, Type
from tailrace.expr.signature import Function, Parameter, Variant, whole_number
from tailrace.expr.sqltext import bind, text_literal

_OCTET = 5
"""Characters of ``\\0x7f``."""
_ADDRESS = 4 * _OCTET
_PATTERN = r"(?:\\0x[0-9a-fA-F]{2}){4}"
_MOST = 64


def hex_address(text: str, number: int) -> str | None:
    """The dotted address number ``number``, from 1, of a text; None where there is none."""
    part = text[_ADDRESS * (number - 1) : _ADDRESS * number]
    if re.fullmatch(_PATTERN, part) is None:
        return None
    return ".".join(str(int(part[at + 3 : at + _OCTET], 16)) for at in range(0, _ADDRESS, _OCTET))


def _sql(call: Call, args: Sequence[str]) -> str:
    literal = call.args[1]
    number = literal.value if isinstance(literal, Literal) else None
    begin = _ADDRESS * (int(number or 1) - 1)
    octets = (
        f"try_cast('0x' || substr({{v}}, {begin + at + 4}, 2) AS INTEGER)::VARCHAR"
        for at in range(0, _ADDRESS, _OCTET)
    )
    there = f"regexp_full_match(substr({{v}}, {begin + 1}, {_ADDRESS}), {text_literal(_PATTERN)})"
    dotted = " || '.' || ".join(octets)
    return bind(args[0], f"CASE WHEN {there} THEN {dotted} END")


FUNCTIONS = (
    Function(
        "hex_address",
        (
            Variant(
                (
                    Parameter("x", Type.TEXT),
                    Parameter("n", Type.INTEGER, check=whole_number(1, _MOST)),
                ),
                Type.TEXT,
                _sql,
                fails="x has no such address",
            ),
        ),
        r"The IPv4 address number `n` of a text that writes addresses one after another, each octet"
        r" as `\0x` and two hexadecimal digits.",
        r"hex_address('\0x7f\0x00\0x00\0x01\0xc0\0x00\0x02\0x63', 2)",
        "'192.0.2.99'",
    ),
)
