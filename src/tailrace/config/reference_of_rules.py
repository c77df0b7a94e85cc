"""Sections of the pipeline reference: rules, lists of verdicts, the archive."""

from __future__ import annotations

from tailrace.config.classify import Classify
from tailrace.config.ordered import AbsentFor, FirstSeen, Leaky, Sequence
from tailrace.config.outputs import Archive
from tailrace.config.reference_section import Section
from tailrace.config.rules import Alert, Record
from tailrace.config.verdicts import Repeat, VerdictSettings

SECTIONS = (
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
)
