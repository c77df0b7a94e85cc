"""Typed expressions as canonical text, equal for equal expressions.

``parse(render(node))`` is ``node`` again within the scope it came from.
"""

from __future__ import annotations

import re

from tailrace.expr.grammar import RESERVED
from tailrace.expr.moments import write_moment
from tailrace.expr.nodes import (
    Aggregate,
    AggregateFunction,
    Binary,
    Call,
    Case,
    Cast,
    Column,
    In,
    IsNull,
    Like,
    Literal,
    Lookup,
    Node,
    Type,
    Unary,
)
from tailrace.expr.parts import between

_TIGHTNESS = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">="), 4),
    "||": 5,
    **dict.fromkeys(("+", "-"), 6),
    **dict.fromkeys(("*", "/", "//", "%"), 7),
}
_NOT, _PREDICATE, _MINUS, _VALUE = 3, 4, 8, 10
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def render(node: Node) -> str:
    """The canonical text of an expression; stable over versions, so that identities are."""
    return _text(node)[0]


def rendered_name(name: str) -> str:
    """A field's name as an expression writes it, quoted where it must be."""
    if _PLAIN.fullmatch(name) and name.lower() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def _within(node: Node, tightness: int) -> str:
    text, own = _text(node)
    return text if own >= tightness else f"({text})"


def _text(node: Node) -> tuple[str, int]:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    """The text and how tightly it holds together."""
    match node:
        case Literal():
            return _literal(node)
        case Column():
            return rendered_name(node.name), _VALUE
        case Lookup(reference=reference, column=None):
            return f"known({rendered_name(reference)})", _VALUE
        case Lookup(reference=reference, column=column):
            return f"{rendered_name(reference)}.{rendered_name(str(column))}", _VALUE
        case Cast(implicit=True):
            return _text(node.operand)
        case Cast():
            return f"cast({render(node.operand)} as {node.type})", _VALUE
        case Unary(op="not"):
            return f"not {_within(node.operand, _NOT)}", _NOT
        case Unary():
            return f"-{_within(node.operand, _VALUE)}", _MINUS
        case Binary():
            return _binary(node)
        case Call():
            return f"{node.name}({', '.join(render(arg) for arg in node.args)})", _VALUE
        case Case():
            branches = " ".join(f"when {render(c)} then {render(v)}" for c, v in node.branches)
            return f"case {branches} else {render(node.default)} end", _VALUE
        case In() | Like() | IsNull():
            return _predicate(node), _PREDICATE
        case Aggregate():
            return _aggregate(node), _VALUE


def _literal(node: Literal) -> tuple[str, int]:
    value = node.value
    if value is None:
        return "null", _VALUE
    if isinstance(value, bool):
        return ("true" if value else "false"), _VALUE
    if isinstance(value, str):
        return _quoted(value), _VALUE
    if node.type is Type.TIME:
        return f"timestamp '{write_moment(int(value))}'", _VALUE
    return repr(value), _MINUS if value < 0 else _VALUE


def _binary(node: Binary) -> tuple[str, int]:
    if (bounded := between(node)) is not None:
        operand, low, high = (_within(part, _PREDICATE + 1) for part in bounded)
        return f"{operand} between {low} and {high}", _PREDICATE
    own = _TIGHTNESS[node.op]
    left = _within(node.left, own + 1 if own == _PREDICATE else own)
    right = _within(node.right, own if node.op in ("and", "or") else own + 1)
    return f"{left} {node.op} {right}", own


def _predicate(node: In | Like | IsNull) -> str:
    operand = _within(node.operand, _PREDICATE + 1)
    negation = "not " if node.negated else ""
    match node:
        case In():
            return f"{operand} {negation}in ({', '.join(render(item) for item in node.items)})"
        case Like():
            word = "ilike" if node.ignore_case else "like"
            return f"{operand} {negation}{word} {_quoted(node.pattern)}"
        case IsNull():
            return f"{operand} is {negation}null"


def _aggregate(node: Aggregate) -> str:
    inside = "*" if node.arg is None else render(node.arg)
    if node.distinct:
        inside = f"distinct {inside}"
    if node.function is AggregateFunction.QUANTILE and node.q is not None:
        inside += f", {rendered_rank(node)}"
    where = "" if node.where is None else f" filter (where {render(node.where)})"
    return f"{node.function}({inside}){where}"


def rendered_rank(node: Aggregate) -> str:
    """The rank of a quantile as a decimal number without an exponent, exactly."""
    rank = node.q or 0
    whole, rest = divmod(rank.numerator, rank.denominator)
    digits = ""
    while rest:
        digit, rest = divmod(rest * 10, rank.denominator)
        digits += str(digit)
    return f"{whole}.{digits}" if digits else str(whole)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
