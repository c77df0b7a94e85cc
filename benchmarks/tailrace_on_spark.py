"""One run of a pipeline on Spark for the benchmarks: a warm-up, then what is measured.

    tailrace_on_spark.py PIPELINE FIRST REST

PIPELINE follows the files of the folder `input`. Java, workers and the first batches are the
warm-up; the time runs from the moment when the rest is there until it is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spark_runs import MASTER, Done, Input, TreeWatch

from tailrace.config import load
from tailrace.engines.spark.cluster import open_cluster
from tailrace.engines.spark.engine import SparkEngine
from tailrace.plan.compile import compile_pipeline

if TYPE_CHECKING:
    from measuring import Timing

    from tailrace.engines.concluding import Result
    from tailrace.sources.types import Note

STORE = Path("store.duckdb")


def main() -> None:
    """Run, and print what it took, as JSON."""
    pipeline, *files = map(Path, sys.argv[1:])
    source = Input(*files)
    rows = [file.read_bytes().count(b"\n") for file in files]
    folder = Path("input")
    source.lay(folder)
    watches = [TreeWatch()]
    timings: list[Timing] = []

    def listen(_result: Result | None, _notes: tuple[Note, ...]) -> None:
        read = session.state.counts.events
        if not timings and read >= rows[0]:
            timings.append(watches[-1].stop())
            watches.append(TreeWatch())
            source.lay_rest(folder)
        elif len(timings) == 1 and read >= sum(rows):
            timings.append(watches[-1].stop())
            engine.stop()

    plan = compile_pipeline(load(pipeline))
    session, cluster = open_cluster(plan, STORE, master=MASTER)
    try:
        engine = SparkEngine(session, cluster, listen=listen)
        before = session.times.commit + session.times.deliver
        engine.run()
        driver = session.times.commit + session.times.deliver - before
        assert session.state.counts.events == sum(rows)
    finally:
        session.close()
        cluster.close()
    warm_up, rest = timings
    Done(warm_up.seconds, rest.seconds, rest.cpu_seconds, {"commit and deliver": driver}).tell()


if __name__ == "__main__":
    main()
