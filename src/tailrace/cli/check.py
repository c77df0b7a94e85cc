"""``tailrace check``: everything that is wrong with pipeline files, or what they will do."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from tailrace.cli.columns import aligned
from tailrace.cli.main import EXIT_ERROR
from tailrace.cli.printable import one_line, printable
from tailrace.errors import Problem, TailraceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailrace.config import CaptureSource, Loaded, PcapSource
    from tailrace.plan.model import AnyRule, Plan
    from tailrace.plan.verdicts import VerdictList

FIELDS_WIDTH = 84

_EPILOG = """\
\b
Examples:
  tailrace check pipeline.yaml
  tailrace check *.yaml
  tailrace check pipeline.yaml --engine spark
  tailrace check pipeline.yaml --set source.file.follow=true --set rules.flood.when='count(*) > 50'
"""


@click.command("check", epilog=_EPILOG)
@click.argument(
    "pipelines", nargs=-1, required=True, metavar="PIPELINE...", type=click.Path(path_type=Path)
)
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option(
    "--engine",
    type=click.Choice(["embedded", "spark"]),
    default="embedded",
    show_default=True,
    help="spark: also what that engine lacks, and what this machine lacks for it.",
)
@click.option("--quiet", "-q", is_flag=True, help="Say only what is wrong.")
def command(pipelines: tuple[Path, ...], sets: tuple[str, ...], *, engine: str, quiet: bool) -> int:
    """Check pipeline files and say everything that is wrong, with file, line and column.

    Nothing is read or written but the files themselves. What is right is told in short: the source,
    the fields, the rules with their windows, the outputs; then what may not be meant so. Exit
    code 0: nothing is wrong (there may be warnings), 2: something is.
    """
    from tailrace.engines.spark.support import refuse
    from tailrace.plan.compile import check_file

    code = 0
    for path in pipelines:
        try:
            loaded, plan = check_file(path, sets=sets)
            if engine == "spark":
                refuse(loaded.config, loaded.positions)
        except TailraceError as error:
            click.echo(printable(error.render()), err=True)
            click.echo(_count(path, len(error.problems)), err=True)
            code = EXIT_ERROR
        else:
            if not quiet:
                click.echo("\n".join([f"{one_line(str(path))}: ok", *summary(loaded, plan)]))
                _warn(warnings(loaded))
    if engine == "spark" and not quiet:
        from tailrace.engines.spark.launching import missing

        _warn(missing())
    return code


def _warn(problems: Iterable[Problem]) -> None:
    for problem in problems:
        mark = click.style("warning: ", fg="yellow")
        click.echo(mark + printable(problem.render()), err=True)


def _count(path: Path, problems: int) -> str:
    return f"{one_line(str(path))}: {problems} {'mistake' if problems == 1 else 'mistakes'}"


def summary(loaded: Loaded, plan: Plan) -> list[str]:
    """What a pipeline does, in a few lines."""
    config = plan.config
    names = {name: type_.value for name, type_ in plan.fields.items()}
    derived = [f"{each.name} ({each.node.type.value}, derived)" for each in plan.derived]
    fields = [*(f"{name} ({kind})" for name, kind in names.items()), *derived]
    rows = [
        ("source", _source(loaded)),
        ("time", f"{_key(config.time.field)}, grace {_duration(plan.grace)}"),
        *_listed("fields", wrap(", ".join(fields), FIELDS_WIDTH)),
        *_listed("looks up", aligned(_references(plan), indent="")),
        *_listed("rules", aligned(map(_rule, plan.every_rule), indent="")),
        *_listed("verdicts", aligned(map(_verdicts, plan.verdicts), indent="")),
        *_listed("archive", [f"every event -> {', '.join(plan.archive)}"] if plan.archive else []),
        *_listed("outputs", aligned(_outputs(plan), indent="")),
        ("store", str(loaded.store_path)),
    ]
    return [one_line(loaded.redact(line)) for line in aligned(rows)]


def warnings(loaded: Loaded) -> Iterator[Problem]:
    """What may not be meant so; what isn't there yet."""
    from tailrace.cli.libraries import missing_libraries
    from tailrace.plan.advice import advice

    yield from sorted(_missing(loaded), key=lambda problem: str(problem.where))
    yield from missing_libraries(loaded)
    yield from advice(loaded)


def _listed(title: str, lines: list[str]) -> list[tuple[str, str]]:
    return [(title if index == 0 else "", line) for index, line in enumerate(lines)]


def _verdicts(wanted: VerdictList) -> tuple[str, ...]:
    after = "the last firing" if wanted.refresh else "the first firing"
    key = ", ".join(name for name, _ in wanted.keys)
    accusing = ", ".join(wanted.rules.values())
    to = f"-> {', '.join(wanted.to)}" if wanted.to else ""
    lasts = f"for {_duration(wanted.for_)} after {after}"
    return wanted.name, f"lists {key}", lasts, f"from {accusing}", to


def _references(plan: Plan) -> list[tuple[str, ...]]:
    """Each reference: what its rows are found by, and where it comes from."""
    return [
        (name, f"by {', '.join(one.key)}" if one.key else "one row", one_line(one.place.told))
        for name, one in plan.config.references.items()
    ]


def _rule(rule: AnyRule) -> tuple[str, ...]:
    from tailrace.expr.render import render
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import EventRule
    from tailrace.plan.ordered_words import described

    if isinstance(rule, Classification):
        labels = ", ".join((*(label.name for label in rule.labels), rule.otherwise))
        to = f"-> {', '.join(rule.outputs)}" if rule.outputs else ""
        return rule.name, "labels", "each event by itself", labels, to
    to = f"-> {', '.join(rule.to)}" if rule.to else "-> nowhere"
    if isinstance(rule, EventRule):
        to = to if rule.to else "-> terminal"
        return rule.name, "alert", "each event by itself", "", to
    window = rule.window
    if rule.ordered is not None:
        shown = described(rule.ordered)
    else:
        every = "" if window.every == window.size else f" every {_duration(window.every)}"
        panes = window.size // window.width
        counted = f" ({panes} panes of {_duration(window.width)})" if panes > 1 else ""
        shown = f"{_duration(window.size)}{every}{counted}"
    keys = ", ".join(
        key.name if render(key.node) == key.name else f"{key.name} = {render(key.node)}"
        for key in rule.keys
    )
    kind = "alert" if rule.alert else "record"
    if not rule.to and rule.alert:
        to = "-> terminal, table incidents"
    by = f"by {keys}" if keys else "all together"
    return rule.name, kind, shown, by, to


def _outputs(plan: Plan) -> Iterator[tuple[str, ...]]:
    for name, output in plan.config.outputs.items():
        rows = "every window" if output.rows == "windows" else ""
        yield name, one_line(output.target.told), rows


def _source(loaded: Loaded) -> str:
    from tailrace.config import (
        CaptureSource,
        FileSource,
        FolderSource,
        HttpSource,
        KafkaSource,
        PcapSource,
        StdinSource,
    )

    source = loaded.config.source
    if isinstance(source, StdinSource):
        return "standard input, to its end"
    if isinstance(source, HttpSource):
        return f"what is sent to http://{source.listen}{source.path}"
    if isinstance(source, KafkaSource):
        topics = ", ".join(source.topics)
        return f"kafka {topics} at {source.bootstrap}, from {source.start}, followed"
    if isinstance(source, PcapSource | CaptureSource):
        return _packets(source)
    how = "followed" if source.follow else "to the end"
    if isinstance(source, FolderSource):
        return f"folder {source.path}, files {source.pattern}, {how}"
    assert isinstance(source, FileSource)  # noqa: S101 - there is no other
    return f"file {', '.join(source.paths)}, {how}"


def _packets(source: PcapSource | CaptureSource) -> str:
    from tailrace.config import CaptureSource

    if not isinstance(source, CaptureSource):
        return f"packets of {', '.join(source.paths)}, to the end"
    which = ", ".join(source.interfaces)
    return f"packets on {'all interfaces' if which == 'all' else which}, live"


def _missing(loaded: Loaded) -> Iterator[Problem]:
    """Paths of the source at which there is nothing now."""
    from tailrace.config import FileSource, FolderSource, PcapSource
    from tailrace.sources.paths import has_pattern, matches

    source = loaded.config.source
    if isinstance(source, FileSource | PcapSource):
        kind, paths = source.kind, source.paths
    elif isinstance(source, FolderSource):
        kind, paths = "folder", (source.path,)
    else:
        return
    followed = not isinstance(source, PcapSource) and source.follow
    end = "it is waited for" if followed else "a run would refuse that"
    what = "folder" if kind == "folder" else "file"
    for path in paths:
        there = matches(path) if what == "file" and has_pattern(path) else os.path.lexists(path)
        if not there:
            where = loaded.positions.where(("source", kind, "path"))
            yield Problem(f"there is no {what} {one_line(path)} now; {end}", where)


def _key(key: str | tuple[str, ...]) -> str:
    return key if isinstance(key, str) else " > ".join(key)


def _duration(micros: int) -> str:
    from tailrace.config.units import render_duration

    return render_duration(micros)
