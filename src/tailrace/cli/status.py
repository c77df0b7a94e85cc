"""``tailrace status``: how a pipeline stands, running or not."""

from __future__ import annotations

from pathlib import Path

import click

from tailrace.cli.asking import asked
from tailrace.cli.finding import find_store
from tailrace.cli.naming import PipelineFirst

_EPILOG = """\
\b
Examples:
  tailrace status                         # of the only pipeline in this folder
  tailrace status pipeline.yaml
  tailrace status --store .tailrace/nginx.duckdb --json
  watch -n 2 tailrace status pipeline.yaml
"""


@click.command("status", cls=PipelineFirst, epilog=_EPILOG)
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option("--store", type=click.Path(path_type=Path), metavar="PATH", help="The store itself.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="As given to run.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(
    pipeline: Path | None, store: Path | None, sets: tuple[str, ...], *, as_json: bool
) -> None:
    """Show how PIPELINE stands: watermark, counts, state, incidents, outputs, dead letters.

    While it runs the process is asked, through a socket beside the store; afterwards the store.
    Without PIPELINE the only one in the current folder is meant. Times are UTC.
    """
    with asked(find_store(pipeline, store, sets)) as who:
        status = who.status()
    from tailrace.cli.status_view import as_document, lines

    if as_json:
        import json

        click.echo(json.dumps(as_document(status), indent=2, ensure_ascii=True))
    else:
        click.echo("\n".join(lines(status)))
