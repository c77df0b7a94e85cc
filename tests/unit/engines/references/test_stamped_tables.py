"""Tables of alerts say what they were judged by, as rows in JSON do."""

import json
import re
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
from click.testing import CliRunner

from tailrace import Pipeline
from tailrace.cli.main import cli
from tailrace.cli.status import command
from tailrace.errors import TailraceError
from tailrace.store.reading import open_reader

PIPELINE = """
name: live
source: {{file: {{path: none.ndjson}}}}
time: {{field: t, grace: 0s}}
fields: {{host: text, n: integer}}
references:
  limits: {{file: {{path: {folder}/limits.csv}}, key: host, columns: {{host: text, most: integer}}}}
rules:
  - {{alert: much, by: host, window: 10s, when: sum(n) > limits.most, to: [told]}}
  - {{alert: unknown, when: not known(limits), to: [told]}}
  - {{alert: plain, when: n > 100, to: [told]}}
outputs: {{told: {{table: {{name: told}}}}}}
"""


def test_incidents_and_events_have_the_versions(tmp_path: Path) -> None:
    (tmp_path / "limits.csv").write_text("host,most\na,10\n")
    pipeline = Pipeline.parse(PIPELINE.format(folder=tmp_path))
    records = ['{"t": 1, "host": "a", "n": 15}', '{"t": 2, "host": "b", "n": 500}']
    result = pipeline.run(records=records, store=tmp_path / "s.duckdb")
    (stamp,) = set(result.incidents["references"].to_pylist())
    assert list(json.loads(stamp)) == ["limits"]
    alerts = {row["rule"]: row["references"] for row in result.alerts.to_pylist()}
    assert alerts == {"unknown": stamp, "plain": None}
    reader = open_reader(tmp_path / "s.duckdb")
    try:
        rows = reader.query('select rule, "references" as r from told').rows.to_pylist()
    finally:
        reader.close()
    assert {(row["rule"], row["r"]) for row in rows} == {
        ("much", stamp),
        ("unknown", stamp),
        ("plain", None),
    }


def test_status_tells_the_rows_though_nobody_runs_it(tmp_path: Path) -> None:
    (tmp_path / "limits.csv").write_text("host,most\na,10\nb,20\nc,30\n")
    pipeline = Pipeline.parse(PIPELINE.format(folder=tmp_path))
    pipeline.run(records=['{"t": 1, "host": "a", "n": 1}'], store=tmp_path / "s.duckdb")
    told = CliRunner().invoke(command, ["--store", str(tmp_path / "s.duckdb")])
    assert told.exit_code == 0, told.output
    assert re.search(r"^  limits  [0-9a-f]{12} +3 +- +file", told.output, re.MULTILINE)


WINDOWS = """
name: live
source: {{file: {{path: none.ndjson}}}}
time: {{field: t, grace: 0s}}
fields: {{host: text, n: integer}}
references:
  limits: {{file: {{path: {folder}/limits.csv}}, key: host, columns: {{host: text, most: integer}}}}
rules:
  - {{alert: much, by: host, window: 10s, when: sum(n) > {most}, to: [told]}}
  - {{record: plain, by: host, window: 10s, select: {{n: sum(n)}}, to: [told, own]}}
outputs:
  told: {{{place}, rows: windows}}
  own: {{table: {{name: own}}}}
"""
RECORDS = ['{"t": 1, "host": "a", "n": 15}', '{"t": 11, "host": "a", "n": 1}']


def windows(
    folder: Path, most: str = "limits.most", place: str = "table: {name: told}"
) -> Pipeline:
    (folder / "limits.csv").write_text("host,most\na,10\n")
    return Pipeline.parse(WINDOWS.format(folder=folder, most=most, place=place))


def test_windows_have_the_versions_where_their_rule_looks_things_up(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    windows(tmp_path).run(records=RECORDS, store=path)
    reader = open_reader(path)
    try:
        rows = reader.query('select window_end, sum_n, n, "references" r from told').rows
        own = reader.query("select * from own").rows.column_names
    finally:
        reader.close()
    (stamp,) = [row["r"] for row in rows.to_pylist() if row["sum_n"] == 15]
    assert list(json.loads(stamp)) == ["limits"]
    assert {row["r"] for row in rows.to_pylist() if row["n"] is not None} == {None}
    assert "references" not in own


def test_an_sql_table_without_the_column_is_told_of(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/out.db"
    text = WINDOWS.format(
        folder=tmp_path, most="limits.most", place=f"sql: {{url: '{url}', table: told}}"
    ).replace("none.ndjson", f"{tmp_path}/in.ndjson")
    windows(tmp_path)
    (tmp_path / "in.ndjson").write_text("\n".join(RECORDS) + "\n")
    file = tmp_path / "p.yaml"
    before = text.replace("limits.most", "10")
    file.write_text(before)
    assert CliRunner().invoke(cli, ["init", str(file)]).exit_code == 0
    file.write_text(text)
    planned = CliRunner().invoke(cli, ["init", str(file), "--plan"]).output
    assert "the column references is missing (text)" in planned
    ran = CliRunner().invoke(cli, ["run", str(file)]).exception
    assert isinstance(ran, TailraceError)
    assert "the column references is missing (text)" in ran.render()
    assert "init --plan" in ran.render()
    statements = [line for line in planned.splitlines() if "ALTER TABLE" in line]
    with closing(connect(tmp_path / "out.db")) as database:
        for statement in statements:
            database.execute(statement)
        assert CliRunner().invoke(cli, ["run", str(file)]).exception is None
        rows = database.execute('select sum_n, "references" from told where sum_n > 1').fetchall()
    ((total, stamp),) = rows
    assert (total, list(json.loads(stamp))) == (15, ["limits"])
