"""``tailrace outbox``: what waits for outputs; giving up what nobody will take any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.cli.asking import asked
from tailrace.cli.columns import aligned, number, size
from tailrace.cli.finding import find_pipeline, find_store
from tailrace.cli.naming import PipelineFirst
from tailrace.cli.printable import one_line
from tailrace.errors import StoreError, TailraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.engines.status import OutputStatus

_EPILOG = """\
\b
Examples:
  tailrace outbox list pipeline.yaml
  tailrace outbox drop pipeline.yaml --to old_topic
"""

_pipeline_or_here = click.argument("pipeline", required=False, type=click.Path(path_type=Path))
_sets = click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value.")
_store = click.option(
    "--store", type=click.Path(path_type=Path), help="The store, if not that of the pipeline."
)


@click.group("outbox", epilog=_EPILOG)
def command() -> None:
    """Show the rows that wait for outputs; drop those of outputs that are gone.

    'list' works while the pipeline runs, too.
    """


@command.command("list", cls=PipelineFirst)
@_pipeline_or_here
@_sets
@_store
def list_(pipeline: Path | None, sets: tuple[str, ...], store: Path | None) -> None:
    """Show what waits for each output."""
    with asked(find_store(pipeline, store, sets)) as who:
        waiting = [output for output in who.status().outputs if output.waiting_rows]
    click.echo("\n".join(aligned(_rows(waiting), right=(2, 3))) if waiting else "nothing waits")


def _rows(waiting: list[OutputStatus]) -> Iterator[tuple[str, ...]]:
    yield "", "kind", "rows", "bytes"
    for each in waiting:
        yield one_line(each.name), each.kind, number(each.waiting_rows), size(each.waiting_bytes)


@command.command("drop", cls=PipelineFirst)
@_pipeline_or_here
@click.option("--to", "output", required=True, help="The output, which the file no longer has.")
@_sets
@_store
def drop(pipeline: Path | None, output: str, sets: tuple[str, ...], store: Path | None) -> None:
    """Drop the rows that wait for an output which was taken out of the pipeline file.

    They are gone then. To have them delivered instead, put the output back and run the pipeline.
    The pipeline must not be running.
    """
    from tailrace.plan.compile import check_file
    from tailrace.store.reading import StoreInUseError
    from tailrace.store.store import Store

    loaded, plan = check_file(find_pipeline(pipeline), sets=sets)
    if output in plan.config.outputs:
        raise TailraceError(
            f"the output {output} is in {pipeline}: a run delivers what waits for it",
            hint="take it out of the file first, if nobody is to have these rows",
        )
    path = loaded.store_path if store is None else store
    if not path.is_file():
        raise StoreError(f"there is no store at {path}", hint="it is made by the first run")
    try:
        opened = Store.open(path, plan.name)
    except StoreInUseError as error:
        raise StoreInUseError(
            f"{path} is in use by a process that runs the pipeline",
            hint="stop it, drop, and start it again: it goes on where it was",
        ) from error
    try:
        dropped = opened.drop_waiting(output)
    finally:
        opened.close()
    if not dropped.rows:
        hint = f"see: tailrace outbox list {pipeline}"
        raise TailraceError(f"nothing waits for an output {output}", hint=hint)
    click.echo(f"{number(dropped.rows)} rows dropped, {size(dropped.bytes)}")
