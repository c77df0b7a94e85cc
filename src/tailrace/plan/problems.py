"""Collecting the problems of a pipeline while it is compiled, each at its place in the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tailrace.errors import Problem, TailraceError
from tailrace.expr.parse import parse
from tailrace.expr.problems import ExpressionError, Kind
from tailrace.plan import templates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailrace.config import Positions
    from tailrace.expr.nodes import Node
    from tailrace.expr.scope import Scope

Path = tuple[str | int, ...]


class Problems:
    """The problems found so far, and the file's positions to say where.

    ``doubtful``: columns that are wrong themselves, and so have the type null in scopes; that an
    expression over them is always null is no problem of its own. References that are wrong are
    doubtful, too. ``keyless``: rules, by path, whose key is wrong: what is matched with the key
    can't be judged.
    """

    def __init__(self, positions: Positions, doubtful: Iterable[str] = ()) -> None:
        """Start without problems."""
        self._positions = positions
        self.doubtful = set(doubtful)
        self.keyless: set[Path] = set()
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
                if not self._follows(problem.kind, text, path):
                    self.add(path, problem.message, problem.hint, problem.span.start)
            return None

    def _follows(self, kind: Kind, text: str, path: Path) -> bool:
        """Whether a problem is only the consequence of one that is told elsewhere."""
        match kind:
            case Kind.NO_MATCH:
                return path[:2] in self.keyless
            case Kind.ALWAYS_NULL | Kind.NO_REFERENCE:
                return self._mentions_doubtful(text)
            case Kind.OTHER:
                return False

    def _mentions_doubtful(self, text: str) -> bool:
        words = {word.lower() for word in re.findall(r"\w+", text)}
        return any(name.lower() in words for name in self.doubtful)

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
