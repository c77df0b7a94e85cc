"""SQL text that is safe to put together: quoting, and forms in which each operand stands once.

Operands that stood twice would double the work of planning at each level of nesting. DuckDB itself
copies them for macros such as ``nullif`` and ``split_part`` and for ``case x when``, so a list of
one value and a lambda serve here.
"""

from __future__ import annotations

from tailrace.expr.moments import write_moment
from tailrace.expr.nodes import Literal, Type

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

SQL_TYPES = {
    Type.TEXT: "VARCHAR",
    Type.INTEGER: "BIGINT",
    Type.DOUBLE: "DOUBLE",
    Type.BOOLEAN: "BOOLEAN",
    Type.TIME: "TIMESTAMPTZ",
}

BLANKS = " \t\n\r\f\v"
"""The ASCII blanks that ``trim`` and casts from text leave out."""


def identifier(name: str) -> str:
    """A name as a quoted identifier; ValueError for what no identifier can hold."""
    return '"' + _sound(name).replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """A text as a quoted literal; ValueError for what no literal can hold."""
    return "'" + _sound(value).replace("'", "''") + "'"


def _sound(text: str) -> str:
    if "\0" in text:
        raise ValueError(f"a NUL character can't stand in SQL: {text!r}")
    text.encode()
    return text


def literal(node: Literal) -> str:
    """A constant of exactly its node's type."""
    value = node.value
    if value is None:
        return f"NULL::{SQL_TYPES[node.type]}"
    if node.type is Type.TIME:
        return f"TIMESTAMPTZ '{write_moment(int(value))}+00'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text_literal(value)
    if isinstance(value, float):
        return double_literal(value)
    return f"{value}::BIGINT" if value >= 0 else f"CAST({value} AS BIGINT)"


def double_literal(value: float) -> str:
    """A finite double; without its exponent DuckDB would read a decimal."""
    text = repr(value)
    text = text if "e" in text else text + "e0"
    return f"({text})" if value < 0 else text


def only_if(sql: str, condition: str) -> str:
    """The value of ``sql``, null unless ``condition`` holds for it as ``v``."""
    return f"list_filter([{sql}], lambda v: {condition})[1]"


def finite(sql: str) -> str:
    """The double, null if it is infinite or no number."""
    return only_if(sql, "isfinite(v)")


def bind(sql: str, body: str) -> str:
    """``body`` with ``{v}`` for the value of ``sql``, which is computed once."""
    if sql.startswith('"') and sql.endswith('"') and '"' not in sql[1:-1].replace('""', ""):
        return "(" + body.replace("{v}", sql) + ")"
    return f"list_transform([{sql}], lambda v: {body.replace('{v}', 'v')})[1]"
