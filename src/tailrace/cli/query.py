"""``tailrace query``: SQL over a pipeline's store, while it runs and after."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.cli.asking import asked
from tailrace.cli.finding import find_store
from tailrace.cli.naming import names_a_file

if TYPE_CHECKING:
    import pyarrow as pa

    from tailrace.cli.asking import Asked

MOST_ROWS = 1_000_000

TABLES = """
select table_name, string_agg(column_name, ', ' order by column_index)
from duckdb_columns()
where not starts_with(table_name, 'tailrace_') and not starts_with(table_name, 'panes_')
  and not starts_with(table_name, 'side_') and not internal
group by table_name order by table_name
"""

_EPILOG = """\
\b
Examples:
  tailrace query                                     # which tables there are
  tailrace query "select rule, key, opened_at from incidents where state = 'firing'"
  tailrace query "select code, count(*) from dead_letters group by code" pipeline.yaml
  tailrace query "from goal1" --store .tailrace/nginx.duckdb --format csv > goal1.csv
"""


@click.command("query", epilog=_EPILOG)
@click.argument("sql", required=False)
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option(
    "--pipeline",
    "-p",
    "named",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="As PIPELINE.",
)
@click.option("--store", type=click.Path(path_type=Path), metavar="PATH", help="The store itself.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="As given to run.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="json: an object for each row, one a line.",
)
@click.option("--rows", type=click.IntRange(1, MOST_ROWS), default=MOST_ROWS, metavar="N")
@click.option("--tables", is_flag=True, help="List the tables and their columns.")
def command(  # noqa: PLR0913 - one for each option
    sql: str | None,
    pipeline: Path | None,
    named: Path | None,
    store: Path | None,
    sets: tuple[str, ...],
    *,
    form: str,
    rows: int,
    tables: bool,
) -> None:
    """Answer one reading statement from the store of PIPELINE; without SQL, list its tables.

    Tables: incidents, dead_letters, and those that the pipeline's outputs make. What is seen is the
    last finished epoch. At most N rows (a million) are printed. Times are UTC.
    """
    if sql is not None and pipeline is None and (tables or names_a_file(sql)):
        pipeline, sql = Path(sql), None
    pipeline = named or pipeline
    with asked(find_store(pipeline, store, sets)) as who:
        table, cut = who.query(_counting(who) if sql is None or tables else sql, rows)
    _write(table, form)
    if cut:
        click.echo(f"there are more rows; these are the first {table.num_rows:,}", err=True)


def _counting(who: Asked) -> str:
    """A statement that lists the tables, their rows and columns."""
    listed, _ = who.query(TABLES, MOST_ROWS)
    names, columns = (listed.column(place).to_pylist() for place in (0, 1))
    parts = [
        f'select {_text(name)} as "table", (select count(*) from {_quoted(name)}) as "rows", '
        f'{_text(fields)} as "columns"'
        for name, fields in zip(names, columns, strict=True)
    ]
    return " union all ".join(parts)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _write(table: pa.Table, form: str) -> None:
    from tailrace.cli import rows

    terminal = sys.stdout.isatty()
    match form:
        case "json":
            pieces = rows.json_lines(table, ascii_only=terminal)
        case "csv":
            pieces = rows.csv_lines(table, escaped=terminal)
        case _:
            pieces = rows.table_lines(table)
    for piece in pieces:
        sys.stdout.write(f"{piece}\n")
