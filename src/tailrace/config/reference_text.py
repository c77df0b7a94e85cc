"""The words and examples of the pipeline reference that are not in the models."""

from __future__ import annotations

from typing import NamedTuple

from tailrace.config.allow import Allowed
from tailrace.config.base import Model
from tailrace.config.classify import Classify
from tailrace.config.cluster import NewTopic
from tailrace.config.event import Dedup, EventField, TimeSettings
from tailrace.config.format import Csv, Json, LogFormat
from tailrace.config.http_source import HttpSource
from tailrace.config.kafka import KafkaSource
from tailrace.config.operation import (
    DeadLetterSettings,
    ExplainSettings,
    Limits,
    OutboxSettings,
    StoreSettings,
)
from tailrace.config.ordered import AbsentFor, FirstSeen, Leaky, Sequence
from tailrace.config.outputs import Archive, FileOutput, Output, TableOutput, TerminalOutput
from tailrace.config.packets import PACKET_FIELDS, CaptureSource, PcapSource
from tailrace.config.pipeline import PipelineConfig
from tailrace.config.reference_places import FileTable, HttpTable, RedisTable, SqlTable
from tailrace.config.references import Pivot, Reference
from tailrace.config.rules import Alert, Record
from tailrace.config.source import FileSource, FolderSource, SourceForm, StdinSource
from tailrace.config.spark import SparkSettings
from tailrace.config.targets.http import AlertmanagerOutput, WebhookOutput
from tailrace.config.targets.kafka import KafkaOutput
from tailrace.config.targets.opensearch import OpenSearchOutput
from tailrace.config.targets.redis import RedisOutput
from tailrace.config.targets.sql import SqlOutput
from tailrace.config.targets.tls import TlsSettings
from tailrace.config.verdicts import Repeat, VerdictSettings
from tailrace.config.web import WebSettings


class Section(NamedTuple):
    """One section under the key that it stands for: a model, or prose where there is none."""

    title: str
    level: int
    model: type[Model] | None
    example: str
    prose: str = ""


INTRODUCTION = """\
A pipeline is one YAML file. This page lists every key; it is generated from the code that reads
the file, by `python -m tailrace.config.reference`. An unknown key is an error, and all errors of a
file are shown at once, each with its line and column.
"""

WRITING = """\
## How values are written

**Durations** are whole numbers with a unit, `500ms`, `20s`, `5m`, `2h`, `1d`, `1w`, or several in
that order of size: `1h30m`. `0` needs no unit.

**Sizes** are bytes, or whole numbers with `kB`, `MB`, `GB` (thousands) or `KiB`, `MiB`, `GiB`
(1024s): `64MiB`.

**Text** stays text: `no`, `1:30` and `2024-01-01` need no quotes. YAML needs quotes around text
that begins with `@`, `{`, `[`, `*`, `&`, `!`, `%`, a quote or a backtick, and around text with
`: ` or ` #` in it. The backslash means itself in single quotes and begins an escape in double ones.

**Environment.** `${NAME}` in a value stands for an environment variable and `${NAME:-default}` for
one that may be missing or empty. It is filled in after the YAML was read, so a value can't add
keys, and it is shown in no error. `$${` is a plain `${`; nginx's `${name}` is best written `$name`.

**Overrides.** `--set key=value` replaces one value of the file: `--set time.grace=10s`. Rules are
addressed by name, other lists by index from 0: `--set 'rules.client_flood.when=count(*) > 5'`.

**Anchors.** `&name`, `*name` and `<<: *name` work as everywhere in YAML; tags don't.

**Editors.** `tailrace schema` prints a JSON schema with which editors complete and check.

**Paths** are relative to the folder in which the command runs.
"""

PYTHON = """\
## The same in Python

The models behind the file can be built directly; names that are Python's own words end in `_`
(`for_`, `from_`), and a rule's name is `name`. Durations are text, `timedelta` or
`Duration("5s")`. Mistakes raise `tailrace.errors.PipelineError`, as in a file.

```python
from tailrace.config import (
    Alert,
    FileSource,
    Output,
    PipelineConfig,
    TerminalOutput,
    TimeSettings,
    Window,
    dumps,
)

pipeline = PipelineConfig(
    name="nginx",
    source=FileSource(path="access.ndjson"),
    time=TimeSettings(field="timestamp", grace="10s"),
    fields={"client_ip": "text", "status": "integer"},
    rules=[
        Alert(
            name="client_flood",
            by="client_ip",
            window=Window.parse("20s every 1s"),
            when="count(*) > 10",
            for_="2m",
            to=("alerts",),
        )
    ],
    outputs={"alerts": Output(terminal=TerminalOutput())},
)
print(dumps(pipeline))  # the YAML that means the same
```
"""

PACKETS = "\n".join(
    [
        "Fields take what a packet has, by its name (or with `from`):",
        "",
        "| source key | type | is |",
        "|---|---|---|",
        *(
            f"| `{name}` | {', '.join(types)} | {what} |"
            for name, (types, what) in PACKET_FIELDS.items()
        ),
    ]
)

FORMATS = """\
| format | a record is |
|---|---|
| `json` | one JSON object; `from: [a, b]` leads into nested ones; with options, a mapping (below) |
| `combined` | nginx's and Apache's `combined` line |
| `common` | a line of the common log format |
| `csv` | comma-separated values under a header; with options, a mapping (below) |
| `plain` | one text: the source key `value`; there is no other |
| `{log_format: ...}` | a line as an nginx `log_format` writes it (below) |

In `combined`, `common` and `log_format` the source keys are nginx's variables without the dollar:
`remote_addr`, `remote_user`, `time_local`, `request`, `status`, `body_bytes_sent`, `http_referer`,
`http_user_agent`, and of a request its parts `request_method`, `request_uri` and
`server_protocol`."""

SECTIONS = (
    Section(
        "The file",
        2,
        PipelineConfig,
        """\
name: nginx
source: {file: {path: /var/log/nginx/access.ndjson, follow: true}}
format: json
time: {field: timestamp, grace: 5s}
fields: {client_ip: text, host: text, status: integer, request_time: double}
rules:
  - alert: client_flood
    by: client_ip
    window: 20s every 1s
    when: count(*) > 10
    annotations: {summary: "{client_ip} made {count} requests in 20 s"}
    to: alerts
outputs:
  alerts: {terminal: {}}
""",
    ),
    Section("source", 2, SourceForm, "source: {file: {path: access.ndjson}}\n"),
    Section(
        "source.file",
        3,
        FileSource,
        """\
source:
  file:
    path: [/var/log/nginx/*/access.log, /var/log/nginx/access.log]
    follow: true
    fields: '/nginx/(?P<vhost>[^/]+)/access\\.log$'
""",
    ),
    Section(
        "source.folder",
        3,
        FolderSource,
        """\
source:
  folder: {path: spool, pattern: "*.ndjson", follow: true}
""",
    ),
    Section("source.stdin", 3, StdinSource, "source: {stdin: {}}\n"),
    Section(
        "source.kafka",
        3,
        KafkaSource,
        """\
source:
  kafka:
    brokers: [kafka-1:9092, kafka-2:9092]
    topics: [access-logs, "^app-.*-logs"]
    start: "2026-01-31T12:00:00Z"
    on_gap: count
    options:
      security.protocol: SASL_SSL
      sasl.mechanism: SCRAM-SHA-512
      sasl.username: tailrace
      sasl.password: "${KAFKA_PASSWORD:-}"
fields:
  client_ip: text
  bot: {type: text, from: _key}
  trace: {type: text, from: _headers.trace-id}
  position: {type: integer, from: _offset}
time: {field: _timestamp}
""",
    ),
    Section(
        "source.http",
        3,
        HttpSource,
        """\
source:
  http:
    listen: 0.0.0.0:8443
    path: /events
    token: "${EVENTS_TOKEN:-x}"
    certificate: /etc/tailrace/events.pem
    max_body_bytes: 1MiB
""",
    ),
    Section(
        "source.pcap",
        3,
        PcapSource,
        """\
source: {pcap: {path: [today.pcap, "captures/*.pcapng.gz"]}}
time: {field: time}
fields: {source: text, destination: text, protocol: text, bytes: integer}
""",
        PACKETS,
    ),
    Section(
        "source.capture",
        3,
        CaptureSource,
        """\
source:
  capture:
    interfaces: [eth0, lo]
    either: 192.0.2.7
time: {field: time}
fields: {source: text, destination: text, bytes: integer}
""",
    ),
    Section(
        "format",
        2,
        None,
        """\
format: combined
time: {field: time_local}
fields: {client_ip: {type: text, from: remote_addr}, status: integer, request_method: text}
""",
        FORMATS,
    ),
    Section(
        "format.json",
        3,
        Json,
        """\
format:
  json: {array_lines: true}         # [{"ip": ...},
time: {field: unix_time}
fields: {ip: text, type: text, category_id: integer}
""",
    ),
    Section(
        "format.log_format",
        3,
        LogFormat,
        """\
format:
  log_format: '$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time'
""",
    ),
    Section(
        "format.csv",
        3,
        Csv,
        """\
format:
  csv: {columns: [timestamp, client_ip, status], header: false, delimiter: ";"}
time: {field: timestamp}
fields: {client_ip: text, status: integer}
""",
    ),
    Section(
        "time",
        2,
        TimeSettings,
        """\
time:
  field: "@timestamp"
  format: iso
  zone: Europe/Madrid
  grace: 30s
  arrival: [meta, received_at]
""",
    ),
    Section(
        "fields",
        2,
        EventField,
        """\
fields:
  client_ip: {type: text, required: true, from: remote_addr}
  status: integer
  bytes: {type: integer, min: 0, from: [response, bytes]}
""",
    ),
    Section(
        "derive",
        2,
        None,
        """\
derive:
  path: split_part(request, ' ', 2)
  section: split_part(path, '/', 2)
fields: {request: text}
""",
        "Further fields by name, each an expression over the fields and those derived above it.",
    ),
    Section(
        "references",
        2,
        Reference,
        """\
references:
  users:
    file: {path: users.csv}
    key: client_ip
    columns: {client_ip: text, device: text, since: time}
    valid_from: since
""",
    ),
    Section(
        "references: file",
        3,
        FileTable,
        "references: {users: {file: {path: users.csv}, key: host, columns: {host: text}}}\n",
    ),
    Section(
        "references: sql",
        3,
        SqlTable,
        """\
references:
  limits:
    sql: {url: "postgresql://reader:${PASSWORD:-x}@localhost/web", table: limits, channel: changed}
    key: host
    columns: {host: text, least: integer, most: integer}
    refresh: 20m
""",
    ),
    Section(
        "references: redis",
        3,
        RedisTable,
        """\
references:
  trusted: {redis: {set: trusted}, key: value, columns: {value: text}, match: {value: client_ip}}
""",
    ),
    Section(
        "references: http",
        3,
        HttpTable,
        """\
references:
  owners:
    http: {url: "https://inventory.example/hosts.json", headers: {Authorization: "${TOKEN:-x}"}}
    key: host
    columns: {host: text, owner: text}
""",
    ),
    Section(
        "references: pivot",
        3,
        Pivot,
        """\
references:
  limits:
    file: {path: limits.json}
    columns: {limit_name: text, limit_value: integer, effective_date: time}
    valid_from: effective_date
    pivot:
      name: limit_name
      value: limit_value
      columns: {min: [Minimum, min], max: [Maximum, max]}
""",
    ),
    Section(
        "allow",
        2,
        Allowed,
        "allow: {client_ip: [10.0.0.0/8, 203.0.113.7]}\n",
        """\
Events that no rule sees, by field: a value or a list of values; networks, for addresses; or those
that a reference lists, `{reference: NAME}`. A rule can have an `allow` of its own.
""",
    ),
    Section("dedup", 2, Dedup, "dedup: {by: client_ip, within: 10m}\n"),
    Section(
        "rules: alert",
        2,
        Alert,
        """\
rules:
  - alert: host_errors
    by: host
    window: 1m
    when: count(*) >= 20 and count(*) filter (where status >= 500) / count(*) > 0.05
    for: 2m
    cooldown: 10m
    labels: {severity: page, host: "{host}"}
    annotations: {summary: "{host} fails"}
    to: [alerts]
  - alert: admin_page
    when: path like '/admin%' and status = 200
    to: [alerts]
  - alert: subnet_flood
    by: {net: "ip_prefix(client_ip, 24)"}
    window: 5m every 30s
    where: status != 304
    when: count(*) > 10000
    select: {clients: count(distinct client_ip)}
    keep_firing_for: 5m
    update_every: 1h
derive: {path: "split_part(request, ' ', 2)"}
""",
    ),
    Section(
        "leaky",
        3,
        Leaky,
        """\
rules:
  - alert: brute_force
    by: client_ip
    where: status = 401
    leaky: {capacity: 5, leak: 10s, blackhole: 5m}
  - alert: probing
    by: client_ip
    where: status = 404
    leaky: {capacity: 10, leak: 1s, distinct: path}
""",
    ),
    Section(
        "first_seen",
        3,
        FirstSeen,
        """\
rules:
  - alert: new_country
    by: [account, country]
    first_seen: 30d
  - alert: new_device
    by: [account, device]
    first_seen: {within: 90d, learn: 7d}
""",
    ),
    Section(
        "absent_for",
        3,
        AbsentFor,
        """\
rules:
  - alert: silent_host
    by: host
    absent_for: 5m
  - alert: silent_sensor
    by: sensor
    absent_for: {after: 1h, forget: 30d}
    for: 10m
""",
    ),
    Section(
        "sequence",
        3,
        Sequence,
        """\
rules:
  - alert: guessed_password
    by: account
    sequence:
      steps: {failed: "status = 401", login: "status = 200"}
      within: 10m
      cancel: path = '/reset'
    annotations: {summary: "{account} in at {login_at}, failed at {failed_at}"}
""",
    ),
    Section(
        "rules: record",
        2,
        Record,
        """\
rules:
  - record: host_latency
    by: host
    window: 1m
    select:
      mean: avg(request_time)
      p95: quantile(request_time, 0.95)
      requests: count(*)
    to: [rows]
""",
    ),
    Section(
        "rules: classify",
        2,
        Classify,
        """\
on_error: classify
rules:
  - classify: status
    labels:
      bad:
        unreadable: _error is not null
        bad_country: country is null or country not in ('FR', 'US')
      suspicious:
        large: request_time > 60
    else: good
    to_label: {bad: [rows]}
  - record: labels
    by: status
    window: 1m
    select: {events: count(*)}
    to: [rows]
""",
    ),
    Section(
        "verdicts",
        2,
        VerdictSettings,
        """\
rules:
  - {alert: flood, by: client_ip, window: 20s sliding, when: count(*) > 400}
verdicts:
  offenders: {from: flood, for: 10m, to: [rows]}
archive: {to: rows, verdicts: {is_offender: offenders}}
""",
    ),
    Section(
        "verdicts: repeat",
        3,
        Repeat,
        """\
rules:
  - {alert: flood, by: client_ip, window: 20s sliding, when: count(*) > 400}
verdicts:
  offenders: {from: flood, for: 10m, repeat: {factor: 2, most: 1d, within: 7d}}
""",
    ),
    Section("archive", 2, Archive, "archive: {to: rows}\n"),
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
