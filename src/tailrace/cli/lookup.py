"""``tailrace lookup``: is a key listed, since when, why, until when."""

from __future__ import annotations

from pathlib import Path

import click

from tailrace.cli.asking import asked, check_lists
from tailrace.cli.finding import find_store
from tailrace.cli.naming import names_a_file

EXIT_NOT_LISTED = 1

_EPILOG = """\
\b
Examples:
  tailrace lookup 203.0.113.7
  tailrace lookup client_ip=203.0.113.7 account=7 --list bots
  tailrace lookup pipeline.yaml 203.0.113.7 --json
\b
Exit codes: 0 it is listed; 1 it isn't; 2 a mistake.
"""


@click.command("lookup", epilog=_EPILOG)
@click.argument("key", nargs=-1, required=True, metavar="[PIPELINE] KEY...")
@click.option("--list", "name", metavar="NAME", help="In this list only.")
@click.option(
    "--pipeline", "-p", type=click.Path(path_type=Path), metavar="PATH", help="The pipeline."
)
@click.option("--store", type=click.Path(path_type=Path), metavar="PATH", help="The store itself.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="As given to run.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(
    key: tuple[str, ...],
    name: str | None,
    pipeline: Path | None,
    store: Path | None,
    sets: tuple[str, ...],
    *,
    as_json: bool,
) -> int:
    """Say whether KEY is on a list of verdicts: since when, why and until when, by event time.

    KEY is a value, or FIELD=VALUE for each field of the list's key. While the pipeline runs its
    process is asked, afterwards the store. Without PIPELINE the only one in the current folder is
    meant. Times are shown to the millisecond; --json has them whole.
    """
    if pipeline is None and len(key) > 1 and names_a_file(key[0]):
        pipeline, key = Path(key[0]), key[1:]
    from tailrace.engines.lookup import MOST_ROWS, entries, matching, statement

    with asked(find_store(pipeline, store, sets)) as who:
        lists = check_lists(who, name)
        rows, _ = who.query(statement(key, lists, name), MOST_ROWS)
    found = matching(entries(rows["body"].to_pylist()), key)
    listed = any(entry.listed for entry in found)
    if as_json:
        import json

        document = {"listed": listed, "entries": [entry.body for entry in found]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=True))
    elif found:
        from tailrace.cli.verdict_rows import told

        click.echo("\n".join(line for entry in found for line in told(entry)))
    else:
        click.echo("not listed")
    return 0 if listed else EXIT_NOT_LISTED
