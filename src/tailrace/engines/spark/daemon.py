"""What Spark starts on each executor to fork Python workers from (``spark.python.daemon.module``).

It is PySpark's own daemon. Before it begins, PySpark is taken from where it is installed, and what
every worker needs is imported once for all of them: a worker has it at once, and memory that is the
same for all is shared. None of these modules has started a thread of Python's when it is imported;
those that libraries in C have (BLAS, Arrow) are known by them to be gone after a fork.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from importlib import import_module

from tailrace.engines.spark.unpacked import without_archive

WORKER = "pyspark.worker"
"""What runs tasks; other workers of Spark's only ask about sources, and need none of this."""

LOADED = (
    WORKER,
    "pandas",
    "pyspark.sql.streaming.proto.StateMessage_pb2",
    "tailrace.engines.spark.workers",
    "tailrace.engines.spark.keeping",
    "tailrace.engines.spark.stateful",
)


def load() -> None:
    """Import what workers need; what is missing is told by the worker that misses it."""
    for name in LOADED:
        with suppress(ImportError):
            import_module(name)
    # What is there now stays: no worker need look through it for garbage after each task.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    sys.path[:] = without_archive(sys.path)
    if sys.argv[1:2] == [WORKER]:
        load()

    from pyspark.daemon import manager

    manager()
