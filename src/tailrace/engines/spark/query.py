"""The streaming query: sources, mapper, shards, and the frames of each batch for the driver."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailrace.config.kafka import HEADER, is_pattern, start_ms
from tailrace.engines.spark.frames import MAPPED, REDUCED, Frame
from tailrace.engines.spark.kafka_options import java_options
from tailrace.engines.spark.kafka_rows import COLUMNS
from tailrace.engines.spark.planned import FORMAT, PlannedSlices
from tailrace.engines.spark.sealing import Sealed
from tailrace.engines.spark.shards import shard_keys
from tailrace.engines.spark.stateful import Reducers
from tailrace.engines.spark.workers import MapKafka, MapPlans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.streaming.readwriter import DataStreamReader

    from tailrace.config import KafkaSource
    from tailrace.engines.spark.jobs import Job


@dataclass(frozen=True, slots=True)
class Messages:
    """What is read of Kafka, and how: ``wanted`` is what fields take beside a message's value.

    ``most``: the most messages a batch takes. ``identities``: of the topics, by name.
    """

    source: KafkaSource
    wanted: tuple[str, ...]
    most: int
    identities: Mapping[str, str]


class Query:
    """A query over some jobs; started anew for each change of what workers must know."""

    def __init__(
        self,
        spark: SparkSession,
        jobs: tuple[Job, ...],
        *,
        plans: Path,
        checkpoint: str,
        messages: Messages | None = None,
        final: bool = False,
    ) -> None:
        """Build the data flow; ``plans``: the file in which the driver offers them.

        ``final``: messages that may have come since the end are left where they are.
        """
        sealed = Sealed(jobs)
        shards = sum(job.shards for job in jobs)
        keys = shard_keys(int(spark.conf.get("spark.sql.shuffle.partitions") or shards), shards)
        spark.dataSource.register(PlannedSlices)
        planned = spark.readStream.format(FORMAT).option("path", str(plans)).load()
        mapped = planned.mapInArrow(MapPlans(sealed, keys), MAPPED)
        if messages is not None:
            frame = kafka_frame(spark, messages)
            mapper = MapKafka(
                sealed, keys, messages.wanted, identities=messages.identities, final=final
            )
            mapped = frame.mapInArrow(mapper, MAPPED).union(mapped)
        self.frame: DataFrame = mapped.groupBy("shard").transformWithStateInPandas(
            statefulProcessor=Reducers(sealed, keys),
            outputStructType=REDUCED,
            outputMode="Update",
            timeMode="None",
        )
        self._checkpoint = checkpoint

    def start(
        self,
        conclude: Callable[[int, Sequence[Frame]], None],
        *,
        available_now: bool = False,
        once: bool = False,
        trigger: str | None = None,
    ) -> StreamingQuery:
        """Run it; ``conclude`` gets each batch's number and frames, in a thread of Spark's."""

        def batch(frame: DataFrame, number: int) -> None:
            # The one action: a second would run the stateful operator again.
            payloads = frame.toArrow()["payload"]
            conclude(number, [Frame.unpack(payload.as_buffer()) for payload in payloads])

        writer = (
            self.frame.writeStream.outputMode("update")
            .option("checkpointLocation", self._checkpoint)
            .foreachBatch(batch)
        )
        if once:
            writer = writer.trigger(once=True)
        elif available_now:
            writer = writer.trigger(availableNow=True)
        else:
            writer = writer.trigger(processingTime=trigger or "0 seconds")
        return writer.start()


def kafka_frame(spark: SparkSession, messages: Messages) -> DataFrame:
    """Spark's own Kafka source, with the columns that ``kafka_rows`` reads."""
    source = messages.source
    reader: DataStreamReader = spark.readStream.format("kafka").options(**java_options(source))
    patterns = [topic for topic in source.topics if is_pattern(topic)]
    if patterns:
        # As the driver understands them: whole names, and none that Kafka keeps for itself.
        names = [
            f"(?!__)(?:{topic})" if is_pattern(topic) else rf"\Q{topic}\E"
            for topic in source.topics
        ]
        reader = reader.option("subscribePattern", "|".join(f"(?:{name})" for name in names))
    else:
        reader = reader.option("subscribe", ",".join(source.topics))
    at = start_ms(source.start)
    if at is None:
        reader = reader.option("startingOffsets", source.start)
    else:
        reader = reader.option("startingTimestamp", str(at)).option(
            "startingOffsetsByTimestampStrategy", "latest"
        )
    reader = reader.option("failOnDataLoss", "true")
    reader = reader.option("maxOffsetsPerTrigger", str(messages.most))
    columns = list(COLUMNS)
    if "_key" in messages.wanted:
        columns.append("key")
    if any(name == "_headers" or name.startswith(HEADER) for name in messages.wanted):
        reader = reader.option("includeHeaders", "true")
        columns.append("headers")
    return reader.load().selectExpr(*columns)


def ends_of(query: StreamingQuery, format_: str = "KafkaV2") -> dict[str, int] | None:
    """By partition how far the query's last batch was planned; None without a batch."""
    progress: Any = query.lastProgress
    for source in progress["sources"] if progress else ():
        if str(source["description"]).startswith(format_) and source["endOffset"]:
            body = source["endOffset"]
            topics = json.loads(body) if isinstance(body, str) else body
            return {
                f"{topic}/{number}": int(offset)
                for topic, numbers in topics.items()
                for number, offset in numbers.items()
            }
    return None
