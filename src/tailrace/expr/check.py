"""The tree as written to the typed tree: names, types and the whitelist.

Aggregates are typed in ``aggregates``, calls of scalar functions in ``calls``. Problems of sibling
parts are collected, so that one look at an expression finds more than one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tailrace.expr import aggregates, calls, lookups
from tailrace.expr.casts import cast
from tailrace.expr.coercion import coerce, common_type, mismatch, must_be, typed_null
from tailrace.expr.hints import INSTEAD
from tailrace.expr.literals import moment, number
from tailrace.expr.nodes import (
    Binary,
    Case,
    Column,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Span,
    Type,
    Unary,
)
from tailrace.expr.operators import infix, refuse_no_number
from tailrace.expr.parts import size
from tailrace.expr.problems import ExpressionProblem, Refused, did_you_mean, refused
from tailrace.expr.scope import Scope
from tailrace.expr.sqltext import INT64_MIN
from tailrace.expr.syntax import (
    As,
    Between,
    Choice,
    Infix,
    Invocation,
    Matches,
    Member,
    Missing,
    Moment,
    Name,
    Number,
    OneOf,
    Prefix,
    Syntax,
    Text,
    Word,
)

MAX_NODES = 5_000
"""Of the typed tree, in which `between` and `case x when` repeat their operand."""

_NAMES_SHOWN = 12


class Checker:
    """Types the parts of one expression within a scope; raises Refused."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._inside: str | None = None

    @property
    def sees_window(self) -> bool:
        """Whether values are of a whole window here, not of one event."""
        return self._scope.aggregates and self._inside is None

    def all(self, *trees: Syntax) -> tuple[Node, ...]:
        """Each tree typed; the problems of all of them are raised together."""
        nodes: list[Node] = []
        problems: list[ExpressionProblem] = []
        for tree in trees:
            try:
                nodes.append(self.node(tree))
            except Refused as found:
                problems.extend(found.problems)
        if problems:
            raise Refused(*problems)
        return tuple(nodes)

    def node(self, tree: Syntax) -> Node:  # noqa: C901, PLR0911, PLR0912 - one line a construct
        """One tree typed."""
        match tree:
            case Name():
                return self._column(tree)
            case Member():
                return lookups.member(self._scope, tree, sees_window=self.sees_window)
            case Number():
                return number(tree)
            case Text():
                return Literal(type=Type.TEXT, span=tree.span, value=tree.value)
            case Moment():
                return moment(tree)
            case Word():
                kind = Type.NULL if tree.value is None else Type.BOOLEAN
                return Literal(type=kind, span=tree.span, value=tree.value)
            case Prefix():
                return self._prefix(tree)
            case Infix():
                left, right = self.all(tree.left, tree.right)
                return infix(tree.op, left, right, tree.span, tree.op_span)
            case Between():
                return self._between(tree)
            case OneOf():
                return self._one_of(tree)
            case Matches():
                return self._matches(tree)
            case Missing():
                operand = typed_null(self.node(tree.operand), Type.TEXT)
                return IsNull(
                    type=Type.BOOLEAN, span=tree.span, operand=operand, negated=tree.negated
                )
            case Choice():
                return self._choice(tree)
            case As():
                return cast(self.node(tree.operand), tree.target, tree.target_span, tree.span)
            case Invocation():
                return self._invocation(tree)

    @contextmanager
    def inside(self, function: str) -> Iterator[None]:
        """While the argument or filter of an aggregate is typed: all fields, no aggregates."""
        self._inside = function
        try:
            yield
        finally:
            self._inside = None

    def _column(self, name: Name) -> Node:
        scope = self._scope
        kind = scope.columns.get(name.name)
        if kind is None:
            known = ", ".join(list(scope.columns)[:_NAMES_SHOWN])
            more = ", ..." if len(scope.columns) > _NAMES_SHOWN else ""
            guess = INSTEAD.get(name.name.lower()) or did_you_mean(name.name, scope.columns)
            listed = f"fields: {known}{more}" if known else "no field is declared"
            hint = f"{guess} ({listed})" if guess else listed
            raise refused(f"unknown field '{name.name}'", name.span, hint)
        if self.sees_window and name.name not in (scope.keys or ()):
            message = f"'{name.name}' needs an aggregate: a window has many events"
            hint = f"aggregate it, such as max({name.name}), or add {name.name} to `by`"
            raise refused(message, name.span, hint)
        return Column(type=kind, span=name.span, name=name.name)

    def _prefix(self, tree: Prefix) -> Node:
        operand = self.node(tree.operand)
        if tree.op == "not":
            operand = must_be(operand, Type.BOOLEAN, "what `not` turns round")
            return Unary(type=Type.BOOLEAN, span=tree.span, op="not", operand=operand)
        operand = typed_null(operand, Type.INTEGER)
        refuse_no_number(operand, "-")
        if isinstance(operand, Literal) and operand.value not in (None, INT64_MIN):
            value = -operand.value + 0  # type: ignore[operator] # a number, as just checked
            return Literal(type=operand.type, span=tree.span, value=value)
        return Unary(type=operand.type, span=tree.span, op="-", operand=operand)

    def _between(self, tree: Between) -> Node:
        operand, low, high = self.all(tree.operand, tree.low, tree.high)
        _refuse_large(operand, 2, tree.span)
        least = infix(">=", operand, low, tree.span, tree.low.span)
        most = infix("<=", operand, high, tree.span, tree.high.span)
        both = Binary(type=Type.BOOLEAN, span=tree.span, op="and", left=least, right=most)
        if tree.negated:
            return Unary(type=Type.BOOLEAN, span=tree.span, op="not", operand=both)
        return both

    def _one_of(self, tree: OneOf) -> Node:
        operand, *items = self.all(tree.operand, *tree.items)
        if not items:
            raise refused("`in ()` holds for nothing", tree.span, "list at least one value")
        for item in items:
            if not isinstance(item, Literal):
                hint = "join comparisons with `or`"
                raise refused("`in` takes constants only", item.span, hint)
            if item.value is None:
                raise refused("`in` can't look for null", item.span, "add `or ... is null`")
        shared = operand.type
        for item in items:
            both = common_type((shared, item.type))
            if both is None:
                raise mismatch(operand, item)
            shared = both
        literals = tuple(coerce(item, shared) for item in items)
        return In(
            type=Type.BOOLEAN,
            span=tree.span,
            operand=coerce(operand, shared),
            items=tuple(item for item in literals if isinstance(item, Literal)),
            negated=tree.negated,
        )

    def _matches(self, tree: Matches) -> Node:
        word = "ilike" if tree.ignore_case else "like"
        operand, pattern = self.all(tree.operand, tree.pattern)
        operand = must_be(operand, Type.TEXT, f"what `{word}` looks at")
        if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
            hint = "contains, starts_with and ends_with take any text"
            raise refused(f"the pattern of `{word}` must be a quoted text", pattern.span, hint)
        return Like(
            type=Type.BOOLEAN,
            span=tree.span,
            operand=operand,
            pattern=pattern.value,
            negated=tree.negated,
            ignore_case=tree.ignore_case,
        )

    def _choice(self, tree: Choice) -> Node:
        conditions = self.all(*(condition for condition, _ in tree.branches))
        if tree.operand is None:
            conditions = tuple(
                must_be(condition, Type.BOOLEAN, "the condition of `when`")
                for condition in conditions
            )
        else:
            operand = self.node(tree.operand)
            _refuse_large(operand, len(conditions), tree.span)
            conditions = tuple(
                infix("=", operand, value, value.span, value.span) for value in conditions
            )
        values = self.all(*(value for _, value in tree.branches))
        default: Node = Literal(type=Type.NULL, span=tree.span, value=None)
        if tree.default is not None:
            default = self.node(tree.default)
        shared = _shared_type((*values, default))
        branches = tuple(
            (condition, coerce(value, shared))
            for condition, value in zip(conditions, values, strict=True)
        )
        return Case(type=shared, span=tree.span, branches=branches, default=coerce(default, shared))

    def _invocation(self, tree: Invocation) -> Node:
        if tree.name == lookups.KNOWN:
            return lookups.known(self._scope, tree, sees_window=self.sees_window)
        if tree.name not in aggregates.NAMES:
            return calls.call(self, tree)
        if self._inside is not None:
            message = f"{tree.name} can't stand inside {self._inside}"
            raise refused(message, tree.span, "aggregates don't nest")
        if not self._scope.aggregates:
            hint = "aggregates belong into `when` and `select` of a rule with a `window`"
            raise refused(f"{tree.name} is an aggregate; here is one event", tree.span, hint)
        return aggregates.typed(self, tree)


def _shared_type(nodes: tuple[Node, ...]) -> Type:
    first = next((node for node in nodes if node.type is not Type.NULL), nodes[0])
    shared = first.type
    for node in nodes:
        both = common_type((shared, node.type))
        if both is None:
            raise mismatch(first, node)
        shared = both
    return shared


def _refuse_large(operand: Node, copies: int, span: Span) -> None:
    if size(operand) * copies > MAX_NODES:
        raise refused("the expression is too large", span, "derive fields for its parts")
