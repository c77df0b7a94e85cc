"""The shards that a worker process keeps in memory from batch to batch; nothing here knows Spark.

Spark may give a shard to another worker at any time, and run a batch again whose state it threw
away: what is kept counts only if its batch is the one that the stored header names.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.reducing import HEADER, ShardReducer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailrace.engines.spark.jobs import Job
    from tailrace.engines.spark.reducing import Blobs

KEPT_SHARDS = 64
"""So many shards a worker process keeps."""


class Keeping:
    """The shards of one worker process."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: OrderedDict[tuple[str, int, int], ShardReducer] = OrderedDict()

    def run(self, job: Job, shard: int, payloads: Iterable[bytes], blobs: Blobs) -> Iterator[bytes]:
        """Take the next batch's frames for a shard whose state ``blobs`` holds."""
        stored = blobs.get(HEADER)
        header = None if stored is None else Frame.unpack(stored).head
        name = (job.run, job.first, shard)
        for other in [other for other in self._kept if other[0] != job.run]:
            del self._kept[other]
        # Taken out: an error half-way leaves it neither as it was nor as it will be.
        reducer = self._kept.pop(name, None)
        last = -1 if header is None else int(header["batch"])
        if reducer is None or reducer.batch != last:
            if header is None:
                reducer = ShardReducer(job, shard)
            else:
                reducer = ShardReducer.load(job, shard, header, blobs)
        yield from reducer.run(last + 1, payloads, blobs)
        self._kept[name] = reducer
        while len(self._kept) > KEPT_SHARDS:
            self._kept.popitem(last=False)
