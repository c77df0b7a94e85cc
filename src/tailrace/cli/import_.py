"""``tailrace import``: a pipeline file from the configuration of another program."""

from __future__ import annotations

from pathlib import Path

import click

from tailrace.cli.printable import printable
from tailrace.errors import OutputError, Problem, TailraceError, Where

_EPILOG = """\
\b
Examples:
  tailrace import application.conf
  tailrace import application.conf --out pipeline.yaml && tailrace check pipeline.yaml
"""


@click.command("import", epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write here.  [default: stdout]"
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(file: Path, *, out: Path | None, force: bool) -> None:
    """Write the pipeline that FILE means.

    FILE: the application.conf of a click-bot detector: kafka, redis, watermark and rules with their
    limits. What of it has no meaning here is told. The pipeline passes 'tailrace check'.
    """
    from tailrace.cli.importing.click_bots import import_click_bots
    from tailrace.cli.importing.hocon import parse

    imported = import_click_bots(parse(_read(file), str(file)), str(file))
    if out is None:
        click.echo(imported.text, nl=False)
    else:
        _write(out, imported.text, force=force)
    for note in imported.notes:
        _tell(note)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise TailraceError(f"can't be read: {error.strerror}", where=Where(str(file))) from None
    except UnicodeDecodeError:
        raise TailraceError("not UTF-8 text", where=Where(str(file))) from None


def _write(out: Path, text: str, *, force: bool) -> None:
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(f"{out} is there already", hint="--force writes over it") from None
    except OSError as error:
        raise OutputError(f"can't write {out}: {error.strerror}") from None


def _tell(note: Problem) -> None:
    mark = click.style("note: ", fg="yellow")
    click.echo(mark + printable(note.render()), err=True)
