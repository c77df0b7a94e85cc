"""The typed syntax tree of the expression language: small frozen nodes, one class each.

What a node means as SQL, as NumPy or as text lives in its own module beside this one; nothing
here computes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction


class Type(StrEnum):
    """The types of values; ``NULL`` is only the type of the literal ``null``."""

    TEXT = "text"
    INTEGER = "integer"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    TIME = "time"
    NULL = "null"


class AggregateFunction(StrEnum):
    """The aggregate functions of the language."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"
    QUANTILE = "quantile"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``[start, end)`` of the expression's text, from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    type: Type
    span: Span = field(default=Span(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal(_Base):
    """A constant; ``value`` is a Python value of the type (TIME: microseconds since the epoch)."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column(_Base):
    """A declared or derived field of the event, or a key field at window level."""

    name: str


@dataclass(frozen=True, slots=True)
class Lookup(_Base):
    """``reference.column``: a value of the row of a reference that matches; null without one.

    ``column`` None: ``known(reference)``, whether a row matches.
    """

    reference: str
    column: str | None

    @property
    def name(self) -> str:
        """The column that has the values, beside those of events or of windows.

        No field can have such a name.
        """
        return f"_lookup {self.reference}" + ("" if self.column is None else f".{self.column}")


@dataclass(frozen=True, slots=True)
class Unary(_Base):
    """``op`` is ``-`` or ``not``."""

    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(_Base):
    """``op`` is one of ``+ - * / // % || = != < <= > >= and or``; both operands have one type."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call(_Base):
    """A scalar function of the whitelist, by its lower-case name."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Case(_Base):
    """``case when c1 then v1 ... else d end`` (the form with an operand is rewritten to this)."""

    branches: tuple[tuple[Node, Node], ...]
    default: Node


@dataclass(frozen=True, slots=True)
class Cast(_Base):
    """``cast(operand as type)``; what can't be cast gives null and counts as an error of the rule.

    ``implicit`` marks the widening from integer to double by the type checker; it can't fail.
    """

    operand: Node
    implicit: bool = False


@dataclass(frozen=True, slots=True)
class In(_Base):
    """``operand [not] in (literals)``."""

    operand: Node
    items: tuple[Literal, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like(_Base):
    """``operand [not] like|ilike pattern``, the pattern a literal with ``%`` and ``_``."""

    operand: Node
    pattern: str
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class IsNull(_Base):
    """``operand is [not] null``."""

    operand: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate(_Base):
    """An aggregate over the events of a window; ``count(*)`` has no ``arg``.

    ``where`` is the condition of ``filter (where ...)``; ``q`` the exact rank of ``quantile``.
    """

    function: AggregateFunction
    arg: Node | None = None
    where: Node | None = None
    distinct: bool = False
    q: Fraction | None = None


Node = (
    Literal | Column | Lookup | Unary | Binary | Call | Case | Cast | In | Like | IsNull | Aggregate
)
