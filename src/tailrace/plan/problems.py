"""Collecting the problems of a pipeline while it is compiled, each at its place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.errors import Problem, TailraceError
from tailrace.expr.parse import parse
from tailrace.expr.problems import ExpressionError
from tailrace.plan import templates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailrace.config import Positions
    from tailrace.expr.nodes import Node
    from tailrace.expr.scope import Scope

Path = tuple[str | int, ...]


class Problems:
    """The problems found so far, and the file's positions to say where."""

    def __init__(self, positions: Positions) -> None:
        """Start without problems."""
        self._positions = positions
        self.found: list[Problem] = []

    def add(
        self, path: Path, message: str, hint: str | None = None, offset: int | None = None
    ) -> None:
        """Note a problem of the value at ``path``."""
        self.found.append(Problem(message, self._positions.where(path, offset), hint))

    def parse(self, path: Path, text: str, scope: Scope) -> Node | None:
        """The expression at ``path``; None if it is wrong, its problems being noted."""
        try:
            return parse(text, scope)
        except ExpressionError as error:
            for problem in error.problems:
                self.add(path, problem.message, problem.hint, problem.span.start)
            return None

    def template(self, path: Path, text: str, known: Iterable[str]) -> None:
        """Check a template's syntax and that it only uses known names."""
        try:
            names = templates.parse(text).names
        except TailraceError as error:
            for problem in error.problems:
                self.add(path, problem.message, problem.hint)
            return
        choices = sorted(set(known))
        for name in names:
            if name not in choices:
                self.add(path, f"{{{name}}} is not known here", f"known are {', '.join(choices)}")
