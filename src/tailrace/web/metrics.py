"""A status as metrics for Prometheus.

Names follow the grammar ``tailrace_<what>_<unit>[_total]``, as Vector's internal metrics have it;
counters of records, rules and delivered rows never go back over the life of a store, not only of a
process. Text of logs is in no label: partitions, rules, outputs, codes and stages are words of the
operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

if TYPE_CHECKING:
    from tailrace.engines.status import SparkStatus, Status

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECOND = 1_000_000

Row = tuple[tuple[str, ...], float]


def render(status: Status, version: str) -> bytes:
    """The exposition in Prometheus' text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(status, version))
    return generate_latest(registry)


class _Collector:
    """Gives the families of one status."""

    def __init__(self, status: Status, version: str) -> None:
        self._status = status
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Give each family once."""
        status = self._status
        pipeline = {"pipeline": status.pipeline, "version": self._version}
        info = GaugeMetricFamily(
            "tailrace_build_info", "Always 1; what runs.", labels=list(pipeline)
        )
        info.add_metric(list(pipeline.values()), 1)
        yield info
        yield from _records(status)
        yield from _rules(status)
        yield from _event_time(status)
        yield from _outputs(status)
        yield from _references(status)
        yield from _state(status)
        yield from _process(status)


def _records(status: Status) -> Iterator[Metric]:
    yield _counter("records_read", "Records read.", status.read)
    yield _counter("read_bytes", "Bytes of records read.", status.bytes)
    yield _counter("events", "Records that became events.", status.events)
    yield _counter("records_blank", "Records without content.", status.blank)
    yield _counter("events_duplicate", "Events that `dedup` dropped.", status.duplicates)
    yield _counters(
        "records_dead", "Dead letters, by reason.", ("code",), _by_name(status.dead_by_code)
    )
    yield _counters(
        "derive_errors",
        "Events for which a derived field could not be computed.",
        ("field",),
        _by_name(status.derive_errors),
    )
    yield _counters("notes", "What happened that is no error.", ("code",), _by_name(status.notes))


def _rules(status: Status) -> Iterator[Metric]:
    accounts = {
        "rule_events": ("Events that the rule judged.", "events"),
        "rule_events_filtered": ("Events that `where` left out, or without a key.", "filtered"),
        "rule_events_late": ("Events whose windows had closed.", "late"),
        "rule_events_evicted": ("Events of keys beyond `max_keys`.", "evicted"),
        "rule_keys_forgotten": ("Keys that an ordered rule had no place for.", "forgotten"),
        "rule_events_matched": ("Events that the rule accepted.", "accepted"),
        "rule_errors": ("Failing operations in the rule's expressions.", "errors"),
        "rule_firings": ("Closed windows, or events, for which the rule fired.", "firings"),
    }
    for name, (said, field) in accounts.items():
        rows = [((rule.name,), getattr(rule, field)) for rule in status.rules]
        yield _counters(name, said, ("rule",), rows)
    labelled = [
        ((rule.name, label), events)
        for rule in status.rules
        for label, events in sorted(rule.labels.items())
    ]
    said = "Events of each label that a rule gives."
    yield _counters("rule_events_labelled", said, ("rule", "label"), labelled)
    yield _gauges(
        "rule_open_windows",
        "Windows that are not closed yet.",
        ("rule",),
        [((r.name,), r.open_windows) for r in status.rules if r.open_windows is not None],
    )
    yield _gauge("incidents_firing", "Incidents that fire now.", status.incidents)


def _event_time(status: Status) -> Iterator[Metric]:
    if status.watermark is not None:
        yield _gauge("watermark_timestamp_seconds", "The watermark.", status.watermark / SECOND)
        yield _gauge(
            "watermark_lag_seconds",
            "How far the watermark is behind the clock.",
            (status.at - status.watermark) / SECOND,
        )
    yield _counters(
        "partition_records_read",
        "Records read of a partition.",
        ("partition",),
        [((p.name,), p.read) for p in status.partitions],
    )
    yield _gauges(
        "partition_position",
        "Position after the last record read: an offset, or bytes.",
        ("partition", "generation"),
        [((p.name, str(p.generation)), p.position) for p in status.partitions],
    )
    yield _gauges(
        "partition_newest_timestamp_seconds",
        "The greatest event time of a partition.",
        ("partition",),
        [((p.name,), p.newest / SECOND) for p in status.partitions if p.newest is not None],
    )
    yield _gauges(
        "partition_live",
        "Whether a partition holds the watermark.",
        ("partition",),
        [((p.name,), p.liveness == "live") for p in status.partitions],
    )


def _outputs(status: Status) -> Iterator[Metric]:
    labels = ("output", "kind")
    # Tables are written with the epoch: nothing is ever delivered to them.
    outputs = [
        ((o.name, o.kind.split()[0] if o.kind else ""), o)
        for o in status.outputs
        if not o.kind.startswith("table")
    ]
    yield _counters(
        "output_rows_delivered",
        "Rows that an output confirmed.",
        labels,
        [(who, output.delivered) for who, output in outputs],
    )
    yield _counters(
        "output_rows_refused",
        "Rows that an output refused for good, since this process began.",
        labels,
        [(who, output.refused) for who, output in outputs],
    )
    yield _gauges(
        "outbox_rows",
        "Rows that wait for an output.",
        labels,
        [(who, output.waiting_rows) for who, output in outputs],
    )
    yield _gauges(
        "outbox_bytes",
        "Bytes that wait for an output.",
        labels,
        [(who, output.waiting_bytes) for who, output in outputs],
    )
    yield _gauges(
        "outbox_age_seconds",
        "For how long an output has confirmed nothing although something waits.",
        labels,
        [(who, output.waiting_seconds) for who, output in outputs],
    )
    yield _gauges(
        "output_up",
        "Whether the last delivery to an output succeeded.",
        labels,
        [(who, output.error is None) for who, output in outputs],
    )


def _references(status: Status) -> Iterator[Metric]:
    named = ("reference",)
    rows = [((one.name,), one.rows) for one in status.references if one.rows is not None]
    yield _gauges("reference_rows", "Rows of a reference.", named, rows)
    loaded = [
        ((one.name,), one.loaded_at / SECOND)
        for one in status.references
        if one.loaded_at is not None
    ]
    yield _gauges(
        "reference_loaded_timestamp_seconds", "When a reference was last loaded.", named, loaded
    )
    failed = [((one.name,), float(one.error is not None)) for one in status.references]
    yield _gauges(
        "reference_failing", "Whether a reference could not be loaded last.", named, failed
    )
    versions = [((one.name, one.version), 1.0) for one in status.references if one.version]
    yield _gauges(
        "reference_info", "Always 1; the version in force.", ("reference", "version"), versions
    )


def _state(status: Status) -> Iterator[Metric]:
    for name, said in (("keys", "Keys"), ("rows", "Rows"), ("bytes", "Bytes")):
        yield _gauges(
            f"state_{name}",
            f"{said} held for the rules that share partials.",
            ("rules",),
            [((",".join(g.rules),), getattr(g, name)) for g in status.groups],
        )
    yield _gauges(
        "verdicts_listed",
        "Keys that are on a list of verdicts.",
        ("list",),
        [((one.name,), one.listed) for one in status.verdicts],
    )
    yield _gauge("archive_held_rows", "Archived events that wait for verdicts.", status.held_rows)
    yield _gauge("archive_held_bytes", "Their bytes in memory.", status.held_bytes)
    yield _gauge("store_bytes", "Size of the store's file.", status.store_bytes)
    yield _counter("epochs", "Epochs committed.", status.epoch)


def _process(status: Status) -> Iterator[Metric]:
    process = status.process
    if process is None:
        return
    yield _gauge("source_up", "Whether the source can be read.", status.source_error is None)
    yield _gauge("start_timestamp_seconds", "When the process began.", process.started_at / SECOND)
    yield _counters(
        "stage_seconds",
        "Time by stage, over all threads, since the process began.",
        ("stage",),
        [((stage,), seconds) for stage, seconds in process.times.items()],
    )
    yield _gauge(
        "reload_successful",
        "Whether the pipeline file, when it was last read, was taken up.",
        process.reload_error is None,
    )
    if process.spark is not None and process.spark.batch >= 0:
        yield from _spark(process.spark)


def _spark(spark: SparkStatus) -> Iterator[Metric]:
    yield _gauge("spark_batch", "Number of Spark's last batch.", spark.batch)
    yield _gauge("spark_batch_seconds", "How long Spark's last batch took.", spark.batch_seconds)
    yield _gauge("spark_state_rows", "Rows in Spark's state.", spark.state_rows)
    yield _gauge("spark_state_bytes", "Files of Spark's state.", spark.state_bytes)
    yield _gauge("spark_state_memory_bytes", "Memory of Spark's state.", spark.state_memory_bytes)
    if spark.rows_per_second is not None:
        yield _gauge(
            "spark_rows_per_second",
            "Messages a second of Spark's last batch.",
            spark.rows_per_second,
        )


def _by_name(counts: Mapping[str, int]) -> list[Row]:
    return [((name,), count) for name, count in counts.items()]


def _counter(name: str, said: str, value: float) -> Metric:
    return CounterMetricFamily(f"tailrace_{name}", said, value=value)


def _counters(name: str, said: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    family = CounterMetricFamily(f"tailrace_{name}", said, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tailrace_{name}", said, value=value)


def _gauges(name: str, said: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    family = GaugeMetricFamily(f"tailrace_{name}", said, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
