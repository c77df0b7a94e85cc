"""Errors meant for the person who must act: what is wrong, where, and what to do.

Only errors of this family cross the public interface for a user's mistake; anything else that
escapes is a defect.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file that a user wrote; line and column count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Render as ``file:line:column``, as compilers do."""
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with its place and, where there is one, the way out."""

    message: str
    where: Where | None = None
    hint: str | None = None

    def render(self) -> str:
        """Text for a terminal: ``where: message`` and an indented hint below."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  Hint: {self.hint}" if self.hint else head


class TailraceError(Exception):
    """Base of all errors that a user can cause and mend; carries one or more problems."""

    exit_code = 2

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        where: Where | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Take one message, or several problems found at once."""
        if message is not None:
            problems = (Problem(message, where, hint), *problems)
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))

    def render(self) -> str:
        """Text for a terminal, one problem after another."""
        return "\n".join(problem.render() for problem in self.problems)


class PipelineError(TailraceError):
    """The pipeline file (or a pipeline built in Python) is wrong; every problem found is listed."""


class SourceError(TailraceError):
    """An input is missing, unreadable or not what it was."""


class GoneError(SourceError):
    """An input that comes once, and what is asked for has come."""


class AwayError(SourceError):
    """An input can't be asked now; what it has may well be there."""


class StoreError(TailraceError):
    """The store is locked, corrupt, of another format version, or of another pipeline."""


class OutputError(TailraceError):
    """An output can't take what it is given."""


class UnreachableError(OutputError):
    """A server can't be asked now; it may be there later."""


class HaltedError(OutputError):
    """An output can't go on without a person's decision."""


class TableError(TailraceError):
    """A reference can't be loaded, or what was loaded can't be its table."""
