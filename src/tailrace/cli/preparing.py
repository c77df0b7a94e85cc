"""Mistakes at a start, told with the file's name; what servers lack is told all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tailrace.errors import Problem, TailraceError

if TYPE_CHECKING:
    from pathlib import Path

    from tailrace.config import Loaded
    from tailrace.plan.model import Plan

_INIT = "tailrace init"
_FILE = "PIPELINE"
"""Stands in hints for the file, whose name is not known where they are written."""


@contextmanager
def named(path: Path, loaded: Loaded, plan: Plan) -> Iterator[None]:
    """Add to errors raised inside what else is missing, and the file's name to their hints."""
    try:
        yield
    except TailraceError as error:
        problems = list(error.problems)
        if any(_INIT in (problem.hint or "") for problem in problems):
            problems += _also_missing(problems, loaded, plan)
        error.problems = tuple(_with_name(problem, path) for problem in problems)
        raise


def with_name(text: str, path: Path) -> str:
    """A hint with the name of the file in it."""
    return text.replace(_FILE, str(path))


def _with_name(problem: Problem, path: Path) -> Problem:
    if problem.hint is None:
        return problem
    return replace(problem, hint=with_name(problem.hint, path))


def _also_missing(known: list[Problem], loaded: Loaded, plan: Plan) -> Iterator[Problem]:
    from tailrace.engines.preparing import preparations
    from tailrace.outputs.preparing import StepState

    told = "\n".join(problem.message for problem in known)
    for title, preparation in preparations(plan):
        if isinstance(preparation, TailraceError):
            continue
        try:
            steps = preparation.inspect()
        except TailraceError:
            continue
        for step in steps:
            target = loaded.redact(step.target)
            if step.state is StepState.MISSING and step.target not in told:
                told += f"\n{step.target}"
                yield Problem(f"{title}: there is no {target} either")
