"""Tables of the store under changed rules: new columns are added, other types refused in time."""

from pathlib import Path

import pytest
from tests.unit.engines.pipelines import lines, run

from tailrace.config import loads
from tailrace.engines.embedded.opening import open_session
from tailrace.errors import StoreError
from tailrace.plan.compile import compile_pipeline
from tailrace.store.store import Store

TEXT = """
name: s
source: {{file: {{path: "{folder}/*.ndjson"}}}}
time: {{field: t, grace: 0s}}
fields: {{a: text, n: integer}}
rules:
  - record: sums
    by: a
    window: 10s
    select: {{{select}}}
    to: [tab]
  - record: others
    window: 10s
    select: {{{others}}}
    to: [tab]
outputs:
  tab: {{table: {{name: {table}}}}}
"""


def go(folder: Path, select: str, *, others: str = "n: count(*)", table: str = "one") -> None:
    text = TEXT.format(folder=folder, select=select, others=others, table=table)
    plan = compile_pipeline(loads(text, "s.yaml"))
    run(open_session(plan, folder / "store.duckdb", until_end=True))


def rows(folder: Path, table: str) -> list[dict[str, object]]:
    store = Store.open(folder / "store.duckdb", "s")
    try:
        sql = f"select * exclude (window_start, window_end) from {table} order by all"
        found: list[dict[str, object]] = store.query(sql).to_pylist()
        return found
    finally:
        store.close()


def test_rules_with_other_columns_share_a_table(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([1, 2]))
    go(tmp_path, "total: sum(n)")
    assert rows(tmp_path, "one") == [
        {"a": "k", "total": 2, "n": None},
        {"a": None, "total": None, "n": 2},
    ]


def test_a_changed_rule_has_a_column_more(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([1, 2]))
    go(tmp_path, "total: sum(n)")
    go(tmp_path, "total: sum(n), mean: avg(n)")
    assert len(rows(tmp_path, "one")) == 2


def test_a_column_of_another_type_is_refused_before_anything_changes(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([1, 2]))
    go(tmp_path, "total: sum(n)")
    with pytest.raises(StoreError, match="'total' of table 'one' is integer, and would get double"):
        go(tmp_path, "total: avg(n)")
    go(tmp_path, "total: avg(n)", table="two")


def test_rules_that_disagree_are_refused_on_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([1, 2]))
    with pytest.raises(StoreError, match="table 'one'"):
        go(tmp_path, "total: sum(n)", others="total: avg(n)")
    go(tmp_path, "total: sum(n)")
