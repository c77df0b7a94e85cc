"""What benchmarks share: generated input, one run of a pipeline, paired runs, the printed table.

A figure is a ratio to a baseline that ran just before or after in the same process: a machine's
speed, and what else it does, falls out of it. Runs alternate, and the median of the pairs' ratios
counts. Nothing is asserted: the last lines say whether a target was met.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import parse_time_us

if TYPE_CHECKING:
    from collections.abc import Iterator

CORES = 2
"""What a DuckDB baseline may use, as the engine does."""

START_US = parse_time_us("2024-05-01T00:00:00Z")

FIELDS = "{client_ip: text, host: text, country: text, status: integer, request_time: double}"
"""With the event time, the fields of nginx's JSON that the goals need."""

GOALS = """
  - {alert: goal1, by: client_ip, window: 20s every 1s, when: count(*) > 10, to: [goal1]}
  - alert: goal2
    by: host
    window: 30s every 1s
    where: status between 400 and 499
    when: count(*) > 15
    to: [goal2]
  - record: goal3
    by: country
    window: 1m
    where: status between 200 and 299
    select: {count: count(*)}
    to: [goal3]
  - {record: goal4, by: host, window: 1m, select: {mean: avg(request_time)}, to: [goal4]}
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, and how much processor time over all its threads."""

    seconds: float
    cpu_seconds: float


class Stopwatch:
    """Begins to run when it is made."""

    def __init__(self) -> None:
        self._seconds, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> Timing:
        """What has gone by."""
        return Timing(time.perf_counter() - self._seconds, time.process_time() - self._cpu)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a pipeline: how long it took, what each stage worked, what it found."""

    timing: Timing
    events: int
    stages: Mapping[str, float]
    counts: Mapping[str, int]
    output_rows: Mapping[str, int]
    labels: Mapping[str, int]
    """How many events got which label, of all rules that give some."""


def options(rows: int, runs: int = 5) -> argparse.Namespace:
    """Read the command line: ``--rows`` and ``--runs``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=rows, help="events (default %(default)s)")
    parser.add_argument("--runs", type=int, default=runs, help="paired runs (default %(default)s)")
    return parser.parse_args()


def folder() -> Path:
    """Where input is kept from one benchmark to the next: the system's folder for such things."""
    path = Path(tempfile.gettempdir()) / f"tailrace-benchmarks-{os.getuid()}"
    path.mkdir(exist_ok=True)
    return path


def ordinary(rows: int) -> NginxTraffic:
    """So many JSON lines of 256 clients and 51 hosts, 10,000 a second of event time."""
    return NginxTraffic(count=rows, profile="seed", rate=10_000.0, seed=1, start_us=START_US)


class Traffic(Protocol):
    """What the generators make; its ``repr`` says all that decides about the bytes."""

    def chunks(self) -> Iterator[bytes]:
        """The traffic as bytes."""
        ...


def file_of(traffic: Traffic) -> Path:
    """A file with the traffic; made when it isn't there, and in the page cache."""
    path = folder() / f"{hashlib.sha256(repr(traffic).encode()).hexdigest()[:16]}.log"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.writelines(traffic.chunks())
        unfinished.rename(path)
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass
    return path


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder on disk for one run's store and outputs."""
    path = Path(tempfile.mkdtemp(prefix="run-", dir=folder()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def pipeline(
    log: Path, rules: str, outputs: Sequence[str], *, rows: str = "windows", **changed: str
) -> str:
    """The text of a pipeline over a log of generated JSON; ``changed`` replaces whole entries."""
    entries = {
        "name": "benchmark",
        "source": f"{{file: {{path: '{log}'}}}}",
        "format": "json",
        "time": '{field: "@timestamp", grace: 5s}',
        "fields": FIELDS,
    } | changed
    head = "\n".join(f"{name}: {value}" for name, value in entries.items())
    files = "\n".join(
        f"  {name}: {{file: {{path: out/{name}.ndjson}}, rows: {rows}}}" for name in outputs
    )
    return f"{head}\nrules:{rules}\noutputs:\n{files}\n"


def run(
    text: str, *, until_end: bool = False, env: Mapping[str, str] = MappingProxyType({})
) -> Run:
    """Run a pipeline to the end of its input, with store and outputs in a folder of its own.

    ``until_end``: what is followed ends where it ends now. ``env``: what ``${NAME}`` stands for.
    """
    from tailrace.config import loads
    from tailrace.engines.embedded.engine import Engine
    from tailrace.engines.embedded.opening import make_decoder, open_session
    from tailrace.plan.compile import compile_pipeline

    before = Path.cwd()
    with working_folder() as path:
        os.chdir(path)
        try:
            plan = compile_pipeline(loads(text, env=dict(env)))
            watch = Stopwatch()
            session = open_session(plan, path / "store.duckdb", until_end=until_end)
            try:
                Engine(session, make_decoder).run()
            finally:
                session.close()
            timing = watch.stop()
            return Run(
                timing,
                session.state.counts.events,
                asdict(session.times),
                asdict(session.state.counts),
                {file.stem: file.read_bytes().count(b"\n") for file in path.glob("out/*.ndjson")},
                {
                    label: number
                    for rule in session.state.counts.rules.values()
                    for label, number in rule.labels.items()
                },
            )
        finally:
            os.chdir(before)


def bare_decode(log: Path) -> Timing:
    """Bare DuckDB: decode the declared fields of a JSON log, and look at each value."""
    import duckdb

    columns = {
        "client_ip": "VARCHAR",
        "host": "VARCHAR",
        "country": "VARCHAR",
        "status": "BIGINT",
        "request_time": "DOUBLE",
        "@timestamp": "DOUBLE",
    }
    with duckdb.connect(config={"threads": CORES}) as connection:
        watch = Stopwatch()
        connection.execute(
            "SELECT count(*), sum(strlen(client_ip)), sum(strlen(host)), sum(strlen(country)), "
            'sum(status), sum(request_time), sum("@timestamp") '
            "FROM read_json(?, format = 'newline_delimited', columns = ?)",
            [str(log), columns],
        ).fetchall()
        return watch.stop()


def alternating(runs: int, *measured: Callable[[], Timing]) -> list[list[Timing]]:
    """Timings of each measurement, ``runs`` times, one after the other in turns."""
    found: list[list[Timing]] = [[] for _ in measured]
    for _ in range(runs):
        for each, timings in zip(measured, found, strict=True):
            timings.append(each())
    return found


@dataclass(frozen=True, slots=True)
class Ratio:
    """Speed as a share of a baseline's.

    ``by_cpu`` is made of processor times: other work of the machine changes them less, but they
    don't show how well something uses several cores.
    """

    by_clock: float
    by_cpu: float


def speed_ratio(baseline: Sequence[Timing], measured: Sequence[Timing]) -> Ratio:
    """The median over the pairs of runs."""
    pairs = list(zip(baseline, measured, strict=True))
    return Ratio(
        statistics.median(b.seconds / m.seconds for b, m in pairs),
        statistics.median(b.cpu_seconds / m.cpu_seconds for b, m in pairs),
    )


def head() -> None:
    """Print the table's first line."""
    print(f"{'':<34} {'median':>9} {'cpu':>9} {'events/s':>10} {'ratio':>7} {'by cpu':>7}")


def row(
    name: str, timings: Sequence[Timing], events: int, baseline: Sequence[Timing] | None = None
) -> None:
    """Print a line of the table: medians, and the ratio to a baseline."""
    seconds = statistics.median(timing.seconds for timing in timings)
    cpu = statistics.median(timing.cpu_seconds for timing in timings)
    line = f"{name:<34} {seconds:>7.2f} s {cpu:>7.2f} s {events / seconds / 1e6:>8.2f} M"
    if baseline is not None:
        found = speed_ratio(baseline, timings)
        line += f" {found.by_clock:>7.2f} {found.by_cpu:>7.2f}"
    print(line)


def stages(name: str, done: Run) -> None:
    """Print the seconds that each stage worked, over all its threads."""
    parts = "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in done.stages.items())
    print(f"{name:<34} {parts}")


def verdict(what: str, found: Ratio, least: float) -> None:
    """Print the line that says whether a ratio reached its target."""
    met = "met" if found.by_clock >= least else "missed"
    print(
        f"ratio {found.by_clock:.2f} (by cpu {found.by_cpu:.2f})  {what}; "
        f"target: at least {least:.2f}, {met}"
    )


def verdict_of(what: str, found: float, most: float) -> None:
    """Print the line that says whether a figure stays within its bound."""
    met = "met" if found <= most else "missed"
    print(f"ratio {found / most:.2f}  {what}: {found:g} of at most {most:g}, {met}")
