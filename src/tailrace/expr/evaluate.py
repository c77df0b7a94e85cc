"""Typed expressions over NumPy columns, for conditions and measures of closed windows.

Gives on every row what ``sql`` gives in DuckDB, nulls and failures included.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tailrace.expr import arithmetic, elements
from tailrace.expr.like import like_pattern
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
from tailrace.expr.values import (
    DTYPES,
    Data,
    Mask,
    Values,
    both_valid,
    constant,
    lenient,
    strict,
)

_COMPARE = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def evaluate(node: Node, columns: Mapping[str, Values], length: int) -> Values:
    """The values of an expression over ``length`` rows.

    ``columns`` has each column that the expression names, aggregates having been replaced by
    columns. Raises ValueError for an aggregate and for a function that is for rows only.
    """
    with np.errstate(all="ignore"):  # what stands at nulls may overflow
        return _Evaluation(columns, length).of(node)


class _Evaluation:
    """The columns of one evaluation."""

    def __init__(self, columns: Mapping[str, Values], length: int) -> None:
        self._columns = columns
        self._length = length

    def of(self, node: Node) -> Values:  # noqa: C901, PLR0911 - one case a kind
        """The values of one node."""
        match node:
            case Literal():
                return constant(node, self._length)
            case Column() | Lookup():
                return self._columns[node.name]
            case Unary():
                return self._unary(node)
            case Binary():
                return _binary(node.op, self.of(node.left), self.of(node.right))
            case Call():
                return self._call(node)
            case Case():
                return self._case(node)
            case Cast():
                return _cast(self.of(node.operand), node.operand.type, node.type)
            case In():
                return _in(node, self.of(node.operand))
            case Like():
                return _like(node, self.of(node.operand))
            case IsNull():
                valid = self.of(node.operand).is_valid
                return Values(valid.copy() if node.negated else ~valid)
            case Aggregate():
                raise ValueError("aggregates are replaced by columns before evaluation")

    def _unary(self, node: Unary) -> Values:
        operand = self.of(node.operand)
        if node.op == "not":
            return strict(~operand.data.astype(np.bool_), [operand])
        data, failed = arithmetic.negative(operand.data)
        return strict(data, [operand], failed)

    def _call(self, node: Call) -> Values:
        args = [self.of(arg) for arg in node.args]
        match node.name:
            case "coalesce":
                return _coalesce(args)
            case "nullif":
                equal = _compare("=", args[0], args[1]).is_true
                return lenient(args[0].data, args[0].is_valid & ~equal, args[:1])
            case "least" | "greatest":
                return _extreme("<" if node.name == "least" else ">", args)
            case "abs":
                data, failed = arithmetic.absolute(args[0].data)
                return strict(data, args, failed)
            case "round" | "floor" | "ceil" | "sqrt":
                return _rounding(node, args)
            case name if name in elements.ELEMENTS:
                return _each(elements.ELEMENTS[name], args, node.type)
            case name:
                raise ValueError(f"{name} is evaluated over rows only")

    def _case(self, node: Case) -> Values:
        data: Data = np.zeros(self._length, DTYPES[node.type])
        valid, failed, seen = (np.zeros(self._length, np.bool_) for _ in range(3))
        open_ = np.ones(self._length, np.bool_)
        for condition, value in [*node.branches, (None, node.default)]:
            taken = open_.copy()
            if condition is not None:
                truth = self.of(condition)
                taken &= truth.is_true
                seen |= open_ & truth.has_failed
            values = self.of(value)
            data[taken] = values.data[taken]
            valid[taken] = values.is_valid[taken]
            failed[taken] = values.has_failed[taken] | seen[taken]
            open_ &= ~taken
        return Values(data, valid, failed & ~valid)


def _binary(op: str, left: Values, right: Values) -> Values:
    if op in ("and", "or"):
        return _logic(op, left, right)
    if op in _COMPARE:
        return _compare(op, left, right)
    if op == "||":
        return _each(lambda a, b: a + b, [left, right], Type.TEXT)
    compute = arithmetic.integers if left.data.dtype == np.int64 else arithmetic.doubles
    data, failed = compute(op, left.data, right.data)
    return strict(data, [left, right], failed)


def _logic(op: str, left: Values, right: Values) -> Values:
    if op == "and":
        data = left.is_true & right.is_true
        decided = _is_false(left) | _is_false(right)
    else:
        data = left.is_true | right.is_true
        decided = data
    return lenient(data, decided | (left.is_valid & right.is_valid), [left, right])


def _is_false(values: Values) -> Mask:
    return ~values.data.astype(np.bool_) & values.is_valid


def _compare(op: str, left: Values, right: Values) -> Values:
    if left.data.dtype != np.object_:
        return strict(_COMPARE[op](left.data, right.data), [left, right])
    data = np.zeros(len(left), np.bool_)
    rows = _rows([left, right])
    data[rows] = _COMPARE[op](left.data[rows], right.data[rows])
    return strict(data, [left, right])


def _rows(operands: list[Values]) -> Mask | slice:
    """The rows on which no operand is null."""
    valid = both_valid(operands)
    return slice(None) if valid is None else valid


def _each(function: elements.Element, args: list[Values], result: Type) -> Values:
    """A Python function on each row without nulls; None fails."""
    data: Data = np.zeros(len(args[0]), DTYPES[result])
    failed = np.zeros(len(args[0]), np.bool_)
    valid = both_valid(args)
    rows = np.arange(len(data)) if valid is None else np.flatnonzero(valid)
    for row in rows.tolist():
        value = function(*(_python(arg.data, row) for arg in args))
        if value is None:
            failed[row] = True
        else:
            data[row] = value
    return strict(data, args, failed)


def _python(data: Data, row: int) -> elements.Value:
    value: elements.Value = data[row] if data.dtype == np.object_ else data[row].item()
    return value


def _coalesce(args: list[Values]) -> Values:
    data, valid = args[0].data.copy(), args[0].is_valid.copy()
    for arg in args[1:]:
        taken = ~valid & arg.is_valid
        data[taken] = arg.data[taken]
        valid |= taken
    return lenient(data, valid, args)


def _extreme(op: str, args: list[Values]) -> Values:
    data, valid = args[0].data.copy(), args[0].is_valid.copy()
    for arg in args[1:]:
        better = _compare(op, arg, Values(data, valid)).is_true
        taken = arg.is_valid & (~valid | better)
        data[taken] = arg.data[taken]
        valid |= taken
    return lenient(data, valid, args)


def _rounding(node: Call, args: list[Values]) -> Values:
    data, failed = args[0].data, None
    if node.name == "sqrt":
        data, failed = arithmetic.square_root(data)
    elif data.dtype == np.int64:
        return args[0]
    elif node.name == "floor":
        data = np.floor(data) + 0.0
    elif node.name == "ceil":
        data = np.ceil(data) + 0.0
    elif len(args) == 1:
        data = arithmetic.rounded(data)
    else:
        digits = node.args[1]
        data, failed = arithmetic.rounded_to(data, int(getattr(digits, "value", 0)))
    return strict(data, args, failed)


def _cast(values: Values, source: Type, target: Type) -> Values:  # noqa: PLR0911 - one case a kind
    match source, target:
        case Type.INTEGER, Type.DOUBLE:
            return Values(values.data.astype(np.float64), values.valid, values.failed)
        case Type.BOOLEAN, Type.INTEGER:
            return Values(values.data.astype(np.int64), values.valid, values.failed)
        case Type.DOUBLE, Type.INTEGER:
            data, failed = arithmetic.whole(values.data)
            return strict(data, [values], failed)
        case _, Type.TEXT:
            return _each(elements.to_text, [values], target)
        case _, Type.INTEGER:
            return _each(elements.to_integer, [values], target)
        case _, Type.DOUBLE:
            return _each(elements.to_double, [values], target)
        case _:
            return _each(elements.to_boolean, [values], target)


def _in(node: In, operand: Values) -> Values:
    wanted = [item.value for item in node.items]
    data = np.zeros(len(operand), np.bool_)
    rows = _rows([operand])
    if operand.data.dtype == np.object_:
        known = set(wanted)
        data[rows] = [value in known for value in operand.data[rows]]
    else:
        data[rows] = np.isin(operand.data[rows], np.array(wanted, operand.data.dtype))
    return strict(~data if node.negated else data, [operand])


def _like(node: Like, operand: Values) -> Values:
    matches = like_pattern(node.pattern, ignore_case=node.ignore_case)
    data = np.zeros(len(operand), np.bool_)
    rows = _rows([operand])
    data[rows] = [matches(text) != node.negated for text in operand.data[rows]]
    return strict(data, [operand])
