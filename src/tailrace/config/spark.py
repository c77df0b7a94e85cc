"""How the Spark engine runs a pipeline; the embedded engine doesn't look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.scalars import Count, Filled, LabelText, PositiveSpan
from tailrace.config.several import SeveralOrNone
from tailrace.config.units import Duration

RESERVED = {
    "spark.sql.adaptive.enabled": "state must stay where it is",
    "spark.sql.streaming.stateStore.providerClass": "the engine's state needs RocksDB",
    "spark.sql.shuffle.partitions": "the key 'shards' says it",
    "spark.sql.session.timeZone": "times are UTC",
    "spark.sql.streaming.noDataMicroBatches.enabled": "what time alone brings comes as a plan",
    "spark.sql.execution.arrow.useLargeVarTypes": "messages are read in pieces that need none",
    "spark.master": "the key 'master' says it",
    "spark.jars": "the key 'jars' says it",
}
"""Settings that would undo what the engine promises."""


MOST_SHARDS = 64
"""As many as there are hash buckets."""


def _shards(count: int) -> int:
    if count > MOST_SHARDS:
        raise refusal(f"expected at most {MOST_SHARDS}, found {count}")
    return count


_Shards = Annotated[Count, AfterValidator(_shards)]


class SparkSettings(Model):
    """Settings of `tailrace run --engine spark`; needs `tailrace[spark]` and Java 17."""

    master: Filled = Field(
        default="local[*]",
        description="Where Spark runs; `--master` overrides it.",
        examples=["spark://spark-master:7077"],
    )
    checkpoint: Filled | None = Field(
        default=None,
        description=(
            "Spark's checkpoint: a folder, or the address of one that all workers reach (`hdfs:`,"
            " `s3a:`). By default beside the store, its name with `.checkpoint`."
        ),
        examples=["hdfs://namenode/tailrace/nginx"],
    )
    shards: _Shards | None = Field(
        default=None,
        description=(
            "Over how many tasks the state of keys is dealt out, 64 at most; fixed when the"
            " checkpoint is made. By default as many as there are cores."
        ),
    )
    trigger: PositiveSpan = Field(
        default=Duration(100_000),
        description="How often it is looked for new records when a batch is done before.",
    )
    max_records: Count = Field(
        default=2_000_000,
        description="The most messages of Kafka that one batch takes.",
    )
    jars: SeveralOrNone = Field(
        default=(),
        description=(
            "Files with the Kafka connector and what it needs, where `spark.jars.packages` can't"
            " fetch it."
        ),
        examples=[["/opt/tailrace/jars/spark-sql-kafka-0-10_2.13-4.2.0.jar"]],
    )
    conf: Mapping[str, LabelText] = Field(
        default={},
        description="Spark's own settings, passed on as they are.",
        examples=[{"spark.executor.memory": "4g"}],
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Settings that are not Spark's, or that would undo what the engine promises."""
        conf = given.get("conf")
        for name in conf if isinstance(conf, Mapping) else ():
            if name in RESERVED:
                yield Complaint(
                    ("conf", str(name)), f"{name} is not for a pipeline", RESERVED[name]
                )
            elif not str(name).startswith("spark."):
                yield Complaint(
                    ("conf", str(name)), f"{name} is no setting of Spark's", "they begin 'spark.'"
                )
