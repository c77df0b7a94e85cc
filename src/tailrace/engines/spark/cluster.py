"""What a run on Spark holds beside its session: Spark itself, the checkpoint, the input."""

from __future__ import annotations

import shutil
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.config import HttpSource, KafkaSource, StdinSource
from tailrace.config.kafka import beside_names
from tailrace.engines.delivery import Delivery
from tailrace.engines.embedded.opening import make_outputs
from tailrace.engines.spark.checkpoint import Begun, Checkpoint, taken_up
from tailrace.engines.spark.failures import failed
from tailrace.engines.spark.inputs import KafkaInput, PlannedInput
from tailrace.engines.spark.launching import launch
from tailrace.engines.spark.query import Messages, Query
from tailrace.engines.spark.scratch import scratch_folder
from tailrace.engines.spark.session import ClusterSession
from tailrace.engines.spark.support import refuse
from tailrace.errors import TailraceError
from tailrace.outputs import make_output
from tailrace.plan.compile import compile_text
from tailrace.sources.opening import open_source
from tailrace.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from tailrace.engines.concluding import Result
    from tailrace.engines.embedded.opening import MakeOutput
    from tailrace.engines.spark.frames import Frame
    from tailrace.engines.spark.inputs import Watched
    from tailrace.plan.model import Plan

MOST_SHARDS = 64


@dataclass
class Cluster:
    """Spark, the checkpoint and the input of one run.

    ``wanted``: a changed pipeline that is to be taken up; ``number``: of the last plan taken up.
    """

    spark: SparkSession
    checkpoint: Checkpoint
    shards: int
    input: Watched
    plans: Path
    folder: Path
    wanted: Plan | None
    begun: Begun | None
    accept_loss: bool = False
    number: int = 0

    def look_again(self) -> None:
        """See how far Spark has planned."""
        self.begun = self.checkpoint.begun()
        self.number = max(self.number, self.begun.number if self.begun is not None else 0)

    def start(
        self,
        session: ClusterSession,
        conclude: Callable[[int, Sequence[Frame]], None],
        *,
        available_now: bool = False,
        once: bool = False,
        final: bool = False,
    ) -> StreamingQuery:
        """Start a query for the session's plan; ``final``: messages are not read any more."""
        config = session.plan.config
        messages = None
        if isinstance(config.source, KafkaSource):
            wanted = beside_names(config.time, config.fields)
            assert isinstance(self.input, KafkaInput)  # noqa: S101 - made for this source
            messages = Messages(
                config.source, wanted, config.spark.max_records, self.input.identities
            )
        job = session.job(uuid.uuid4().hex, self.shards, accept_loss=self.accept_loss)
        try:
            query = Query(
                self.spark,
                (job,),
                plans=self.plans,
                checkpoint=self.checkpoint.path,
                messages=messages,
                final=final,
            )
            return query.start(
                conclude,
                available_now=available_now,
                once=once,
                trigger=f"{int(config.spark.trigger) // 1000} milliseconds",
            )
        except TailraceError:
            raise
        except Exception as error:
            # Py4J's errors have no common base with those of PySpark.
            raise failed("Spark doesn't start the query", error) from error

    def close(self) -> None:
        """Stop Spark and remove this run's files."""
        try:
            self.input.close()
        finally:
            self.spark.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


def open_cluster(  # noqa: PLR0913 - every part can be replaced by the caller
    plan: Plan,
    store_path: Path,
    *,
    master: str | None = None,
    until_end: bool = False,
    accept_loss: bool = False,
    make: MakeOutput = make_output,
    on_commit: Callable[[str], None] = lambda _: None,
    observe: Callable[[Result], None] = lambda _: None,
) -> tuple[ClusterSession, Cluster]:
    """Open store, outputs, Spark and checkpoint, and see that they fit together.

    Raises PipelineError for what Spark doesn't have, SparkMissingError, StoreError, SourceError or
    OutputError, with everything closed again.
    """
    refuse(plan.config)
    settings = plan.config.spark
    where = settings.master if master is None else master
    kafka = isinstance(plan.config.source, KafkaSource)
    with ExitStack() as undo:
        store = Store.open(store_path, plan.name)
        undo.callback(store.close)
        folder = scratch_folder()
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        delivery = Delivery(
            make_outputs(plan, store.identity, make=make), most_bytes=plan.config.outbox.max_bytes
        )
        undo.callback(delivery.close)
        source = _input(plan, store, store_path, until_end=until_end)
        undo.callback(source.close)
        if isinstance(source, KafkaInput):
            source.connect()
        log = store_path.with_name(store_path.name + ".spark.log")
        spark = launch(plan.name, settings, where, folder=folder, log=log, kafka=kafka)
        undo.callback(spark.stop)
        path = settings.checkpoint or f"{store_path.resolve()}.checkpoint"
        checkpoint = Checkpoint(spark, path)
        kept = store.pipeline()
        previous = None if kept is None else plan if kept == plan.text else compile_text(kept)
        session = ClusterSession(
            plan, store, source, delivery, previous=previous, on_commit=on_commit, observe=observe
        )
        mark = taken_up(
            checkpoint,
            session.state,
            pipeline=plan.name,
            store=store.identity,
            store_path=str(store_path),
            shards=settings.shards or min(MOST_SHARDS, spark.sparkContext.defaultParallelism),
        )
        session.state.checkpoint = mark.id
        spark.conf.set("spark.sql.shuffle.partitions", str(mark.shards))
        cluster = Cluster(
            spark,
            checkpoint,
            mark.shards,
            source,
            folder / "plans.json",
            folder,
            wanted=plan if session.plan is not plan else None,
            begun=None,
            accept_loss=accept_loss,
        )
        cluster.look_again()
        undo.pop_all()
    return session, cluster


def _input(plan: Plan, store: Store, store_path: Path, *, until_end: bool) -> Watched:
    config = plan.config.source
    if isinstance(config, KafkaSource):
        return KafkaInput(config, pipeline=plan.name, holder=store.identity, until_end=until_end)
    source = open_source(plan.config, until_end=until_end, holder=store.identity, store=store_path)
    return PlannedInput(source, carried=isinstance(config, StdinSource | HttpSource))
