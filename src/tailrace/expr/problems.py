"""What is wrong with an expression, and at which of its characters."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum, auto
from typing import TYPE_CHECKING

from tailrace.errors import Problem, TailraceError
from tailrace.expr.nodes import Span

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(Enum):
    """What is wrong with an expression, where that may only follow from another mistake."""

    OTHER = auto()
    ALWAYS_NULL = auto()
    NO_REFERENCE = auto()
    NO_MATCH = auto()
    """The window's key hasn't what a reference is found by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionProblem(Problem):
    """One thing that is wrong with an expression; ``span`` holds the offending characters."""

    span: Span = field(default=Span(0, 0))
    kind: Kind = Kind.OTHER


class ExpressionError(TailraceError):
    """An expression can't be used; ``problems`` are those found, ``text`` is the expression."""

    problems: tuple[ExpressionProblem, ...]

    def __init__(self, text: str, problems: tuple[ExpressionProblem, ...]) -> None:
        """Take the expression's text and at least one problem."""
        super().__init__(problems=problems)
        self.problems = problems
        self.text = text

    def render(self) -> str:
        """Each problem below the line of the expression it points into."""
        return "\n".join(
            f"{problem.render()}\n{underline(self.text, problem.span)}" for problem in self.problems
        )


class Refused(Exception):  # noqa: N818 - carries problems up to `parse`, never further
    """Problems, raised where they are found."""

    def __init__(self, *problems: ExpressionProblem) -> None:
        super().__init__(*problems)
        self.problems = problems


def refused(message: str, span: Span, hint: str | None = None, kind: Kind = Kind.OTHER) -> Refused:
    """The exception for one problem."""
    return Refused(ExpressionProblem(message, hint=hint, span=span, kind=kind))


def underline(text: str, span: Span) -> str:
    """The line of ``text`` in which ``span`` begins, with carets below its characters."""
    begin = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    end = len(text) if end < 0 else end
    carets = max(1, min(span.end, end) - span.start)
    return f"    {text[begin:end]}\n    {' ' * (span.start - begin)}{'^' * carets}"


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A question naming the closest of ``known``, or None when none is close."""
    by_folded = {one.lower(): one for one in known}
    close = get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return f"did you mean {by_folded[close[0]]}?" if close else None
