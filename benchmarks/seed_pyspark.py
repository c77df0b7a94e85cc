"""Goals 1 to 4 of `examples/nginx` as one would write them in PySpark, without Tailrace.

Four structured-streaming jobs, one after the other: `window` over event time, hopping windows by
Spark's own expansion, counts above a limit in update mode, no watermark, so state is never
forgotten and a row is written anew with each batch that changes it. Results go nowhere from files
(the cheapest sink there is), and to a topic for each goal from a topic, as rows of JSON.

    seed_pyspark.py FIRST REST          files: the warm-up, then what is measured
    seed_pyspark.py --kafka BROKERS --topic TOPIC --jars FILES
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it
from spark_runs import MASTER, Done, Input, TreeWatch

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery

FIELDS = (
    "server STRING, client_ip STRING, method STRING, status STRING, request_time STRING, "
    "host STRING, country STRING, `@timestamp` STRING"
)


def goal1(events: DataFrame) -> DataFrame:
    """More than 10 requests of a client in 20 seconds, every second."""
    windows = F.window("@timestamp", "20 seconds", "1 seconds")
    return events.groupBy(windows, "client_ip").count().filter("count > 10")


def goal2(events: DataFrame) -> DataFrame:
    """More than 15 client errors of a host in 30 seconds, every second."""
    failed = events.filter("status BETWEEN 400 AND 499")
    windows = F.window("@timestamp", "30 seconds", "1 seconds")
    return failed.groupBy(windows, "host").count().filter("count > 15")


def goal3(events: DataFrame) -> DataFrame:
    """Successful requests of each country, by the minute."""
    served = events.filter("status BETWEEN 200 AND 299")
    return served.groupBy(F.window("@timestamp", "1 minutes"), "country").count()


def goal4(events: DataFrame) -> DataFrame:
    """The average response time of each host, by the minute."""
    return events.groupBy(F.window("@timestamp", "1 minutes"), "host").avg("request_time")


GOALS: Mapping[str, Callable[[DataFrame], DataFrame]] = {
    "goal1": goal1,
    "goal2": goal2,
    "goal3": goal3,
    "goal4": goal4,
}


def events_of(lines: DataFrame) -> DataFrame:
    """Events with typed columns, from a column `value` of JSON."""
    parsed = lines.select(F.from_json(F.col("value").cast("string"), FIELDS).alias("event"))
    return parsed.select(
        F.col("event.client_ip"),
        F.col("event.host"),
        F.col("event.country"),
        F.col("event.status").cast("int").alias("status"),
        F.col("event.request_time").cast("double").alias("request_time"),
        F.col("event.`@timestamp`").cast("double").cast("timestamp").alias("@timestamp"),
    )


def over_files(spark: SparkSession, source: Input) -> Done:
    """Each goal over both files, the second put there when the first was read."""
    warm_up, seconds, cpu = 0.0, 0.0, 0.0
    parts = {}
    lines = sum(path.read_bytes().count(b"\n") for path in (source.first, source.rest))
    for name, goal in GOALS.items():
        folder = Path(f"{name}-input")
        source.lay(folder)
        before = TreeWatch()
        query = (
            goal(events_of(spark.readStream.text(str(folder.resolve()))))
            .writeStream.outputMode("update")
            .option("checkpointLocation", str(Path(f"{name}-checkpoint").resolve()))
            .format("noop")
            .start()
        )
        query.processAllAvailable()
        warm_up += before.stop().seconds
        watch = TreeWatch()
        source.lay_rest(folder)
        query.processAllAvailable()
        timing = watch.stop()
        assert rows_of(query) == lines
        query.stop()
        parts[name] = timing.seconds
        seconds += timing.seconds
        cpu += timing.cpu_seconds
    return Done(warm_up, seconds, cpu, parts)


def rows_of(query: StreamingQuery) -> int:
    """How many lines a query has read."""
    return sum(progress.numInputRows for progress in query.recentProgress)


def over_topic(spark: SparkSession, brokers: str, topic: str) -> Done:
    """Each goal over what a topic has, from the start of its job; nothing is warm."""
    seconds, cpu = 0.0, 0.0
    parts = {}
    for name, goal in GOALS.items():
        watch = TreeWatch()
        lines = (
            spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", brokers)
            .option("subscribe", topic)
            .option("startingOffsets", "earliest")
            .load()
        )
        query = (
            goal(events_of(lines))
            .select(F.to_json(F.struct("*")).alias("value"))
            .writeStream.outputMode("update")
            .option("checkpointLocation", str(Path(f"{name}-checkpoint").resolve()))
            .option("kafka.bootstrap.servers", brokers)
            .option("topic", f"{topic}-{name}")
            .format("kafka")
            .start()
        )
        query.processAllAvailable()
        timing = watch.stop()
        query.stop()
        parts[name] = timing.seconds
        seconds += timing.seconds
        cpu += timing.cpu_seconds
    return Done(0.0, seconds, cpu, parts)


def main() -> None:
    """Run all four and print what it took, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--kafka", metavar="BROKERS")
    parser.add_argument("--topic")
    parser.add_argument("--jars", help="the Kafka connector, with commas between")
    parser.add_argument("--shuffle-partitions", type=int, default=200)
    given = parser.parse_args()
    builder = (
        SparkSession.builder.master(MASTER)
        .appName("goals")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", given.shuffle_partitions)
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
    )
    if given.jars:
        builder = builder.config("spark.jars", given.jars)
    spark = builder.getOrCreate()
    if given.kafka:
        done = over_topic(spark, given.kafka, given.topic)
    else:
        done = over_files(spark, Input(*given.files))
    spark.stop()
    done.tell()


if __name__ == "__main__":
    main()
