"""What is known of a scalar function: its types, its meaning as SQL, when it fails, its docs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tailrace.expr.nodes import Call, Literal, Node, Type

SqlMaker = Callable[[Call, Sequence[str]], str]
Check = Callable[[Literal], str | None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``type`` None stands for any type, the same for all such parameters.

    ``check`` makes it a literal: it gives the complaint about one, or None.
    """

    name: str
    type: Type | None = None
    optional: bool = False
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to call a function.

    ``result`` None: the common type of the parameters of any type.
    ``sql``: a template with ``{0}``, ``{1}``, ... for the arguments, or what makes the SQL; it
    never raises and gives null for a failure.
    ``fails``: when a call with arguments that aren't null gives null as a failure; None: never.
    ``strict``: null as soon as one argument is null.
    ``repeats``: the last parameter may be given any number of times.
    ``agree``: gives the complaint about literals that don't fit each other, or None.
    """

    parameters: tuple[Parameter, ...]
    result: Type | None
    sql: str | SqlMaker
    fails: str | None = None
    strict: bool = True
    repeats: bool = False
    agree: Callable[[Sequence[Node]], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A scalar function; the first variant whose parameters fit the arguments is taken.

    ``example`` is an expression over literals and ``gives`` its value, both shown in the docs.
    ``row_only``: not at window level, where hostile keys would meet a backtracking matcher.
    """

    name: str
    variants: tuple[Variant, ...]
    doc: str
    example: str
    gives: str
    row_only: bool = False


def whole_number(least: int, most: int, *but: int) -> Check:
    """A check for integer literals from ``least`` to ``most``, some values excepted."""

    def check(literal: Literal) -> str | None:
        value = literal.value
        if isinstance(value, int) and least <= value <= most and value not in but:
            return None
        return f"a whole number from {least} to {most}" + "".join(f", not {no}" for no in but)

    return check


def some_text(literal: Literal) -> str | None:
    """A check for text literals that aren't empty."""
    return None if literal.value else "a text that is not empty"
