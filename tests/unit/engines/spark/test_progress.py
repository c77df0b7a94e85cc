"""A progress as PySpark gives it (cut short), and what a status takes of it."""

from typing import Any

import pytest

from tailrace.engines.running import OnSpark
from tailrace.engines.spark.engine import SparkEngine
from tailrace.engines.spark.progress import told
from tailrace.engines.spark.settings import DEFAULTS
from tailrace.engines.status import SparkStatus

PLANS = "org.apache.spark.sql.execution.datasources.v2.python.PythonMicroBatchStream@2494732d"
OPERATOR = {
    "operatorName": "transformWithStateInPandasExec",
    "numRowsTotal": 6,
    "memoryUsedBytes": 8680,
    "customMetrics": {"rocksdbSstFileSize": 594941, "rocksdbGetCount": 8},
}
PROGRESS: dict[str, Any] = {
    "batchId": 3,
    "numInputRows": 2,
    "durationMs": {"addBatch": 900, "latestOffset": 2, "triggerExecution": 1048},
    "stateOperators": [OPERATOR],
    "sources": [{"description": PLANS, "processedRowsPerSecond": 2.0}],
}
KAFKA = {"description": "KafkaV2[Subscribe[nginx]]", "processedRowsPerSecond": 50_000.5}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, SparkStatus(3, 1.048, 6, 594941, 8680)),
        (
            {"sources": [KAFKA, *PROGRESS["sources"]]},
            SparkStatus(3, 1.048, 6, 594941, 8680, 50_000.5),
        ),
        ({"stateOperators": [OPERATOR] * 2}, SparkStatus(3, 1.048, 12, 1189882, 17360)),
        # Nothing to do: Spark tells every ten seconds that it waits.
        ({"durationMs": {"latestOffset": 2, "triggerExecution": 2}}, None),
    ],
)
def test_told(changed: dict[str, Any], found: SparkStatus | None) -> None:
    assert told(PROGRESS | changed) == found


def test_before_the_first_batch() -> None:
    assert told(None) is None


def test_spark_keeps_the_last_progress() -> None:
    values = {setting.name: setting.value for setting in DEFAULTS}
    # It drops the oldest as long as there are this many or more, the newest included.
    assert int(values.get("spark.sql.streaming.numRecentProgressUpdates", 100)) > 1


def test_the_engine_tells() -> None:
    assert issubclass(SparkEngine, OnSpark)
