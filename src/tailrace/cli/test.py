"""``tailrace test``: run the rule tests of a pipeline on the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.errors import OutputError, Problem, TailraceError

if TYPE_CHECKING:
    from tailrace.testing.case import Case
    from tailrace.testing.runner import Result


@click.command("test")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML.")
@click.option("-k", "pattern", default="", help="Run only cases whose name has this in it.")
def command(files: tuple[Path, ...], junit: Path | None, pattern: str) -> int:
    """Run the rule tests in FILES.

    A test gives rows with times, and says which alerts, windows and counts must come of them; no
    source is read and nothing is sent. Exit code 0: all passed, 1: some failed, 2: a file is wrong.
    """
    cases = [case for case in read(files) if pattern.lower() in case.name.lower()]
    if not cases:
        raise TailraceError(f"no case has {pattern!r} in its name")
    results = []
    for result in run(cases):
        results.append(result)
        show(result)
    failed = sum(not result.passed for result in results)
    passed = len(results) - failed
    click.echo(f"{passed} passed" + (f", {failed} failed" if failed else ""))
    if junit is not None:
        write_junit(junit, results)
    return 1 if failed else 0


def read(files: tuple[Path, ...]) -> list[Case]:
    """Read all files; raises CaseFileError with the problems of all of them."""
    from tailrace.testing.case import CaseFileError
    from tailrace.testing.format import load

    cases: list[Case] = []
    problems: list[Problem] = []
    for path in files:
        try:
            cases.extend(load(path))
        except CaseFileError as error:
            problems.extend(error.problems)
    if problems:
        raise CaseFileError(problems=tuple(problems))
    return cases


def run(cases: list[Case]) -> Iterator[Result]:
    """Run cases on the embedded engine."""
    from tailrace.engines.embedded.testing import embedded_engine
    from tailrace.testing.runner import run as run_cases

    return run_cases(cases, embedded_engine())


def show(result: Result) -> None:
    """Print a line for a case, and the diffs of a failed one."""
    mark = click.style("ok    ", fg="green") if result.passed else click.style("FAILED", fg="red")
    click.echo(f"{mark} {result.case.where.file}: {result.case.name}")
    for failure in result.failures:
        click.echo("\n".join(f"  {line}" for line in failure.render().splitlines()))


def write_junit(path: Path, results: list[Result]) -> None:
    """Write the results as JUnit XML; raises OutputError if the file can't be written."""
    from tailrace.testing.junit import junit

    try:
        path.write_text(junit(results), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"can't write {path}: {error.strerror}") from error
