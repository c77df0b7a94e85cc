"""Spark's settings that a pipeline gets by default, each with its reason; the docs print them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailrace.config.spark import SparkSettings


@dataclass(frozen=True, slots=True)
class Setting:
    """One default; ``local``: only where driver and executors are one process."""

    name: str
    value: str
    reason: str
    local: bool = False


ROCKSDB = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"

DEFAULTS = (
    Setting(
        "spark.sql.streaming.stateStore.providerClass",
        ROCKSDB,
        "the stateful operator keeps named values, which this store alone has",
    ),
    Setting(
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled",
        "true",
        "a batch writes what it changed, not a snapshot of all state",
    ),
    Setting(
        "spark.sql.adaptive.enabled",
        "false",
        "the number of shuffle partitions is that of the shards and must stay",
    ),
    Setting(
        "spark.sql.execution.arrow.maxRecordsPerBatch",
        "100000",
        "rows reach Python in few large pieces",
    ),
    Setting(
        "spark.python.worker.reuse",
        "true",
        "a worker that stays keeps its compiled plan and the shards it had",
    ),
    Setting(
        "spark.python.daemon.module",
        "tailrace.engines.spark.daemon",
        "workers are forked from a process that has imported all they need",
    ),
    Setting(
        "spark.sql.streaming.noDataMicroBatches.enabled",
        "false",
        "what time alone brings comes as a plan; a batch without either would do nothing",
    ),
    Setting(
        "spark.sql.streaming.pollingDelay",
        "50ms",
        "how often an idle query asks its sources, the plans' in Python among them",
    ),
    Setting("spark.sql.session.timeZone", "UTC", "nothing may depend on a machine's zone"),
    Setting(
        "spark.driver.maxResultSize",
        "0",
        "what a batch gives the driver is bounded by what it reads; a limit would stop it for good",
    ),
    Setting(
        "spark.ui.enabled",
        "false",
        "it listens on every interface and asks for no password; set it to true where that is fine",
    ),
    Setting(
        "spark.sql.streaming.stopTimeout",
        "20s",
        "a stop waits no longer for a batch under way; it runs again at the next start",
    ),
    Setting(
        "spark.sql.streaming.numRecentProgressUpdates",
        "2",
        "each holds the plan of its batch; with 2 Spark keeps the last one, with 1 it keeps none",
    ),
    Setting("spark.ui.showConsoleProgress", "false", "the run has a display of its own"),
    Setting("spark.log.level", "WARN", "what is said goes to a file beside the store"),
    Setting("spark.driver.host", "127.0.0.1", "nobody else needs to reach the driver", local=True),
    Setting("spark.driver.bindAddress", "127.0.0.1", "as above", local=True),
)


def is_local(master: str) -> bool:
    """Whether driver and executors are one process."""
    return master.startswith("local") and not master.startswith("local-cluster")


def settings_of(settings: SparkSettings, master: str, shards: int | None) -> Mapping[str, str]:
    """What Spark is started with, the pipeline's own settings over the defaults.

    ``shards`` None: how many there are isn't known yet.
    """
    found = {s.name: s.value for s in DEFAULTS if is_local(master) or not s.local}
    found |= dict(settings.conf)
    if shards is not None:
        found["spark.sql.shuffle.partitions"] = str(shards)
    return found
