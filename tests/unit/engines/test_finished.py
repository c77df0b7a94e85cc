"""A store whose input has ended: nothing is told twice, nothing is remembered that is over."""

from pathlib import Path

from tests.unit.engines.pipelines import run

from tailrace.config import loads
from tailrace.engines.embedded.opening import open_session
from tailrace.engines.embedded.replay import replay
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan
from tailrace.store.store import Store

TEXT = """
name: s
source: {{file: {{path: "{folder}/in.ndjson"}}}}
time: {{field: t, grace: 0s, arrival: r, max_future_skew: {skew}}}
fields: {{a: text}}
rules:
  - record: seen
    window: 10s
    where: a = 'x'
    select: {{n: count(*)}}
    to: [seen]
  - alert: silent
    window: 10s
    where: a = 'x'
    when: count(*) < 1
    to: [told]
outputs:
  seen: {{table: {{name: seen}}}}
  told: {{table: {{name: told}}}}
"""
INPUT = """{"t": 1, "r": 1, "a": "x"}
{"t": 2, "r": 0, "a": "x"}
{"t": 35, "r": 35, "a": "y"}
"""
"""The second is a dead letter with a skew of 1 s."""


def plan(folder: Path, skew: str) -> Plan:
    return compile_pipeline(loads(TEXT.format(folder=folder, skew=skew), "s.yaml"))


def told(folder: Path) -> tuple[list[int], list[str], list[str]]:
    store = Store.open(folder / "store.duckdb", "s")
    try:
        seen = store.query("select n from seen order by window_start").to_pylist()
        reasons = store.query("select reason from told order by revision").to_pylist()
        return [r["n"] for r in seen], [r["reason"] for r in reasons], store.every_fold()
    finally:
        store.close()


def test_replayed_dead_letters_bring_no_empty_window_again(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(INPUT)
    run(open_session(plan(tmp_path, "1s"), tmp_path / "store.duckdb"))
    once: object = ([1, 0, 0, 0], ["opened", "input_ended"], [])
    assert told(tmp_path) == once
    assert replay(plan(tmp_path, "1h"), tmp_path / "store.duckdb").events == 1
    assert told(tmp_path) == once
