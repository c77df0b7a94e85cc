"""One run of a pipeline for the benchmarks: a warm-up, then what is measured.

    tailrace_in_parts.py spark|embedded PIPELINE FIRST REST

PIPELINE follows the files of the folder `input`. Java, workers, threads and the first batches are
the warm-up; the time runs from the moment when the rest is there until it is committed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spark_runs import MASTER, Done, Input, TreeWatch

from tailrace.config import load
from tailrace.plan.compile import compile_pipeline

if TYPE_CHECKING:
    from measuring import Timing

    from tailrace.engines.concluding import Result
    from tailrace.engines.embedded.engine import Engine
    from tailrace.engines.spark.engine import SparkEngine
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Note

    Listen = Callable[[Result | None, tuple[Note, ...]], None]
    Opener = Callable[[Plan, Listen], AbstractContextManager[Engine | SparkEngine]]

STORE = Path("store.duckdb")


@contextmanager
def on_spark(plan: Plan, listen: Listen) -> Iterator[SparkEngine]:
    """Spark on this machine's cores."""
    from tailrace.engines.spark.cluster import open_cluster
    from tailrace.engines.spark.engine import SparkEngine

    session, cluster = open_cluster(plan, STORE, master=MASTER)
    try:
        yield SparkEngine(session, cluster, listen=listen)
    finally:
        session.close()
        cluster.close()


@contextmanager
def embedded(plan: Plan, listen: Listen) -> Iterator[Engine]:
    """This process."""
    from tailrace.engines.embedded.engine import Engine
    from tailrace.engines.embedded.opening import make_decoder, open_session

    session = open_session(plan, STORE)
    try:
        yield Engine(session, make_decoder, listen=listen)
    finally:
        session.close()


def main() -> None:
    """Run, and print what it took, as JSON."""
    engines: dict[str, Opener] = {"spark": on_spark, "embedded": embedded}
    opened = engines[sys.argv[1]]
    pipeline, *files = map(Path, sys.argv[2:])
    source = Input(*files)
    rows = [file.read_bytes().count(b"\n") for file in files]
    folder = Path("input")
    source.lay(folder)
    watches = [TreeWatch()]
    timings: list[Timing] = []

    def listen(_result: Result | None, _notes: tuple[Note, ...]) -> None:
        read = engine.session.state.counts.events
        if not timings and read >= rows[0]:
            timings.append(watches[-1].stop())
            watches.append(TreeWatch())
            source.lay_rest(folder)
        elif len(timings) == 1 and read >= sum(rows):
            timings.append(watches[-1].stop())
            engine.stop()

    with opened(compile_pipeline(load(pipeline)), listen) as engine:
        times = engine.session.times
        before = times.commit + times.deliver
        engine.run()
        driver = times.commit + times.deliver - before
        assert engine.session.state.counts.events == sum(rows)
    warm_up, rest = timings
    Done(warm_up.seconds, rest.seconds, rest.cpu_seconds, {"commit and deliver": driver}).tell()


if __name__ == "__main__":
    main()
