"""Tables of alerts say what they were judged by, as rows in JSON do."""

import json
import re
from pathlib import Path

from click.testing import CliRunner

from tailrace import Pipeline
from tailrace.cli.status import command
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
