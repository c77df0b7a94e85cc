"""Whether a cluster gives a run anything to work with: Spark itself would wait without a word."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tailrace.engines.spark.settings import is_local
from tailrace.sources.types import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

PATIENCE_SECONDS = 30.0
ASK_SECONDS = 5.0
CODE = "no_executors"


class Executors:
    """Asked between batches; says once that there are none, and again when that comes back."""

    def __init__(self, spark: SparkSession, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: seconds."""
        self._context: Any = spark.sparkContext
        # With dynamic allocation there may be none for as long as nothing is to be done.
        dynamic = self._context.getConf().get("spark.dynamicAllocation.enabled", "false") == "true"
        self._quiet = dynamic or is_local(str(self._context.master))
        self._clock = clock
        self._asked = self._since = clock()
        self._told = False

    def note(self) -> Note | None:
        """What is to be told now, if anything."""
        now = self._clock()
        if self._quiet or now - self._asked < ASK_SECONDS:
            return None
        self._asked = now
        # The driver is one of those that have memory.
        if int(self._context._jsc.sc().getExecutorMemoryStatus().size()) > 1:  # noqa: SLF001 - no other door
            self._since, self._told = now, False
            return None
        if self._told or now - self._since < PATIENCE_SECONDS:
            return None
        self._told = True
        return Note(
            CODE,
            "",
            f"{self._context.master} has given no executors for {PATIENCE_SECONDS:.0f} s; waiting:"
            " has it workers with as many free cores and as much memory as spark.conf asks for?",
        )
