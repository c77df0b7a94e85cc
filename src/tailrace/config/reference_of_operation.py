"""Sections of the pipeline reference: what bounds, houses and runs a pipeline."""

from __future__ import annotations

from tailrace.config.operation import (
    DeadLetterSettings,
    ExplainSettings,
    Limits,
    OutboxSettings,
    StoreSettings,
)
from tailrace.config.reference_section import Section
from tailrace.config.spark import SparkSettings
from tailrace.config.web import WebSettings

SECTIONS = (
    Section("limits", 2, Limits, "limits: {max_keys: 100000, max_record_bytes: 64KiB}\n"),
    Section("dead_letters", 2, DeadLetterSettings, "dead_letters: {max_bytes: 1GiB}\n"),
    Section("outbox", 2, OutboxSettings, "outbox: {max_bytes: 10GiB}\n"),
    Section("web", 2, WebSettings, 'web: {listen: "0.0.0.0:9464", token: "${TOKEN:-x}"}\n'),
    Section("explain", 2, ExplainSettings, "explain: {retain: 1d}\n"),
    Section("store", 2, StoreSettings, "store: {path: /var/lib/tailrace/nginx.duckdb}\n"),
    Section(
        "spark",
        2,
        SparkSettings,
        """\
spark:
  master: spark://spark-master:7077
  checkpoint: hdfs://namenode/tailrace/nginx
  shards: 16
  conf: {spark.executor.memory: 4g, spark.ui.enabled: "true"}
""",
    ),
)
