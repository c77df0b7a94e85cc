"""A pipeline and its log, in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

TEXT = """\
name: web
source: {file: {path: access.ndjson, follow: FOLLOW}}
time: {field: t, grace: 0s}
fields: {client: text, status: integer}
rules:
  - alert: flood
    by: client
    window: 10s
    when: count(*) >= 3
    annotations: {summary: "{client} made {count} requests"}
    to: [alerts]
  - alert: silent_failures
    by: client
    window: 10s
    when: count(*) filter (where status >= 500) > 0
  - record: counts
    by: client
    window: 10s
    select: {requests: count(*)}
    to: [tab]
outputs:
  alerts: {file: {path: alerts.ndjson}}
  tab: {table: {name: counts}}
"""


def write_pipeline(folder: Path, *, follow: bool = False, text: str = TEXT) -> Path:
    path = folder / "web.yaml"
    path.write_text(text.replace("FOLLOW", str(follow).lower()))
    return path


def rows(times: Iterable[int], client: str = "192.0.2.7", status: int = 200) -> str:
    return "".join(f'{{"t":{t},"client":"{client}","status":{status}}}\n' for t in times)


def append(folder: Path, text: str) -> None:
    with (folder / "access.ndjson").open("a") as log:
        log.write(text)
