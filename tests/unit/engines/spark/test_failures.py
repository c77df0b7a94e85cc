"""What is told of Spark's errors."""

import pytest

from tailrace.engines.spark.failures import failed, first_line

WORKER = """\
[STREAM_FAILED] Query [id = 5fd12977, runId = d4af913a] terminated with exception: \
[FOREACH_BATCH_USER_FUNCTION_ERROR] An error occurred in the user provided function in foreach \
batch sink. Reason: An exception was raised by the Python Proxy. Return Message: Traceback (most \
recent call last):
  File "/x/py4j/clientserver.py", line 644, in _call_proxy
    return_value = getattr(self.pool[obj_id], method)(*params)
pyspark.errors.exceptions.captured.PythonException: An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "/x/workers.py", line 61, in __call__
    for shard, payload in rows:
{error}
 SQLSTATE: 39000
Caused by: py4j.Py4JException: An exception was raised by the Python Proxy. Return Message: \
Traceback (most recent call last):
  File "/x/query.py", line 88, in batch
"""
JAVA = """\
An error occurred while calling o51.awaitTermination.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 failed
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2844)
Caused by: org.apache.hadoop.fs.FSError: write failed
\tat org.apache.hadoop.fs.RawLocalFileSystem.write(RawLocalFileSystem.java:260)
Caused by: java.io.IOException: File too large
\tat java.base/java.io.FileOutputStream.writeBytes(Native Method)
"""
CASES = {
    "AttributeError: 'Job' has no 'number'": WORKER.format(
        error="AttributeError: 'Job' has no 'number'"
    ),
    "in.log is not what it was": WORKER.format(
        error="tailrace.errors.SourceError: in.log is not what it was"
    ),
    "Python in worker is 3.9": WORKER.format(
        error="pyspark.errors.PySparkError: [PYTHON_VERSION_MISMATCH] Python in worker is 3.9"
    ),
    "File too large": JAVA,
    "Job aborted": "org.apache.spark.SparkException: Job aborted SQLSTATE: XXKST\n\tat x.y(Z:1)",
    "Failed to find the data source: kafka": (
        "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: kafka SQLSTATE: 42K02"
    ),
    "RuntimeError": "",
}


@pytest.mark.parametrize(("wanted", "text"), CASES.items())
def test_one_sentence(wanted: str, text: str) -> None:
    assert first_line(RuntimeError(text)) == wanted


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("org.apache.spark.SparkException: Python worker failed to connect back.", "10 s"),
        ("java.io.IOException: No space left on device", "make room"),
        ("Caused by: a.B: Fetch position F is out of range for partition t-0", "a new store"),
        ("java.lang.IllegalStateException: Some data may have been lost because", "a new store"),
        ("java.io.IOException: whatever", "run again to go on"),
    ],
)
def test_what_to_do(text: str, hint: str) -> None:
    told = failed("Spark has stopped the query", RuntimeError(text)).render()
    assert hint in told.partition("Hint: ")[2]


def test_messages_that_expired() -> None:
    text = (
        "Caused by: org.apache.kafka.clients.consumer.OffsetOutOfRangeException: Fetch position"
        " FetchPosition{offset=400, offsetEpoch=Optional.empty} is out of range for partition a-b-0"
    )
    told = failed("Spark has stopped the query", RuntimeError(text)).render()
    assert "messages of a-b/0 from offset 400 on are gone before they were read" in told
    assert "expired" in told.partition("Hint: ")[2]
