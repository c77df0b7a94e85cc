"""Between Spark's stateful operator and the reducer: rows in, rows out, blobs in Spark's state.

Spark loads it once more in a process of its own, which only asks what state there is: what the work
needs is imported by the work.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql.streaming.stateful_processor import StatefulProcessor

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from pyspark.sql.streaming.stateful_processor import (
        MapState,
        StatefulProcessorHandle,
        TimerValues,
    )

    from tailrace.engines.spark.keeping import Keeping
    from tailrace.engines.spark.sealing import Sealed


@cache
def _keeping() -> Keeping:
    """What this process keeps."""
    from tailrace.engines.spark.keeping import Keeping

    return Keeping()


class StateBlobs:
    """Blobs in a map of Spark's state; each call is a round trip to the executor."""

    def __init__(self, state: MapState) -> None:
        self._state = state

    def get(self, name: str) -> bytes | None:
        """See ``Blobs``."""
        found = self._state.getValue((name,))
        return None if found is None else bytes(found[0])

    def put(self, name: str, data: bytes) -> None:
        """See ``Blobs``."""
        self._state.updateValue((name,), (data,))

    def drop(self, name: str) -> None:
        """See ``Blobs``."""
        self._state.removeKey((name,))


class Reducers(StatefulProcessor):
    """All shards of all jobs of a query; Spark's key is the number of a shard."""

    def __init__(self, sealed: Sealed, keys: tuple[int, ...]) -> None:
        """``keys``: Spark's key of each shard, over all jobs."""
        self._sealed = sealed
        self._shards = {key: place for place, key in enumerate(keys)}

    def init(self, handle: StatefulProcessorHandle) -> None:
        """Open the state."""
        self._blobs = StateBlobs(handle.getMapState("blobs", "name string", "blob binary"))

    def handleInputRows(  # type: ignore[override]  # noqa: N802 - Spark's name; always data frames
        self,
        key: tuple[int, ...],
        rows: Iterator[pd.DataFrame],
        timerValues: TimerValues,  # noqa: N803 - as above
    ) -> Iterator[pd.DataFrame]:
        """Take a batch's frames for one shard."""
        import pandas as pd

        del timerValues
        place = self._shards[int(key[0])]
        job = next(job for job in self._sealed.jobs if job.first <= place < job.first + job.shards)
        payloads = [bytes(payload) for frame in rows for payload in frame["payload"]]
        # One row at a time: a batch of Arrow's may not pass 2 GiB.
        for found in _keeping().run(job, place - job.first, payloads, self._blobs):
            yield pd.DataFrame({"payload": [found]})

    def close(self) -> None:
        """Nothing is held open."""
