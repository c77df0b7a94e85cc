"""Tokens to the tree as written, by precedence climbing; knows the language's grammar, no types.

From loose to tight: ``or``; ``and``; ``not``; one comparison, ``between``, ``in``, ``like``,
``ilike`` or ``is null``; ``||``; ``+ -``; ``* / // %``; minus; ``::``. Comparisons don't chain.
"""

from __future__ import annotations

from tailrace.expr.lexer import Kind, Token, tokens
from tailrace.expr.nodes import Span
from tailrace.expr.problems import refused
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

MAX_NESTING = 50
"""Parentheses, calls and the like within each other; the parser itself recurses no deeper."""

_OR, _AND, _NOT, _PREDICATE, _JOIN, _SUM, _PRODUCT, _MINUS, _CAST = range(1, 10)

_OPERATORS = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("=", "==", "!=", "<>", "<", "<=", ">", ">="), _PREDICATE),
    **dict.fromkeys(("is", "not", "between", "in", "like", "ilike"), _PREDICATE),
    "||": _JOIN,
    "+": _SUM,
    "-": _SUM,
    **dict.fromkeys(("*", "/", "//", "%"), _PRODUCT),
    "::": _CAST,
}
_SPELLING = {"==": "=", "<>": "!="}

RESERVED = frozenset(
    (
        *("and", "or", "not", "is", "null", "true", "false", "between", "in", "like", "ilike"),
        *("case", "when", "then", "else", "end", "cast", "try_cast"),
        *("select", "exists", "from", "where", "filter", "over", "distinct"),
    )
)
"""Words that name a field only in double quotes."""


def read(text: str) -> Syntax:
    """The tree of ``text``; raises Refused at the first character that doesn't fit."""
    grammar = _Grammar(tokens(text))
    tree = grammar.expression(_OR)
    grammar.finish()
    return tree


class _Grammar:
    """A cursor over tokens; each method reads one construct and stands behind it afterwards."""

    def __init__(self, run: list[Token]) -> None:
        self._run = run
        self._at = 0
        self._nesting = 0

    @property
    def _next(self) -> Token:
        return self._run[self._at]

    def _take(self) -> Token:
        token = self._run[self._at]
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def _sees(self, *words: str) -> bool:
        """Whether the next tokens are these words or symbols."""
        ahead = self._run[self._at : self._at + len(words)]
        return [_sign(token) for token in ahead] == list(words)

    def _accept(self, word: str) -> bool:
        found = self._sees(word)
        if found:
            self._take()
        return found

    def _expect(self, word: str, why: str) -> Token:
        if not self._sees(word):
            message = f"expected '{word}' {why}, found {self._next.shown}"
            raise refused(message, self._next.span)
        return self._take()

    def finish(self) -> None:
        """Nothing may follow the expression."""
        token = self._next
        if token.kind is Kind.END:
            return
        hints = {
            "over": "a rule's window is given by `window`, not inside expressions",
            "as": "measures are named under `select`: {name: expression}",
            "escape": "`%` and `_` have no escape; use contains, starts_with or ends_with",
            "=": "one comparison stands alone; join several with `and`",
        }
        hint = hints.get(token.text.lower())
        raise refused(f"unexpected {token.shown} after the expression", token.span, hint)

    def expression(self, minimum: int) -> Syntax:
        """An operand and the operators behind it that bind at least as tightly as ``minimum``."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            message = f"more than {MAX_NESTING} levels of nesting"
            raise refused(message, self._next.span, "derive fields for the inner parts")
        left = self._prefix(minimum)
        while (level := self._level()) >= minimum:
            left = self._behind(left, level)
            if level == _PREDICATE and self._level() == _PREDICATE:
                hint = "join comparisons with `and`, or put parentheses around one of them"
                raise refused("comparisons can't be chained", self._next.span, hint)
        self._nesting -= 1
        return left

    def _level(self) -> int:
        """How tightly the next token binds as an infix operator; 0 if it is none."""
        return _OPERATORS.get(_sign(self._next), 0)

    def _behind(self, left: Syntax, level: int) -> Syntax:
        operator = self._take()
        word = _sign(operator)
        if level == _CAST:
            target, target_span = self._type()
            return As(_over(left.span, target_span), left, target, target_span)
        if word in ("is", "not", "between", "in", "like", "ilike"):
            return self._predicate(left, operator)
        if word in ("and", "or"):
            return self._joined(left, level)
        right = self.expression(level + 1)
        op = _SPELLING.get(word, word)
        return Infix(_over(left.span, right.span), op, operator.span, left, right)

    def _joined(self, first: Syntax, level: int) -> Syntax:
        """A chain of `and` or of `or` as a balanced tree, however it is bracketed."""
        operator = self._run[self._at - 1]
        word = _sign(operator)
        operands = [first, self.expression(level + 1)]
        while self._accept(word):
            operands.append(self.expression(level + 1))
        return _balanced(
            word, operator.span, [one for all_ in operands for one in _chain(all_, word)]
        )

    def _predicate(self, left: Syntax, operator: Token) -> Syntax:
        word = _sign(operator)
        if word == "is":
            return self._is_null(left)
        negated = word == "not"
        if negated:
            operator = self._take()
            word = _sign(operator)
        if word == "between":
            low = self.expression(_JOIN)
            self._expect("and", "between the bounds of `between`")
            high = self.expression(_JOIN)
            return Between(_over(left.span, high.span), left, low, high, negated)
        if word == "in":
            self._expect("(", "after `in`")
            items, end = self._list()
            return OneOf(_over(left.span, end), left, items, negated)
        if word in ("like", "ilike"):
            pattern = self.expression(_JOIN)
            span = _over(left.span, pattern.span)
            return Matches(span, left, pattern, negated, ignore_case=word == "ilike")
        message = f"expected between, in, like or ilike after `not`, found {operator.shown}"
        raise refused(message, operator.span)

    def _is_null(self, left: Syntax) -> Syntax:
        negated = self._accept("not")
        if not self._sees("null"):
            message = f"expected `null` after `is`, found {self._next.shown}"
            raise refused(message, self._next.span, "compare with = and !=")
        return Missing(_over(left.span, self._take().span), left, negated)

    def _prefix(self, minimum: int) -> Syntax:
        token = self._next
        if _sign(token) == "not":
            if minimum > _NOT:
                raise refused("`not` needs parentheses here", token.span, "write (not ...)")
            self._take()
            operand = self.expression(_NOT)
            return Prefix(_over(token.span, operand.span), "not", operand)
        if _sign(token) == "-":
            self._take()
            number = self._next
            if number.kind is Kind.NUMBER and _sign(self._run[self._at + 1]) != "::":
                self._take()
                return Number(_over(token.span, number.span), "-" + number.text)
            operand = self.expression(_MINUS)
            return Prefix(_over(token.span, operand.span), "-", operand)
        if _sign(token) == "+":
            self._take()
            return self.expression(_MINUS)
        return self._primary()

    def _primary(self) -> Syntax:
        token = self._take()
        span = token.span
        match token.kind:
            case Kind.NUMBER:
                return Number(span, token.text)
            case Kind.TEXT:
                return Text(span, token.text)
            case Kind.QUOTED:
                return self._name(token)
            case Kind.NAME:
                return self._worded(token)
            case _ if token.text == "(":
                inner = self.expression(_OR)
                self._expect(")", "to close the parenthesis")
                return inner
        if token.text == "*":
            hint = "`*` stands between two numbers, or in count(*)"
            raise refused("expected a value, found '*'", span, hint)
        raise refused(f"expected a value, found {token.shown}", span)

    def _worded(self, token: Token) -> Syntax:
        word = token.word or ""
        if word in ("null", "true", "false"):
            return Word(token.span, None if word == "null" else word == "true")
        if word == "case":
            return self._case(token)
        if word in ("cast", "try_cast"):
            return self._cast(token)
        if word in ("select", "exists"):
            hint = "an expression sees one event, or one window of a rule"
            raise refused("queries are not part of expressions", token.span, hint)
        if self._next.kind is Kind.TEXT:
            return self._typed_text(token, word)
        if word in RESERVED:
            hint = f'a field of that name is written "{token.text}"'
            raise refused(f"expected a value, found '{token.text}'", token.span, hint)
        if self._sees("("):
            return self._invocation(token)
        return self._name(token)

    def _name(self, token: Token) -> Syntax:
        name = Name(token.span, token.text, quoted=token.kind is Kind.QUOTED)
        if not self._accept("."):
            return name
        part = self._take()
        if part.kind not in (Kind.NAME, Kind.QUOTED):
            raise refused(f"expected a column's name, found {part.shown}", part.span)
        if self._sees("."):
            hint = "write reference.column"
            raise refused("names have two parts at most", self._next.span, hint)
        return Member(_over(token.span, part.span), name, part.text)

    def _typed_text(self, token: Token, word: str) -> Syntax:
        if word in ("timestamp", "timestamptz"):
            text = self._take()
            return Moment(_over(token.span, text.span), text.text)
        hint = "a point in time is written timestamp '2024-01-01 00:00:00'"
        raise refused(f"unexpected text after '{token.text}'", self._next.span, hint)

    def _case(self, token: Token) -> Syntax:
        operand = None if self._sees("when") else self.expression(_OR)
        branches = []
        while self._accept("when"):
            condition = self.expression(_OR)
            self._expect("then", "after the condition of `when`")
            branches.append((condition, self.expression(_OR)))
        if not branches:
            raise refused(f"expected `when`, found {self._next.shown}", self._next.span)
        default = self.expression(_OR) if self._accept("else") else None
        end = self._expect("end", "to close the case")
        return Choice(_over(token.span, end.span), operand, tuple(branches), default)

    def _cast(self, token: Token) -> Syntax:
        self._expect("(", f"after {token.text}")
        operand = self.expression(_OR)
        self._expect("as", "before the type")
        target, target_span = self._type()
        end = self._expect(")", "to close the cast")
        return As(_over(token.span, end.span), operand, target, target_span)

    def _type(self) -> tuple[str, Span]:
        token = self._take()
        if token.word is None:
            raise refused(f"expected a type, found {token.shown}", token.span)
        if token.word == "double" and self._sees("precision"):
            return "double", _over(token.span, self._take().span)
        return token.word, token.span

    def _invocation(self, name: Token) -> Syntax:
        self._take()
        distinct = self._accept("distinct")
        star = self._sees("*", ")")
        if star:
            self._take()
        args, end = self._list()
        where = None
        if self._sees("filter"):
            self._take()
            self._expect("(", "after filter")
            self._expect("where", "inside filter (...)")
            where = self.expression(_OR)
            end = self._expect(")", "to close the filter").span
        if self._sees("over"):
            raise refused(
                "window functions are not part of expressions",
                self._next.span,
                "a rule's window is given by `window`",
            )
        span = _over(name.span, end)
        return Invocation(span, name.text.lower(), name.span, args, star, distinct, where)

    def _list(self) -> tuple[tuple[Syntax, ...], Span]:
        """Expressions up to the closing parenthesis, and that parenthesis."""
        items: list[Syntax] = []
        if self._sees(")"):
            return (), self._take().span
        while True:
            items.append(self.expression(_OR))
            if not self._accept(","):
                return tuple(items), self._expect(")", "or ',' in the list").span


def _chain(tree: Syntax, op: str) -> list[Syntax]:
    """The operands of a chain that parentheses held together."""
    if isinstance(tree, Infix) and tree.op == op:
        return [*_chain(tree.left, op), *_chain(tree.right, op)]
    return [tree]


def _balanced(op: str, op_span: Span, operands: list[Syntax]) -> Syntax:
    if len(operands) == 1:
        return operands[0]
    half = (len(operands) + 1) // 2
    left = _balanced(op, op_span, operands[:half])
    right = _balanced(op, op_span, operands[half:])
    return Infix(_over(left.span, right.span), op, op_span, left, right)


def _sign(token: Token) -> str:
    """What a token is to the grammar: its symbol or lower-case word; nothing for values."""
    if token.kind is Kind.SYMBOL:
        return token.text
    return token.word or ""


def _over(first: Span, last: Span) -> Span:
    return Span(first.start, last.end)
