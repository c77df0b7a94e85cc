"""Jobs as bytes, on their way to workers; nothing heavy is imported here.

Spark unpickles what it runs in each task, and in processes that only ask about it. What is sealed
costs the former once a process and the latter nothing.
"""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailrace.engines.spark.jobs import Job


class Sealed:
    """The jobs of a query."""

    def __init__(self, jobs: tuple[Job, ...]) -> None:
        """Seal them; the driver does it once a query."""
        self._data = pickle.dumps(jobs, pickle.HIGHEST_PROTOCOL)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What was sealed; the same objects in each task of a worker while the query runs."""
        return _opened(self._data)


@lru_cache(maxsize=1)
def _opened(data: bytes) -> tuple[Job, ...]:
    jobs: tuple[Job, ...] = pickle.loads(data)  # noqa: S301 - the driver's own, as all that Spark runs
    return jobs
