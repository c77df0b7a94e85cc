"""The tree as written, before types: what the grammar makes and the type checker reads.

Nothing here knows fields, functions or types; ``nodes`` has the typed tree that all others use.
"""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.expr.nodes import Span


@dataclass(frozen=True, slots=True)
class Name:
    """A field's name."""

    span: Span
    name: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """``owner.name``: a column of a reference."""

    span: Span
    owner: Name
    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, perhaps with a minus sign."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text."""

    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Moment:
    """``timestamp '...'``; ``value`` is what stands in the quotes."""

    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Word:
    """``true``, ``false`` or ``null``."""

    span: Span
    value: bool | None


@dataclass(frozen=True, slots=True)
class Prefix:
    """``- x`` or ``not x``."""

    span: Span
    op: str
    operand: Syntax


@dataclass(frozen=True, slots=True)
class Infix:
    """Two operands; ``op`` as in ``nodes.Binary``, ``op_span`` the operator's characters."""

    span: Span
    op: str
    op_span: Span
    left: Syntax
    right: Syntax


@dataclass(frozen=True, slots=True)
class Between:
    """``operand [not] between low and high``."""

    span: Span
    operand: Syntax
    low: Syntax
    high: Syntax
    negated: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """``operand [not] in (items)``."""

    span: Span
    operand: Syntax
    items: tuple[Syntax, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Matches:
    """``operand [not] like|ilike pattern``."""

    span: Span
    operand: Syntax
    pattern: Syntax
    negated: bool
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """``operand is [not] null``."""

    span: Span
    operand: Syntax
    negated: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """``case [operand] when c then v ... [else d] end``."""

    span: Span
    operand: Syntax | None
    branches: tuple[tuple[Syntax, Syntax], ...]
    default: Syntax | None


@dataclass(frozen=True, slots=True)
class As:
    """``cast(operand as type)``, ``try_cast(...)`` or ``operand::type``."""

    span: Span
    operand: Syntax
    target: str
    target_span: Span


@dataclass(frozen=True, slots=True)
class Invocation:
    """``name([distinct] args | *) [filter (where ...)]``."""

    span: Span
    name: str
    name_span: Span
    args: tuple[Syntax, ...]
    star: bool = False
    distinct: bool = False
    where: Syntax | None = None


Syntax = (
    Name
    | Member
    | Number
    | Text
    | Moment
    | Word
    | Prefix
    | Infix
    | Between
    | OneOf
    | Matches
    | Missing
    | Choice
    | As
    | Invocation
)
