"""``tailrace backtest``: what a pipeline would have said over recorded input, and how rightly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.cli.columns import aligned
from tailrace.cli.naming import PipelineFirst
from tailrace.cli.preparing import named
from tailrace.cli.printable import one_line
from tailrace.errors import OutputError, TailraceError

if TYPE_CHECKING:
    from tailrace.backtest.history import History
    from tailrace.backtest.report import Report
    from tailrace.plan.model import Plan, Rule
    from tailrace.sources.types import Source

_EPILOG = """\
\b
Examples:
  tailrace backtest pipeline.yaml
  tailrace backtest pipeline.yaml --input 'logs/access-*.ndjson.gz' --html report.html
  tailrace backtest pipeline.yaml --input access.ndjson --truth labels.ndjson \\
      --sweep client_flood.threshold=100..1000:50
  tailrace backtest pipeline.yaml --input access.ndjson --against tuned.yaml --json report.json
"""


@click.command("backtest", cls=PipelineFirst, epilog=_EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="FILE",
    help="Read this file, or files that match the pattern, instead of the pipeline's own source. "
    "Repeatable.",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What really happened: labels of generate, or CSV or JSON lines with key, start, end.",
)
@click.option(
    "--finds",
    multiple=True,
    metavar="RULE=KIND,...",
    help="The kinds of episodes that this rule is to find; without it, all about its key. "
    "Repeatable.",
)
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="RULE.threshold=FIRST..LAST[:STEP]",
    help="What each of these thresholds would have done, in the same pass. RULE.MEASURE or "
    "RULE.NUMBER names one of several comparisons. Repeatable.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="OTHER",
    help="Hold the pipeline file OTHER beside it, over the same input.",
)
@click.option("--from", "begin", metavar="TIME", help="Leave out events before this time.")
@click.option("--until", "end", metavar="TIME", help="Leave out events from this time on.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option("--json", "as_json", metavar="FILE", help="Write the report as JSON; - is stdout.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write it as HTML.")
@click.option("--quiet", "-q", is_flag=True, help="Print no table.")
def command(  # noqa: PLR0913 - one for each option
    pipeline: Path,
    *,
    inputs: tuple[str, ...],
    truth: Path | None,
    finds: tuple[str, ...],
    sweeps: tuple[str, ...],
    against: Path | None,
    begin: str | None,
    end: str | None,
    sets: tuple[str, ...],
    as_json: str | None,
    html: Path | None,
    quiet: bool,
) -> None:
    """Run PIPELINE over recorded input and say what it would have told.

    Nothing is delivered and no store is touched; incidents open, go on and resolve as in a run.
    Without --input the pipeline's own source is read to its present end. TIME is ISO 8601 or
    seconds since 1970, in event time.
    """
    from tailrace.backtest.inputs import source_names
    from tailrace.backtest.reporting import make_report
    from tailrace.backtest.sweep import all_sweeps, parse_sweep
    from tailrace.backtest.truth import read_truth
    from tailrace.plan.compile import check_file

    span = (_time("--from", begin), _time("--until", end))
    wanted = [parse_sweep(text) for text in sweeps]
    known = None if truth is None else read_truth(truth)
    kinds = _finds(finds, truth)
    loaded, plan = check_file(pipeline, sets=sets)
    other = None if against is None else check_file(against)
    swept = all_sweeps(plan, wanted)
    copies = [copy for each in swept for copy in each.copies]
    with named(pipeline, loaded, plan):
        history = _run(plan, _source(plan, inputs, plan), span, copies, quiet=quiet)
    there = None
    if other is not None and against is not None:
        with named(against, *other):
            there = _run(other[1], _source(other[1], inputs, plan), span, quiet=quiet)
    names = tuple(loaded.redact(name) for name in inputs or source_names(plan))
    report = make_report(history, names, truth=known, finds=kinds, sweeps=swept, against=there)
    _write(report, as_json, html)
    if not quiet and as_json != "-":
        _print(report)


def _run(
    plan: Plan,
    source: Source,
    span: tuple[int | None, int | None],
    copies: Sequence[Rule] = (),
    *,
    quiet: bool,
) -> History:
    from tailrace.backtest.running import run
    from tailrace.cli.ticker import ticking
    from tailrace.kernel.time import FOREVER, NEVER

    begin, end = span
    with ticking() as ticker:
        return run(
            plan,
            source,
            copies=copies,
            begin=NEVER if begin is None else begin,
            end=FOREVER if end is None else end,
            progress=None if quiet else ticker.tell,
        )


def _source(plan: Plan, inputs: tuple[str, ...], own: Plan) -> Source:
    """The files given, or the source of ``own``, for ``plan`` to read."""
    if inputs:
        from tailrace.api.inputs import source_of

        return source_of(
            plan, files=inputs, records=None, tables=None, follow=False, until_end=True
        )
    from tailrace.backtest.inputs import history_source

    return history_source(plan, own)


def _finds(given: tuple[str, ...], truth: Path | None) -> dict[str, frozenset[str]]:
    if given and truth is None:
        raise TailraceError("--finds is about the episodes of --truth, which isn't given")
    found: dict[str, frozenset[str]] = {}
    for text in given:
        name, equals, kinds = text.partition("=")
        if not (name and equals and kinds):
            raise TailraceError(
                f"--finds {text}: expected RULE=KIND,...", hint="for example client_flood=flood"
            )
        found[name] = found.get(name, frozenset()) | frozenset(kinds.split(","))
    return found


def _time(option: str, text: str | None) -> int | None:
    from tailrace.generate.options import parse_time_us

    try:
        return None if text is None else parse_time_us(text)
    except ValueError as error:
        raise TailraceError(f"{option}: {error}") from None


def _write(report: Report, as_json: str | None, html: Path | None) -> None:
    if as_json is not None:
        from tailrace.backtest.report_json import report_json

        text = json.dumps(report_json(report), indent=2) + "\n"
        if as_json == "-":
            click.echo(text, nl=False)
        else:
            _put(Path(as_json), text)
    if html is not None:
        from tailrace.backtest.html import report_html

        _put(html, report_html(report))


def _put(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"can't write {path}: {error.strerror}") from error


def _print(report: Report) -> None:
    from tailrace.backtest.report_text import report_lines

    for line in report_lines(report, _aligned):
        click.echo(one_line(line))


def _aligned(rows: Sequence[Sequence[str]], right: frozenset[int]) -> list[str]:
    return aligned([[one_line(cell) for cell in row] for row in rows], right)
