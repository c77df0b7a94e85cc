"""A limit that comes from the environment changes: the old rule goes, a new one begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.config import loads
from tailrace.engines.embedded.opening import open_session
from tailrace.plan.compile import compile_pipeline, compile_text
from tailrace.sources.memory import MemorySource

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tailrace.plan.model import Plan

PIPELINE = """
name: limited
source: {file: {path: "${LOG:-access.log}", follow: true}}
time: {field: t}
fields: {k: text}
rules:
  - alert: busy
    by: k
    window: 10s
    when: count(*) > ${LIMIT:-10}
"""


def plan(**env: str) -> Plan:
    return compile_pipeline(loads(PIPELINE, env=env))


def test_the_kept_text_means_what_it_meant() -> None:
    kept = plan(LIMIT="3", LOG="a.log").text
    again = compile_text(kept, {"LIMIT": "5", "LOG": "b.log"})
    assert again.rules == plan(LIMIT="3").rules
    assert again.config.source.model_dump()["path"] == "b.log"


def test_an_unset_variable_stays_unset() -> None:
    assert compile_text(plan().text, {"LIMIT": "5"}).rules == plan().rules


def test_the_old_rule_goes_and_the_new_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store.duckdb"
    monkeypatch.setenv("LIMIT", "7")
    open_session(plan(LIMIT="3"), store, source=MemorySource({}, bounded=False)).close()
    session = open_session(plan(LIMIT="7"), store, source=MemorySource({}, bounded=False))
    assert set(session.state.rules) == {plan(LIMIT="7").rules[0].identity}
    session.close()
