"""The source of plans: a data source of Spark's in Python whose offset is the plan itself.

The driver writes the next plan (decisions, slices of files to read) into a file; the reader offers
it to Spark as its latest offset. From then on it stands in Spark's offset log: a batch that runs
again, on whatever machine, has the same plan (SEMANTICS 3). One batch takes one plan.

Spark starts several processes of Python to ask about a source, one after the other before the first
batch, so nothing heavy is imported here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.streaming.datasource import ReadLimit
    from pyspark.sql.types import StructType

FORMAT = "tailrace-plans"
SCHEMA = "body string"

TASK_BYTES = 4 << 20
"""Small slices are read together by one task, up to this."""

SLICE_BYTES = 64 << 10
"""What reading a slice costs beside its bytes."""

Plans = Mapping[str, Any]
"""What a batch does: ``before`` and ``after`` decisions, ``slices``, by the number of the job.

Where slices must know what came before them, ``maxima`` has each partition's greatest event time.
"""


class PlannedSlices(DataSource):
    """Options: ``path``, the file in which the driver offers plans."""

    @classmethod
    def name(cls) -> str:
        """The format's name."""
        return FORMAT

    def schema(self) -> str:
        """One JSON text a row."""
        return SCHEMA

    def streamReader(self, schema: StructType) -> PlanReader:  # noqa: N802 - Spark's name
        """The reader, on the driver and on workers."""
        del schema
        return PlanReader(Path(self.options["path"]))


class Piece(InputPartition):
    """What one task reads: a slice, or the decisions."""

    def __init__(self, body: str) -> None:
        """``body``: JSON."""
        super().__init__(body)
        self.body = body


class PlanReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Offers one plan at a time.

    A source that doesn't support the trigger would make Spark read all of Kafka in one batch.
    """

    def __init__(self, path: Path) -> None:
        """``path``: where the driver writes."""
        self._path = path
        self._last: int | None = None

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        """From now on offer what is there now, and nothing after it."""
        self._last = int(self._offered().get("number", 0))

    def _offered(self) -> dict[str, Any]:
        try:
            offered: dict[str, Any] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        return offered

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """Before the first plan."""
        return {"number": 0, "plans": "{}"}

    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """The plan after ``start`` if there is one."""
        del limit
        offered = self._offered()
        number = offered.get("number")
        if number != start["number"] + 1 or (self._last is not None and number > self._last):
            return start
        return {"number": offered["number"], "plans": json.dumps(offered["plans"])}

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """One task for the decisions of all jobs, one for each large slice or some small ones.

        Where slices must know what came before them, those of a partition are read by one task.
        """
        if end["number"] == start["number"]:
            return []
        plans = json.loads(end["plans"])
        decisions: dict[str, Any] = {}
        tasks: list[list[dict[str, Any]]] = []
        room = 0
        for job, plan in plans.items():
            slices = plan.pop("slices", [])
            maxima = plan.pop("maxima", None)
            decisions[job] = plan
            bodies = [
                {"job": int(job), "order": order, "slice": piece}
                for order, piece in enumerate(slices)
            ]
            for together in [[one] for one in bodies] if maxima is None else chains(bodies, maxima):
                size = sum(SLICE_BYTES + b["slice"]["end"] - b["slice"]["start"] for b in together)
                if size > room:
                    tasks.append([])
                    room = TASK_BYTES
                room -= size
                tasks[-1] += together
        head = {"number": end["number"], "decisions": decisions}
        return [Piece(json.dumps(head)), *(Piece(json.dumps({"slices": t})) for t in tasks)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The task's row."""
        assert isinstance(partition, Piece)  # noqa: S101 - made above
        import pyarrow as pa

        body = partition.body.encode()
        ends = struct.pack("<ii", 0, len(body))
        # From buffers: ``pa.array`` would import Pandas first, which takes longer than all else.
        text = pa.StringArray.from_buffers(1, pa.py_buffer(ends), pa.py_buffer(body))
        yield pa.record_batch([text], names=["body"])


def chains(
    slices: Sequence[dict[str, Any]], maxima: Mapping[str, int]
) -> list[list[dict[str, Any]]]:
    """Slices by partition, the first of each with the greatest event time ``before`` it."""
    from tailrace.kernel.time import NEVER

    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for one in slices:
        name = one["slice"]["partition"]
        chain = found.setdefault((one["job"], name), [])
        chain.append(one if chain else {**one, "before": maxima.get(name, NEVER)})
    return list(found.values())
