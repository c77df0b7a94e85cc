"""``tailrace verdicts``: who is listed as an offender; banning and allowing by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from tailrace.cli.asking import acted, asked, check_lists
from tailrace.cli.finding import find_store
from tailrace.errors import TailraceError

_EPILOG = """\
\b
Examples:
  tailrace verdicts list
  tailrace verdicts ban bots 203.0.113.7 --for 1d --reason "asked by the shop"
  tailrace verdicts allow bots client_ip=198.51.100.4 -p pipeline.yaml
  tailrace verdicts undo bots 203.0.113.7
"""


def _of_store(command: Callable[..., None]) -> Callable[..., None]:
    """A command on a store, given to it as ``store``, which is found by --pipeline and others."""

    @wraps(command)
    def found(
        *, pipeline: Path | None, store: Path | None, sets: tuple[str, ...], **others: object
    ) -> None:
        command(store=find_store(pipeline, store, sets), **others)

    paths = click.Path(path_type=Path)
    for option in (
        click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="As given to run."),
        click.option("--store", type=paths, metavar="PATH", help="The store itself."),
        click.option("--pipeline", "-p", type=paths, metavar="PATH", help="The pipeline."),
    ):
        found = option(found)
    return found


def _of_key(command: Callable[..., None]) -> Callable[..., None]:
    """A command about a key of a list."""
    named = click.argument("name")(click.argument("key", nargs=-1, required=True)(command))
    return _of_store(named)


def _lasting(command: Callable[..., None]) -> Callable[..., None]:
    """A command that holds for a time, and says why."""
    reason = click.option("--reason", default="", metavar="TEXT", help="Why; it is told.")
    lasts = click.option("--for", "lasts", metavar="DURATION", help="Of event time: 1h, 7d.")
    return lasts(reason(command))


@click.group("verdicts", epilog=_EPILOG)
def command() -> None:
    """Show the lists of verdicts of a pipeline, and change them by hand.

    A ban or a permission wins over the rules until it ends, or is undone. While the pipeline runs
    its process does it between two epochs, otherwise it is done in the store, and outputs hear of
    it from the next run. Without --pipeline the only one in the current folder is meant.
    """


@command.command("list")
@click.argument("name", required=False)
@_of_store
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def list_(*, name: str | None, store: Path, as_json: bool) -> None:
    """Show who is on the list NAME, or on any, and who was allowed by hand."""
    from tailrace.engines.lookup import MOST_ROWS, entries, listed_statement

    with asked(store) as who:
        check_lists(who, name)
        rows, cut = who.query(listed_statement(name), MOST_ROWS)
    found = list(entries(rows["body"].to_pylist()))
    if as_json:
        import json

        for entry in found:
            click.echo(json.dumps(entry.body, ensure_ascii=True))
    else:
        from tailrace.cli.verdict_rows import table

        click.echo("\n".join(table(found)) if found else "nobody is listed")
    if cut:
        click.echo(f"there are more; these are the first {len(found):,}", err=True)


@command.command("ban")
@_lasting
@_of_key
def ban(*, name: str, key: tuple[str, ...], lasts: str | None, reason: str, store: Path) -> None:
    """Put KEY on the list NAME by hand, until --for is over or it is undone.

    KEY is a value, or FIELD=VALUE for each field of the list's key.
    """
    _act(store, "ban", name, key, lasts, reason)


@command.command("allow")
@_lasting
@_of_key
def allow(*, name: str, key: tuple[str, ...], lasts: str | None, reason: str, store: Path) -> None:
    """Take KEY off the list NAME, and keep it off whatever it does."""
    _act(store, "allow", name, key, lasts, reason)


@command.command("undo")
@_of_key
def undo(*, name: str, key: tuple[str, ...], store: Path) -> None:
    """Take back what was done to KEY by hand: the rules decide again."""
    _act(store, "undo", name, key, None, "")


def _act(
    store: Path, act: str, name: str, key: tuple[str, ...], lasts: str | None, reason: str
) -> None:
    from tailrace.cli.verdict_rows import key_text
    from tailrace.engines.lookup import Entry

    request: dict[str, object] = {
        "act": act,
        "list": name,
        "key": list(key),
        "lasts": None if lasts is None else _duration(lasts),
        "comment": reason,
    }
    for body in acted(store, request):
        until = f" until {body['until']}" if body["until"] and act != "undo" else ""
        click.echo(f"{key_text(Entry(body).key)}: {body['state']}{until}")


def _duration(text: str) -> int:
    from tailrace.config.units import Duration

    try:
        lasts = int(Duration(text))
    except ValueError as error:
        raise TailraceError(f"--for {text}: {error}", hint="for example 30m, 12h, 7d") from error
    if lasts <= 0:
        raise TailraceError(f"--for {text}: it must last for some time", hint="for example 1d")
    return lasts
