"""Typed expressions as DuckDB SQL that never raises: a failing operation gives null.

Simple comparisons stay bare; guards stand only where ``bounds`` can't rule a failure out.
"""

from __future__ import annotations

from tailrace.expr import bounds
from tailrace.expr.functions import variant_of
from tailrace.expr.nodes import (
    Aggregate,
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
from tailrace.expr.operators import COMPARISONS
from tailrace.expr.parts import between, children
from tailrace.expr.sqltext import (
    BLANKS,
    INT64_MIN,
    bind,
    finite,
    identifier,
    literal,
    only_if,
    text_literal,
)
from tailrace.expr.texts import lower_ascii, lower_sql

_BLANK = r"[ \t\n\r\f\v]*"
_INTEGER = f"^{_BLANK}([+-]?[0-9]+){_BLANK}$"
_DOUBLE = rf"^{_BLANK}([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?){_BLANK}$"


def to_sql(node: Node) -> str:  # noqa: C901, PLR0911 - one case a kind
    """SQL over columns quoted as ``"name"``, of exactly the node's type; null where it fails.

    Raises ValueError for aggregates: they are replaced before.
    """
    match node:
        case Literal():
            return literal(node)
        case Column() | Lookup():
            return identifier(node.name)
        case Unary(op="not"):
            return f"NOT {_operand(node.operand)}"
        case Unary():
            return _negation(node)
        case Binary():
            return _binary(node)
        case Call():
            return _call(node)
        case Case():
            branches = " ".join(
                f"WHEN {to_sql(when)} THEN {to_sql(then)}" for when, then in node.branches
            )
            return f"CASE {branches} ELSE {to_sql(node.default)} END"
        case Cast():
            return _cast(node)
        case In():
            items = ", ".join(_bare(item) for item in node.items)
            return f"{_operand(node.operand)} {_not(node)}IN ({items})"
        case Like():
            return _like(node)
        case IsNull():
            return f"{_operand(node.operand)} IS {_not(node)}NULL"
        case Aggregate():
            raise ValueError("an aggregate is no SQL expression over rows")


def failure_sql(node: Node) -> str | None:
    """Boolean SQL, never null: the node is null because an operation inside failed on that row.

    An operation that isn't part of the value doesn't count: in a branch of a case that isn't taken,
    or whose null was replaced (coalesce, is null, a decided and/or). None: nothing can fail.
    """
    if _never_null(node):
        return None
    if isinstance(node, Case):
        return _case_failure(node)
    inner = [failure for child in _makers(node) if (failure := failure_sql(child))]
    if bounds.fails_itself(node):
        tests = [f"{_operand(node)} IS NULL"]
        tests += [f"{_operand(child)} IS NOT NULL" for child in _nullable(node)]
        return " OR ".join([f"({' AND '.join(tests)})", *inner])
    if not inner:
        return None
    joined = " OR ".join(inner)
    return joined if _strict(node) else f"({_operand(node)} IS NULL AND ({joined}))"


def _never_null(node: Node) -> bool:
    """Whether the node has a value whatever fails inside it."""
    match node:
        case Literal():
            return node.value is not None
        case Call(name="coalesce"):
            return any(_never_null(arg) for arg in node.args)
        case _:
            return isinstance(node, IsNull)


def _makers(node: Node) -> tuple[Node, ...]:
    """The children whose failures can make the node null; y of nullif(x, y) can't."""
    if isinstance(node, Call) and node.name == "nullif":
        return node.args[:1]
    return children(node)


def _strict(node: Node) -> bool:
    """Whether a null operand always makes the node null."""
    if isinstance(node, Call):
        return variant_of(node).strict
    return not (isinstance(node, Binary) and node.op in ("and", "or"))


def _nullable(node: Node) -> list[Node]:
    return [child for child in children(node) if not isinstance(child, Literal)]


def _case_failure(node: Case) -> str | None:
    """What fails in the branch taken, or in a condition before that was null for it."""
    conditions: list[str] = []
    pieces: list[str] = []
    fails = False
    for when, then in [*node.branches, (None, node.default)]:
        failures = [*conditions, *_some(failure_sql(then))]
        fails = fails or bool(failures)
        begin = "ELSE" if when is None else f"WHEN {to_sql(when)} THEN"
        pieces.append(f"{begin} {' OR '.join(f'({one})' for one in failures) or 'false'}")
        conditions += _some(None if when is None else failure_sql(when))
    if not fails:
        return None
    return f"({_operand(node)} IS NULL AND CASE {' '.join(pieces)} END)"


def _some(failure: str | None) -> list[str]:
    return [] if failure is None else [failure]


def _operand(node: Node) -> str:
    text = to_sql(node)
    return f"({text})" if isinstance(node, (Unary, Binary, In, Like, IsNull)) else text


def _not(node: In | Like | IsNull) -> str:
    return "NOT " if node.negated else ""


def _bare(node: Node) -> str:
    """A literal without its cast, where the other side has the type."""
    if isinstance(node, Literal) and isinstance(node.value, int) and node.type is Type.INTEGER:
        return literal(node) if node.value == INT64_MIN else str(node.value)
    return _operand(node)


def _huge(node: Node) -> str:
    return f"{_bare(node)}::HUGEINT" if _is_natural(node) else f"{_operand(node)}::HUGEINT"


def _is_natural(node: Node) -> bool:
    return isinstance(node, Literal) and isinstance(node.value, int) and node.value >= 0


def _negation(node: Unary) -> str:
    if node.type is Type.DOUBLE:
        return f"0e0 - {_operand(node.operand)}"
    if bounds.fails_itself(node):
        return f"try_cast(-({_huge(node.operand)}) AS BIGINT)"
    return f"0::BIGINT - {_operand(node.operand)}"


def _binary(node: Binary) -> str:
    left, right, op = node.left, node.right, node.op
    if (bounded := between(node)) is not None:
        operand, low, high = bounded
        return f"{_operand(operand)} BETWEEN {_bare(low)} AND {_bare(high)}"
    if op in ("and", "or"):
        return f"{_operand(left)} {op.upper()} {_operand(right)}"
    if op in COMPARISONS:
        return f"{_bare(left)} {op} {_bare(right)}"
    if op == "||":
        return f"{_operand(left)} || {_operand(right)}"
    if node.type is Type.INTEGER:
        return _integer_arithmetic(node)
    return _double_arithmetic(node)


def _integer_arithmetic(node: Binary) -> str:
    divides = node.op in ("//", "%")
    wide = bounds.divides_beyond(node) if divides else bounds.fails_itself(node)
    left, right = (
        (_huge if wide else _operand)(node.left),
        (_huge if wide else _operand)(node.right),
    )
    if divides and bounds.may_be_zero(node.right):
        right = only_if(right, "v <> 0")
    plain = f"{left} {node.op} {right}"
    return f"try_cast({plain} AS BIGINT)" if wide else plain


def _double_arithmetic(node: Binary) -> str:
    plain = f"{_operand(node.left)} {node.op} {_operand(node.right)}"
    guarded = finite(plain) if bounds.fails_itself(node) else plain
    return guarded if node.op in ("+", "-") else f"{guarded} + 0e0"


def _call(node: Call) -> str:
    variant = variant_of(node)
    args = [_operand(arg) for arg in node.args]
    if callable(variant.sql):
        return variant.sql(node, args)
    if "{}" in variant.sql:
        return variant.sql.format(", ".join(args))
    return variant.sql.format(*args)


def _cast(node: Cast) -> str:  # noqa: PLR0911 - one case a kind
    operand = _operand(node.operand)
    match node.operand.type, node.type:
        case Type.TEXT, Type.INTEGER:
            return f"try_cast(regexp_extract({operand}, {text_literal(_INTEGER)}, 1) AS BIGINT)"
        case Type.TEXT, Type.DOUBLE:
            number = f"regexp_extract({operand}, {text_literal(_DOUBLE)}, 1)"
            return f"({finite(f'try_cast({number} AS DOUBLE)')} + 0e0)"
        case Type.TEXT, Type.BOOLEAN:
            word = f"lower(trim({operand}, {text_literal(BLANKS)}))"
            yes, no = "{v} IN ('true', '1')", "{v} IN ('false', '0')"
            return bind(word, f"CASE WHEN {yes} THEN true WHEN {no} THEN false END")
        case Type.DOUBLE, Type.INTEGER:
            return f"try_cast(trunc({operand}) AS BIGINT)"
        case _, Type.DOUBLE:
            return f"{operand}::DOUBLE"
        case _, Type.INTEGER:
            return f"{operand}::BIGINT"
        case _:
            return f"{operand}::VARCHAR"


def _like(node: Like) -> str:
    operand, pattern = _operand(node.operand), node.pattern
    if node.ignore_case:
        operand, pattern = lower_sql(operand), lower_ascii(pattern)
    return f"{operand} {_not(node)}LIKE {text_literal(pattern)}"
