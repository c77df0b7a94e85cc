"""``tailrace run``: events in, alerts out, until the input ends or somebody ends it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from tailrace.cli.finding import find_pipeline
from tailrace.cli.naming import PipelineFirst
from tailrace.cli.preparing import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailrace.cli.running.display import Display
    from tailrace.cli.running.watch import Watch
    from tailrace.config import Output as OutputConfig
    from tailrace.engines.control.desk import Desk
    from tailrace.engines.embedded.opening import MakeOutput
    from tailrace.engines.running import Listen, Loop
    from tailrace.engines.session import BaseSession
    from tailrace.outputs import Output, OutputContext
    from tailrace.plan.model import Plan

    MakeLoop = Callable[[Listen], Loop]

EXIT_UNDELIVERED = 1
IN_USE_SECONDS = 1.0
"""`tailrace status` has a store for an instant; so long is waited for it."""

_EPILOG = """\
\b
Examples:
  tailrace run pipeline.yaml
  tailrace run pipeline.yaml --set source.file.follow=false --store /tmp/try.duckdb
  tailrace run pipeline.yaml --output json | jq 'select(.type == "incident")'
  kill -HUP PID          # check the changed file and take it up
\b
Exit codes: 0 the input was read to its end, or a followed run was stopped; 1 some rows could not
be delivered (they wait in the store; run again); 2 a mistake, nothing is lost; 130 and 143 Ctrl-C
and SIGTERM before a bounded input was read to its end (run again to go on).
"""


@click.command("run", cls=PipelineFirst, epilog=_EPILOG)
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option(
    "--until-end",
    is_flag=True,
    help="Stop where the input ends now, even if the pipeline follows it. All windows close: the "
    "store takes no more of it.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Another store than the file's.",
)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: an object for each incident revision, notice and note, and a summary, one a line.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: what happens is logged to standard error, an object with time and level a line.",
)
@click.option(
    "--web",
    metavar="HOST:PORT",
    help="Answer /metrics, /healthz and /readyz there; overrides web.listen.",
)
@click.option(
    "--engine",
    type=click.Choice(["embedded", "spark"]),
    default="embedded",
    show_default=True,
    help="spark: the same alerts from many machines; needs tailrace[spark] and Java.",
)
@click.option(
    "--master",
    metavar="URL",
    help="Where Spark runs: local[*], spark://HOST:7077, yarn, k8s://...; overrides spark.master.",
)
@click.option(
    "--accept-loss",
    is_flag=True,
    help="Leave out, and count, what an epoch had begun to read and that is gone since.",
)
@click.option("--no-progress", is_flag=True, help="Lines only, on a terminal, too.")
@click.option("--max-seconds", type=float, metavar="N", help="Stop after so long.")
def command(  # noqa: PLR0913 - one for each option
    *,
    pipeline: Path | None,
    sets: tuple[str, ...],
    store: Path | None,
    output: str,
    log_format: str,
    web: str | None,
    max_seconds: float | None,
    engine: str,
    master: str | None,
    until_end: bool,
    accept_loss: bool,
    no_progress: bool,
) -> int:
    """Run PIPELINE: read its source, judge its rules, deliver to its outputs.

    Everything that counts is kept in the store: a run that was stopped, or killed, is taken up
    where it was by the next one. Ctrl-C and SIGTERM end it after the epoch under way, a second one
    at once; SIGHUP checks the changed file and takes it up. Without PIPELINE the only one in the
    current folder is meant.
    """
    from tailrace.cli.printable import one_line
    from tailrace.cli.running.watch import Watch
    from tailrace.engines.spark.support import refuse
    from tailrace.plan.compile import check_file

    if output == log_format == "json":
        raise click.UsageError("--output json is a log already; give one of the two")
    if master is not None and engine != "spark":
        raise click.UsageError("--master goes with --engine spark")
    path = find_pipeline(pipeline)
    if web is not None:
        sets = (*sets, f"web.listen={web}")
    loaded, plan = check_file(path, sets=sets)
    display = display_for(output, log_format, live=not no_progress)
    watch = Watch(display, most_seconds=max_seconds)
    store_path = store or loaded.store_path
    with ExitStack() as stack:
        stack.enter_context(named(path, loaded, plan))
        if engine == "spark":
            refuse(loaded.config, loaded.positions)
            _look_for_spark()
            where = plan.config.spark.master if master is None else master
            text = (
                f"Spark starts with the master {where}; what it says goes to {store_path}.spark.log"
            )
            display.say([one_line(text)])
            opened = partial(
                _on_spark, stack, master=master, until_end=until_end, accept_loss=accept_loss
            )
        else:
            opened = partial(_here, stack, until_end=until_end, accept_loss=accept_loss)
        loop = _open(plan, store_path, display, watch, opened)
        return _run(loop, plan, path, sets, display, watch)


def maker(display: Display) -> MakeOutput:
    """What makes outputs for a run; terminals are of the display."""
    from tailrace.outputs import make_output

    def make(name: str, config: OutputConfig, context: OutputContext) -> Output:
        if config.terminal is not None:
            return display.terminal()
        return make_output(name, config, context)

    return make


def display_for(
    output: str, log_format: str = "text", *, live: bool, beside: TextIO | None = None
) -> Display:
    """How a run is shown: ``json``, a log, or lines, or live on a terminal that can do it.

    ``beside``: where lines that are no alerts go instead of to standard error.
    """
    if log_format == "json":
        from tailrace.cli.running.logs import LogLines

        return LogLines()
    if output == "json":
        from tailrace.cli.running.json_lines import JsonLines

        return JsonLines()
    terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    colour = terminal and not os.environ.get("NO_COLOR")
    if terminal and live:
        from tailrace.cli.running.live import LiveView

        return LiveView(colour=colour)
    from tailrace.cli.running.display import Lines

    return Lines(beside=beside, colour=colour)


def _here(
    stack: ExitStack,
    plan: Plan,
    store: Path,
    *,
    until_end: bool,
    accept_loss: bool,
    **wanted: Any,  # noqa: ANN401 - handed on
) -> MakeLoop:
    """Open a session of this process; ``wanted`` as for ``open_session``."""
    from tailrace.engines.embedded.engine import Engine
    from tailrace.engines.embedded.opening import make_decoder, open_session

    session = open_session(plan, store, until_end=until_end, accept_loss=accept_loss, **wanted)
    stack.callback(session.close)
    return lambda listen: Engine(session, make_decoder, listen=listen)


def _look_for_spark() -> None:
    """SparkMissingError if Spark can't run on this machine."""
    from tailrace.engines.spark.launching import SparkMissingError, missing

    problems = missing()
    if problems:
        raise SparkMissingError(problems=tuple(problems))


def _on_spark(
    stack: ExitStack,
    plan: Plan,
    store: Path,
    *,
    master: str | None,
    until_end: bool,
    **wanted: Any,  # noqa: ANN401 - handed on
) -> MakeLoop:
    """Start Spark and open a session for it; ``wanted`` as for ``open_cluster``."""
    from tailrace.engines.spark.cluster import open_cluster
    from tailrace.engines.spark.engine import SparkEngine

    session, cluster = open_cluster(plan, store, master=master, until_end=until_end, **wanted)
    stack.callback(cluster.close)
    stack.callback(session.close)
    return lambda listen: SparkEngine(session, cluster, listen=listen)


def _open(
    plan: Plan, store: Path, display: Display, watch: Watch, opened: Callable[..., MakeLoop]
) -> Loop:
    from tailrace.store.reading import StoreInUseError

    deadline = time.monotonic() + IN_USE_SECONDS
    while True:
        try:
            make = opened(plan, store, make=maker(display), observe=watch.observe)
            return make(watch.listen)
        except StoreInUseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _run(
    engine: Loop,
    plan: Plan,
    path: Path,
    sets: tuple[str, ...],
    display: Display,
    watch: Watch,
) -> int:
    from tailrace.cli.running.reloading import Reloading, changes_since
    from tailrace.cli.running.signals import heard
    from tailrace.engines.control.desk import Desk
    from tailrace.engines.embedded.opening import make_outputs
    from tailrace.engines.running import OnSpark

    session = engine.session
    reader = session.store.reader()
    desk = Desk(reader, session.acts)
    make_new = partial(make_outputs, store_id=session.store.identity, make=maker(display))
    reloading = Reloading(
        path,
        sets,
        plan,
        lambda plan, names: make_new(plan, names=names),
        on_spark=isinstance(engine, OnSpark),
    )
    with ExitStack() as stack:
        stack.callback(reader.close)
        problem = _serve(session, desk, stack)
        address = _web(session.plan, desk, stack)
        signals = stack.enter_context(
            heard(engine.stop, lambda: engine.reload(reloading.load), display.stop)
        )
        display.start()
        stack.callback(display.stop)
        if problem is not None:
            display.say([problem], "warning")
        if address is not None:
            display.say([f"metrics at {address}/metrics"])
        if session.previous is not None and session.previous is not plan:
            changed = changes_since(session.previous, plan, finished=session.state.finished)
            if lines := list(changed):
                display.say(lines)
        watch.begin(engine, desk, reader, lambda: reloading.taken_up(session.plan))
        ended = engine.run()
        watch.listen(None, ())
        display.stop()
        how = "the input was read to its end" if ended else "stopped"
        summary = watch.summary(engine, reader, how)
        display.summary(summary)
    if signals and not ended and session.source.bounded:
        return 128 + signals[0]
    return EXIT_UNDELIVERED if ended and summary.waiting else 0


def _serve(session: BaseSession, desk: Desk, stack: ExitStack) -> str | None:
    """Listen beside the store; what is wrong if that can't be, which ends no run."""
    from tailrace.cli.printable import one_line
    from tailrace.engines.control.server import ControlServer
    from tailrace.errors import StoreError

    try:
        server = ControlServer(Path(session.store.path), desk)
    except StoreError as error:
        return f"tailrace status can't ask this run: {one_line(error.render())}"
    stack.callback(server.close)
    return None


def _web(plan: Plan, desk: Desk, stack: ExitStack) -> str | None:
    """Answer over HTTP if the pipeline wants it; the address."""
    settings = plan.config.web
    if settings is None:
        return None
    from tailrace._version import __version__
    from tailrace.config.web import host_and_port
    from tailrace.errors import TailraceError

    try:
        from tailrace.web.application import application
        from tailrace.web.server import WebServer
    except ModuleNotFoundError as error:
        raise TailraceError(
            f"web needs the library {error.name}", hint="pip install 'tailrace[http]'"
        ) from error
    app = application(desk, token=settings.token, version=__version__)
    server = WebServer(app, *host_and_port(settings.listen))
    stack.callback(server.close)
    return server.address
