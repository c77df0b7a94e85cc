"""``tailrace dead-letters``: records that did not become events: list, show, replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tailrace.cli.asking import asked
from tailrace.cli.finding import find_pipeline, find_store
from tailrace.cli.naming import PipelineFirst
from tailrace.cli.printable import one_line
from tailrace.errors import TailraceError

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 100
HEX_WIDTH = 16

_EPILOG = """\
\b
Examples:
  tailrace dead-letters list pipeline.yaml --code bad_value
  tailrace dead-letters show pipeline.yaml 17 --hex
  tailrace dead-letters replay pipeline.yaml --code bad_value
  tailrace dead-letters refused pipeline.yaml --to raw
  tailrace dead-letters resend pipeline.yaml --to raw
"""

_pipeline = click.argument("pipeline", type=click.Path(path_type=Path))
_pipeline_or_here = click.argument("pipeline", required=False, type=click.Path(path_type=Path))
_sets = click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value.")
_store = click.option(
    "--store", type=click.Path(path_type=Path), help="The store, if not that of the pipeline."
)
_codes = click.option("--code", "codes", multiple=True, help="Only those of this code.")
_partition = click.option("--partition", help="Only those of this partition.")


@click.group("dead-letters", epilog=_EPILOG)
def command() -> None:
    """List, show and replay records that could not be read as events, and rows that were refused.

    'list', 'show' and 'refused' work while the pipeline runs, too.
    """


@command.command("list", cls=PipelineFirst)
@_pipeline_or_here
@_codes
@_partition
@click.option("--limit", default=MOST, show_default=True, help="At most so many, newest last.")
@click.option("--all", "replayed", is_flag=True, help="Those that were replayed, too.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object a line.")
@_sets
@_store
def list_(  # noqa: PLR0913 - one for each option
    pipeline: Path | None,
    codes: tuple[str, ...],
    partition: str | None,
    *,
    limit: int,
    replayed: bool,
    as_json: bool,
    sets: tuple[str, ...],
    store: Path | None,
) -> None:
    """List the newest dead letters, and how many there are of each code."""
    wanted = _where(codes, partition, replayed=replayed)
    path = find_store(pipeline, store, sets)
    columns = "id, partition, generation, position, code, field, reason, replayed"
    sql = f"select {columns}, raw from dead_letters where {wanted} order by id desc limit {limit}"
    counts = (
        f"select code as what, count(*) as n from dead_letters where {wanted} group by 1 order by 1"
    )
    with asked(path) as who:
        found = who.query(f"select * from ({sql}) order by id", limit)[0]
        totals = who.query(counts, 1000)[0].to_pylist()
    hidden = ["generation", "raw", "field", *([] if replayed else ["replayed"])]
    _print(found, totals, "dead letters", hidden=hidden, as_json=as_json)


@command.command("show", cls=PipelineFirst)
@_pipeline
@click.argument("number", metavar="ID", type=int)
@click.option("--hex", "as_hex", is_flag=True, help="Show the record's bytes in hexadecimal.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@_sets
@_store
def show(
    pipeline: Path,
    number: int,
    *,
    as_hex: bool,
    as_json: bool,
    sets: tuple[str, ...],
    store: Path | None,
) -> None:
    """Show one dead letter: where it came from, what is wrong, and its bytes, escaped."""
    from tailrace.formats.codes import Code

    path = find_store(pipeline, store, sets)
    with asked(path) as who:
        rows: pa.Table = who.query(f"select * from dead_letters where id = {int(number)}", 1)[0]
    if not rows.num_rows:
        raise TailraceError(f"there is no dead letter {number}")
    row = rows.to_pylist()[0]
    raw: bytes | None = row.pop("raw")
    if as_json:
        row["raw"] = None if raw is None else raw.decode("utf-8", "backslashreplace")
        row["hex"] = None if raw is None else raw.hex()
        click.echo(json.dumps(row, indent=2))
        return
    place = f"{row['partition']}, generation {row['generation']}, position {row['position']}"
    meaning = next((code.meaning for code in Code if code == row["code"]), "")
    click.echo(f"dead letter {number}: {row['code']} ({meaning})")
    click.echo(f"from    {one_line(place)}")
    click.echo(f"reason  {one_line(row['reason'])}")
    if row["replayed"]:
        click.echo("replayed: it has become an event since")
    if raw is None:
        click.echo("its bytes are not kept: dead_letters.max_bytes was reached")
        return
    click.echo(f"record of {len(raw):,} bytes:")
    for line in hexdump(raw) if as_hex else [one_line(raw.decode("utf-8", "backslashreplace"))]:
        click.echo(line)


@command.command("replay", cls=PipelineFirst)
@_pipeline
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@_codes
@_partition
@_sets
@_store
def replay(
    pipeline: Path,
    ids: tuple[int, ...],
    codes: tuple[str, ...],
    partition: str | None,
    *,
    sets: tuple[str, ...],
    store: Path | None,
) -> None:
    """Decode dead letters again with the pipeline file as it is now (all, or those named).

    Those that are events now go to the rules, in one transaction, and are marked; the others stay,
    with today's reason. Windows that have closed stay as they are: for them such events are late.
    The pipeline must not be running.
    """
    from tailrace.engines.embedded.replay import replay as run
    from tailrace.plan.compile import check_file

    loaded, plan = check_file(pipeline, sets=sets)
    path = loaded.store_path if store is None else store
    done = run(plan, path, ids=ids, codes=codes, partition=partition)
    parts = [f"{done.events:,} became events", f"{done.failed:,} still fail"]
    if done.gone:
        parts.append(f"{done.gone:,} can't be replayed: their bytes aren't kept whole")
    if done.before:
        parts.append(f"{done.before:,} were replayed before")
    click.echo(", ".join(parts))


_outputs = click.option("--to", "outputs", multiple=True, help="Only those of this output.")


@command.command("refused", cls=PipelineFirst)
@_pipeline_or_here
@_outputs
@click.option("--limit", default=MOST, show_default=True, help="At most so many, newest last.")
@click.option("--all", "resent", is_flag=True, help="Those that were sent again, too.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object a line.")
@_sets
@_store
def refused(
    pipeline: Path | None,
    outputs: tuple[str, ...],
    *,
    limit: int,
    resent: bool,
    as_json: bool,
    sets: tuple[str, ...],
    store: Path | None,
) -> None:
    """List rows that outputs refused for good: what a server found wrong with each."""
    parts = ["true" if resent else "not resent"]
    if outputs:
        parts.append(f"output in ({', '.join(map(_text, outputs))})")
    wanted = " and ".join(parts)
    columns = "output, seq, row, id, reason, body, resent"
    sql = f"select {columns} from refused where {wanted} order by seq desc, row desc limit {limit}"
    counts = (
        f"select output as what, count(*) as n from refused where {wanted} group by 1 order by 1"
    )
    with asked(find_store(pipeline, store, sets)) as who:
        found = who.query(f"select * from ({sql}) order by seq, row", limit)[0]
        totals = who.query(counts, 1000)[0].to_pylist()
    hidden = ["seq", "row", *([] if resent else ["resent"])]
    _print(found, totals, "refused rows", hidden=hidden, as_json=as_json)


@command.command("resend", cls=PipelineFirst)
@_pipeline_or_here
@_outputs
@_sets
@_store
def resend(
    pipeline: Path | None,
    outputs: tuple[str, ...],
    *,
    sets: tuple[str, ...],
    store: Path | None,
) -> None:
    """Send refused rows again, as they were made: for when the server was what was wrong.

    The pipeline must not be running.
    """
    from tailrace.engines.embedded.resend import resend as run
    from tailrace.plan.compile import check_file

    loaded, plan = check_file(find_pipeline(pipeline), sets=sets)
    done = run(plan, loaded.store_path if store is None else store, outputs=outputs)
    parts = [f"{done.taken:,} taken", f"{done.refused:,} refused again"]
    if done.waiting:
        parts.append(f"{done.waiting:,} wait: the next run delivers them")
    if done.unknown:
        parts.append(f"{done.unknown:,} are of outputs that the pipeline doesn't have")
    click.echo(", ".join(parts))


def _print(
    found: pa.Table,
    totals: list[dict[str, Any]],
    what: str,
    *,
    hidden: list[str],
    as_json: bool,
) -> None:
    """Show rows without some columns, or all of them as JSON, and how many there are of each."""
    from tailrace.cli.rows import json_lines, table_lines

    if as_json:
        for line in json_lines(found, ascii_only=True):
            click.echo(line)
    elif not totals:
        click.echo(f"no {what}")
    else:
        for line in table_lines(found.drop_columns(hidden)):
            click.echo(line)
        click.echo("in all: " + ", ".join(f"{row['what']} {row['n']:,}" for row in totals))


def hexdump(data: bytes) -> list[str]:
    """Lines of offset, bytes in hexadecimal, and what of it is printable ASCII."""
    lines = []
    for start in range(0, len(data), HEX_WIDTH):
        part = data[start : start + HEX_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<{3 * HEX_WIDTH}} {text}")
    return lines


def _where(codes: tuple[str, ...], partition: str | None, *, replayed: bool) -> str:
    parts = ["true" if replayed else "not replayed"]
    if codes:
        parts.append(f"code in ({', '.join(map(_text, codes))})")
    if partition is not None:
        parts.append(f"partition = {_text(partition)}")
    return " and ".join(parts)


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
