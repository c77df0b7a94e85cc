"""A small pipeline over files, and sessions on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tailrace.config import loads
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.embedded.session import Session
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan

TEXT = """
name: small
source: {{file: {{path: "{folder}/in.ndjson", follow: {follow}}}}}
time: {{field: t, grace: 0s}}
fields: {{a: text, n: integer}}
rules:
  - alert: many
    by: a
    window: 10s
    when: count(*) >= 3
    annotations: {{summary: "{{a}} came {{count}} times"}}
    to: [out]
  - record: sums
    by: a
    window: 10s
    select: {{total: sum(n)}}
    to: [tab]
outputs:
  out: {{file: {{path: "{folder}/out.ndjson"}}}}
  tab: {{table: {{name: sums}}}}
"""


def plan_in(folder: Path, *, follow: bool = False, extra: str = "") -> Plan:
    text = TEXT.format(folder=folder, follow=str(follow).lower()) + extra
    return compile_pipeline(loads(text, "small.yaml"))


def lines(times: Iterable[int], key: str = "k") -> str:
    return "".join(f'{{"t":{time},"a":"{key}","n":1}}\n' for time in times)


def open_in(folder: Path, plan: Plan, on_commit: Callable[[str], None] = lambda _: None) -> Session:
    return open_session(plan, folder / "store.duckdb", until_end=True, on_commit=on_commit)


def run(session: Session) -> bool:
    try:
        return Engine(session, make_decoder).run()
    finally:
        session.close()
