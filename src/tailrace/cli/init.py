"""``tailrace init``: make what a pipeline needs on its servers; what is there stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.cli.finding import find_pipeline
from tailrace.cli.naming import PipelineFirst
from tailrace.cli.preparing import with_name
from tailrace.cli.printable import one_line, printable
from tailrace.errors import Problem, TailraceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailrace.outputs.preparing import Preparation, Step

EXIT_DIFFERS = 1
"""Something is there and is not as the pipeline says; only a person can change it."""

_EPILOG = """\
\b
Examples:
  tailrace init pipeline.yaml
  tailrace init pipeline.yaml --plan
\b
Exit codes: 0; 1 if something that is there differs; 2 for a mistake, or a server that can't be
asked or refuses.
"""


@click.command("init", cls=PipelineFirst, epilog=_EPILOG)
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option("--plan", is_flag=True, help="Make nothing; only say what would be made.")
def command(pipeline: Path | None, sets: tuple[str, ...], *, plan: bool) -> int:
    """Make what PIPELINE needs on its servers: topics, indices, tables.

    What is there is never changed and never removed. Where it differs from what the pipeline says,
    the commands are printed that a person would have to run. Without PIPELINE the only one in the
    current folder is meant.
    """
    from tailrace.engines.preparing import preparations
    from tailrace.plan.compile import check_file

    path = find_pipeline(pipeline)
    loaded, checked = check_file(path, sets=sets)
    work = _Work(loaded.redact, plan=plan)
    for title, preparation in preparations(checked):
        work.do(title, preparation)
    if work.problems:
        hinted = (
            replace(p, hint=None if p.hint is None else with_name(p.hint, path))
            for p in work.problems
        )
        raise TailraceError(problems=tuple(hinted))
    if not work.seen:
        click.echo(f"{one_line(str(path))} needs nothing to be made")
    return EXIT_DIFFERS if work.differs else 0


class _Work:
    """Goes through steps, tells of each, and remembers what went wrong."""

    def __init__(self, redact: Callable[[str], str], *, plan: bool) -> None:
        self._redact = redact
        self._plan = plan
        self.seen: set[str] = set()
        self.problems: list[Problem] = []
        self.differs = False

    def do(self, title: str, preparation: Preparation | TailraceError) -> None:
        """Inspect, make what is missing, and tell."""
        try:
            if isinstance(preparation, TailraceError):
                raise preparation
            for step in preparation.inspect():
                # Two outputs may share a topic.
                if step.target not in self.seen:
                    self.seen.add(step.target)
                    self._step(preparation, step)
        except TailraceError as error:
            self.problems += [
                Problem(
                    self._redact(f"{title}: {problem.message}"),
                    problem.where,
                    None if problem.hint is None else self._redact(problem.hint),
                )
                for problem in error.problems
            ]

    def _step(self, preparation: Preparation, step: Step) -> None:
        from tailrace.outputs.preparing import StepState

        match step.state:
            case StepState.PRESENT:
                word, colour = "there", None
            case StepState.DIFFERS:
                word, colour = "differs", "yellow"
                self.differs = True
            case StepState.MISSING if self._plan:
                word, colour = "missing", "yellow"
            case StepState.MISSING:
                preparation.create(step)
                word, colour = "made", "green"
        text = f"{one_line(self._redact(step.target))}: {printable(self._redact(step.detail))}"
        click.echo(f"{click.style(f'{word:<8}', fg=colour)} {text}")
        for line in step.by_hand:
            click.echo(f"           {printable(self._redact(line))}")
