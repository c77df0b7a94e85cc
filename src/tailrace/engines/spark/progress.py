"""What Spark tells of a query's batches, as the status has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailrace.engines.status import SparkStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

KAFKA = "Kafka"
"""Begins the description of Spark's Kafka source. Rows of other sources are slices, no records."""

FILES = "rocksdbSstFileSize"

NO_BATCH = SparkStatus(-1, 0.0, 0, 0, 0)
"""Before the first one is done."""


def told(progress: Mapping[str, Any] | None) -> SparkStatus | None:
    """A progress of Spark's; None without one, or if it is of waiting for a batch."""
    if progress is None or "addBatch" not in progress["durationMs"]:
        return None
    operators = progress["stateOperators"]
    kafka = [s for s in progress["sources"] if str(s["description"]).startswith(KAFKA)]
    return SparkStatus(
        batch=int(progress["batchId"]),
        batch_seconds=progress["durationMs"]["triggerExecution"] / 1000,
        state_rows=sum(int(operator["numRowsTotal"]) for operator in operators),
        state_bytes=sum(int(operator["customMetrics"].get(FILES, 0)) for operator in operators),
        state_memory_bytes=sum(int(operator["memoryUsedBytes"]) for operator in operators),
        rows_per_second=sum(float(s["processedRowsPerSecond"]) for s in kafka) if kafka else None,
    )
