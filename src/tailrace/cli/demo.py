"""``tailrace demo``: attacks in made-up traffic, found while one looks on."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tailrace.cli.demonstration.score import Scored
    from tailrace.cli.demonstration.traffic import Traffic

LOG = "access.log"


@click.command("demo")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    envvar="DEMO_SECONDS",
    metavar="N",
    help="Stop after so long (or DEMO_SECONDS).  [default: at Ctrl-C]",
)
@click.option("--seed", type=int, metavar="N", help="The same attackers again.")
@click.option("--no-progress", is_flag=True, help="Lines only, on a terminal, too.")
def command(seconds: float | None, seed: int | None, *, no_progress: bool) -> None:
    """Watch a pipeline detect attacks in made-up nginx traffic.

    200 requests a second are written to a log in a temporary folder, which a pipeline follows. In
    each round of 24 seconds a client floods, a host fails, a host slows down and a scanner asks for
    what isn't there. At the end you see which attacks were found, and how soon. Nothing is left.
    """
    from tailrace.cli.demonstration.score import Scored, findings, table
    from tailrace.cli.demonstration.traffic import Traffic
    from tailrace.cli.run import display_for

    with TemporaryDirectory(prefix="tailrace-demo-") as folder:
        traffic = Traffic(Path(folder) / LOG, time.time_ns() % 10**6 if seed is None else seed)
        # What begins and what is found are one story here.
        display = Scored(display_for("text", live=not no_progress, beside=sys.stdout), traffic)
        _run(Path(folder), traffic, display, seconds)
        for line in table(*findings(traffic.episodes(), display.alerts, display.ends)):
            click.echo(line)


def _run(folder: Path, traffic: Traffic, display: Scored, seconds: float | None) -> None:
    traffic.start()
    try:
        from tailrace.cli.running.signals import heard
        from tailrace.cli.running.watch import Watch
        from tailrace.config import loads
        from tailrace.engines.embedded.engine import Engine
        from tailrace.engines.embedded.opening import make_decoder, open_session
        from tailrace.plan.compile import compile_pipeline

        text = files("tailrace.cli.demonstration").joinpath("pipeline.yaml").read_text("utf-8")
        plan = compile_pipeline(
            loads(text, "demo.yaml", env={"TAILRACE_DEMO_LOG": str(folder / LOG)})
        )
        watch = Watch(display, most_seconds=seconds)
        with ExitStack() as stack:
            session = open_session(plan, folder / "demo.duckdb", outputs={}, observe=watch.observe)
            stack.callback(session.close)
            engine = Engine(session, make_decoder, listen=watch.listen)
            reader = session.store.reader()
            stack.callback(reader.close)
            stack.enter_context(heard(engine.stop, engine.stop, display.stop))
            display.start()
            stack.callback(display.stop)
            display.say(["made-up nginx traffic with attacks in it, followed live; Ctrl-C ends it"])
            watch.begin(engine, None, reader, list)
            engine.run()
    finally:
        traffic.stop()
