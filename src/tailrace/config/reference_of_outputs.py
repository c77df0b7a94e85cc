"""Sections of the pipeline reference: outputs."""

from __future__ import annotations

from tailrace.config.cluster import NewTopic
from tailrace.config.outputs import FileOutput, Output, TableOutput, TerminalOutput
from tailrace.config.reference_section import Section
from tailrace.config.targets.http import AlertmanagerOutput, WebhookOutput
from tailrace.config.targets.kafka import KafkaOutput
from tailrace.config.targets.opensearch import OpenSearchOutput
from tailrace.config.targets.redis import RedisOutput
from tailrace.config.targets.sql import SqlOutput
from tailrace.config.targets.tls import TlsSettings

SECTIONS = (
    Section(
        "outputs",
        2,
        Output,
        """\
outputs:
  alerts: {terminal: {}, zone: Europe/Madrid}
  rows: {file: {path: out/rows.ndjson}, rows: windows}
""",
    ),
    Section(
        "outputs: file",
        3,
        FileOutput,
        """\
outputs:
  alerts: {file: {path: out/alerts.ndjson}}
  rows: {file: {path: out/rows, format: parquet}}
""",
    ),
    Section("outputs: terminal", 3, TerminalOutput, "outputs: {alerts: {terminal: {}}}\n"),
    Section("outputs: table", 3, TableOutput, "outputs: {rows: {table: {name: requests}}}\n"),
    Section(
        "outputs: kafka",
        3,
        KafkaOutput,
        """\
outputs:
  goal1:
    kafka:
      brokers: [kafka-1:9092, kafka-2:9092]
      topic: goal1-topic
      key: "{id}"
      options: {compression.type: zstd}
""",
    ),
    Section(
        "outputs: kafka: create",
        4,
        NewTopic,
        """\
outputs:
  goal1: {kafka: {topic: goal1-topic, create: {partitions: 3, replication: 2}}}
""",
    ),
    Section(
        "outputs: opensearch",
        3,
        OpenSearchOutput,
        """\
outputs:
  raw: {opensearch: {url: "http://localhost:9200", index: test-inter}}
""",
    ),
    Section(
        "outputs: sql",
        3,
        SqlOutput,
        """\
outputs:
  alerts: {sql: {url: "postgresql://user:${PASSWORD:-}@localhost/alerts", table: incidents}}
""",
    ),
    Section(
        "outputs: redis",
        3,
        RedisOutput,
        """\
outputs:
  bots:
    redis:
      url: rediss://redis.example.org:6380/0
      password: "${REDIS_PASSWORD:-}"
      key: "bot_{client_ip}"
      ttl: 10m
      on_resolved: delete
  series:
    redis:
      type: timeseries
      key: "requests_{client_ip}"
      value: "{count}"
      labels: {srcIP: "{client_ip}", dataType: requests}
      retention: 7d
    rows: windows
""",
    ),
    Section(
        "outputs: tls",
        4,
        TlsSettings,
        """\
outputs:
  bots: {redis: {url: "rediss://localhost/0", key: "{id}", tls: {ca: /etc/ssl/our-ca.pem}}}
""",
    ),
    Section(
        "outputs: webhook",
        3,
        WebhookOutput,
        """\
outputs:
  chat:
    webhook:
      url: "https://hooks.example.org/services/${HOOK:-x}"
      body: {text: "*{rule}* {state}: {client_ip} made {count} requests"}
    notices: false                 # they come before {count} is known
  events:
    webhook:
      url: https://collector.example.org/v1/events
      token: "${COLLECTOR_TOKEN:-x}"
      batch: 500
      format: ndjson
""",
    ),
    Section(
        "outputs: alertmanager",
        3,
        AlertmanagerOutput,
        """\
outputs:
  pager:
    alertmanager:
      url: http://alertmanager:9093
      labels: {environment: production}
      generator_url: "https://grafana.example.org/d/nginx?var-client={client_ip}"
""",
    ),
)
