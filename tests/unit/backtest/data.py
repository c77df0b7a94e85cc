"""A pipeline, events, and what is known of them, small enough to check by hand.

192.0.2.1 is busy once, from 12:00:00 to 12:01:00, 192.0.2.2 twice as much from 12:05:00 on, and
192.0.2.9 just a little; all others make one request in all.
"""

from __future__ import annotations

from pathlib import Path

from tailrace.api.inputs import source_of
from tailrace.backtest.history import History
from tailrace.backtest.running import run
from tailrace.backtest.sweep import parse_sweep, sweep
from tailrace.config import loads
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan

NOON = 1_714_564_800
SECOND = 1_000_000

PIPELINE = """
name: web
source: {file: {path: access.ndjson}}
time: {field: at, grace: 0s}
fields: {client_ip: text, status: integer}
rules:
  - alert: flood
    by: client_ip
    window: 10s
    when: count(*) > 5
    annotations: {summary: "{client_ip} made {count} requests"}
    to: [out]
  - alert: errors
    by: {client: client_ip, code: status}
    window: 10s
    when: count(*) >= 3 and 0.5 < avg(status) / 600
  - record: per_status
    by: status
    window: 1m
    select: {requests: count(*)}
  - alert: teapot
    when: status = 418
outputs:
  out: {file: {path: alerts.ndjson}}
"""


def plan(text: str = PIPELINE) -> Plan:
    return compile_pipeline(loads(text))


def line(at: float, ip: str, status: int = 200) -> str:
    return f'{{"at": {NOON + at}, "client_ip": "{ip}", "status": {status}}}'


def lines() -> list[str]:
    events: list[tuple[float, str]] = [(second, "192.0.2.1") for second in range(60)]
    events += [(300 + half / 2, "192.0.2.2") for half in range(120)]
    events += [(600 + 2 * step, "192.0.2.9") for step in range(10)]
    events += [(30 * number, f"198.51.100.{number}") for number in range(20)]
    return [line(at, ip, 418 if at == 0 else 200) for at, ip in sorted(events)]


TRUTH = (
    "client_ip,start,end\n"
    "192.0.2.1,2024-05-01T12:00:00Z,2024-05-01T12:01:00Z\n"
    "192.0.2.2,2024-05-01T12:05:00Z,2024-05-01T12:06:00Z\n"
    "192.0.2.3,2024-05-01T12:07:00Z,2024-05-01T12:08:00Z\n"
)


def history(of: Plan | None = None, *sweeps: str, records: list[str] | None = None) -> History:
    known = plan() if of is None else of
    source = source_of(
        known,
        files=None,
        records=lines() if records is None else records,
        tables=None,
        follow=False,
        until_end=True,
    )
    copies = [copy for text in sweeps for copy in sweep(known, parse_sweep(text)).copies]
    return run(known, source, copies=copies)


def written(folder: Path) -> Path:
    """The pipeline, the events and the truth as files of a folder; the pipeline's path."""
    (folder / "access.ndjson").write_text("\n".join(lines()) + "\n")
    (folder / "truth.csv").write_text(TRUTH)
    path = folder / "pipeline.yaml"
    path.write_text(PIPELINE.replace("path: access", f"path: {folder}/access"))
    return path
