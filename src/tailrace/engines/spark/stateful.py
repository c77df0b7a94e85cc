"""Between Spark's stateful operator and the reducer: rows in, rows out, blobs in Spark's state.

A worker process keeps the shards that it had last: Spark may give a shard to another worker at any
time, so what is kept counts only if its batch is the one that the stored header names.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from pyspark.sql.streaming.stateful_processor import StatefulProcessor

from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.reducing import HEADER, ShardReducer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from pyspark.sql.streaming.stateful_processor import (
        MapState,
        StatefulProcessorHandle,
        TimerValues,
    )

    from tailrace.engines.spark.jobs import Job

KEPT_SHARDS = 64
"""So many shards a worker process keeps in memory."""

_kept: OrderedDict[tuple[str, int, int], ShardReducer] = OrderedDict()


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

    def __init__(self, jobs: tuple[Job, ...], keys: tuple[int, ...]) -> None:
        """``keys``: Spark's key of each shard, over all jobs."""
        self._jobs = jobs
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
        job = next(job for job in self._jobs if job.first <= place < job.first + job.shards)
        payloads = [bytes(payload) for frame in rows for payload in frame["payload"]]
        # One row at a time: a batch of Arrow's may not pass 2 GiB.
        for found in self._run(job, place - job.first, payloads):
            yield pd.DataFrame({"payload": [found]})

    def _run(self, job: Job, shard: int, payloads: Iterable[bytes]) -> Iterator[bytes]:
        stored = self._blobs.get(HEADER)
        header = None if stored is None else Frame.unpack(stored).head
        name = (job.run, job.first, shard)
        for other in [other for other in _kept if other[0] != job.run]:
            del _kept[other]
        # Taken out: an error half-way leaves it neither as it was nor as it will be.
        reducer = _kept.pop(name, None)
        last = -1 if header is None else int(header["batch"])
        if reducer is None or reducer.batch != last:
            if header is None:
                reducer = ShardReducer(job, shard)
            else:
                reducer = ShardReducer.load(job, shard, header, self._blobs)
        yield from reducer.run(last + 1, payloads, self._blobs)
        _kept[name] = reducer
        while len(_kept) > KEPT_SHARDS:
            _kept.popitem(last=False)

    def close(self) -> None:
        """Nothing is held open."""
