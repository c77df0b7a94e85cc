"""Sections of the pipeline reference: where records come from and what makes them events."""

from __future__ import annotations

from tailrace.config.allow import Allowed
from tailrace.config.event import Dedup, EventField, TimeSettings
from tailrace.config.format import Csv, Json, LogFormat
from tailrace.config.http_source import HttpSource
from tailrace.config.kafka import KafkaSource
from tailrace.config.packets import PACKET_FIELDS, CaptureSource, PcapSource
from tailrace.config.pipeline import PipelineConfig
from tailrace.config.reference_places import FileTable, HttpTable, RedisTable, SqlTable
from tailrace.config.reference_section import Section
from tailrace.config.references import Pivot, Reference
from tailrace.config.source import FileSource, FolderSource, SourceForm, StdinSource

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
)
