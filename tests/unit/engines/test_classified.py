"""Labelled events: what outputs get, what is counted, what `explain` and errors say of them."""

import json
from pathlib import Path

import pytest
from pyarrow.parquet import read_table
from tests.cli.processes import tailrace

from tailrace.config import loads
from tailrace.errors import PipelineError
from tailrace.plan.compile import compile_pipeline

PIPELINE = """
name: labels
source: {file: {path: in.ndjson}}
on_error: classify
time: {field: at, grace: 0s}
fields: {id: text, n: integer}
rules:
  - classify: status
    labels:
      bad: {unreadable: _error is not null, no_id: id is null}
      big: {over_100: n > 100}
    else: good
    to: [lines, every]
    to_label: {bad: [bad], good: [parquet, good]}
  - record: counts
    by: status
    window: 1m
    select: {events: count(*)}
    to: [counts]
archive: {to: [archived]}
outputs:
  lines: {file: {path: lines.ndjson}, zone: Europe/Madrid}
  every: {table: {name: every}}
  bad: {file: {path: bad.ndjson}}
  good: {table: {name: good}}
  parquet: {file: {path: good/}}
  counts: {table: {name: counts}}
  archived: {table: {name: archived}}
"""
RECORDS = """\
{"at": 1, "id": "a", "n": 7}
{"at": 2, "n": 700}
{"at": 3, "id": "b", "n": 700}
{"at":
{"at": 4, "id": "c", "n": "x"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    (folder / "pipeline.yaml").write_text(PIPELINE)
    (folder / "in.ndjson").write_text(RECORDS)
    ran = tailrace("run", "pipeline.yaml", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return folder


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def queried(folder: Path, query: str) -> list[list[str]]:
    found = tailrace("query", query, "--format", "csv", cwd=folder)
    assert found.returncode == 0, found.stderr
    return [line.split(",") for line in found.stdout.splitlines()[1:]]


def test_lines_have_all_fields(folder: Path) -> None:
    found = lines(folder / "lines.ndjson")
    assert found[0] == {
        "at": "1970-01-01T01:00:01.000+01:00",
        "id": "a",
        "n": 7,
        "_raw": '{"at": 1, "id": "a", "n": 7}',
        "_error": None,
        "status": "good",
        "status_reasons": None,
    }
    assert [(row["status"], row["status_reasons"], row["_error"]) for row in found[1:]] == [
        ("bad", "no_id,over_100", None),
        ("big", "over_100", None),
        ("bad", "unreadable,no_id", "malformed_json"),
        ("bad", "unreadable", "bad_value"),
    ]


def test_outputs_of_one_label(folder: Path) -> None:
    assert [row["id"] for row in lines(folder / "bad.ndjson")] == [None, None, "c"]
    assert queried(folder, "select id, n, status from good") == [["a", "7", "good"]]
    (row,) = read_table(folder / "good").to_pylist()
    assert (row["id"], row["status"]) == ("a", "good")


def test_tables_and_rules_below_have_the_label(folder: Path) -> None:
    wanted = [["bad", "3"], ["big", "1"], ["good", "1"]]
    for query in (
        "select status, count(*) from every group by all order by 1",
        "select status, count(*) from archived group by all order by 1",
        "select status, events from counts order by 1",
    ):
        assert queried(folder, query) == wanted


def test_status_counts_labels(folder: Path) -> None:
    told = tailrace("status", "pipeline.yaml", "--json", cwd=folder)
    rules = {rule["name"]: rule for rule in json.loads(told.stdout)["rules"]}
    assert rules["status"]["labels"] == {"bad": 3, "big": 1, "good": 1}
    assert rules["status"]["accepted"] == 5
    shown = tailrace("status", "pipeline.yaml", cwd=folder).stdout
    assert ["status", "bad", "3"] in [line.split() for line in shown.splitlines()]


def test_explain_and_check_tell_of_the_rule(folder: Path) -> None:
    explained = tailrace("explain", "pipeline.yaml", cwd=folder).stdout
    assert "rule status: a label for each event" in explained
    assert "bad if unreadable: " in explained
    refused = tailrace("explain", "pipeline.yaml", "status", cwd=folder)
    assert refused.returncode == 2
    assert "judges each event by itself" in refused.stderr
    checked = tailrace("check", "pipeline.yaml", cwd=folder).stdout
    assert "each event by itself  bad, big, good  -> lines, every, bad, parquet, good" in checked


TOP = "name: p\nsource: {stdin: {}}\ntime: {field: at}\nfields: {id: text}\n"
LABELS = "{classify: s, labels: {bad: {none: id is null}}, else: good}"
MISTAKES = [
    ("rules: [{classify: id, labels: {bad: {x: id is null}}, else: good}]", "there is one already"),
    (f"derive: {{s: id}}\nrules: [{LABELS}]", "there is one already"),
    (f"rules: [{LABELS}, {LABELS.replace('classify: s', 'classify: S')}]", "there is one already"),
    ("rules: [{classify: s, labels: {bad: {x: id}}, else: good}]", "must be true or false"),
    ("rules: [{classify: s, labels: {bad: {x: count(*) > 1}}, else: good}]", "count"),
    (f"rules: [{{alert: a, when: s = 'bad'}}, {LABELS}]", "unknown field 's'"),
    (
        f"on_error: classify\nderive: {{_raw: id}}\nrules: [{LABELS}]",
        "the field '_raw' is there already",
    ),
]


@pytest.mark.parametrize(("rest", "message"), MISTAKES)
def test_mistakes(rest: str, message: str) -> None:
    with pytest.raises(PipelineError) as caught:
        compile_pipeline(loads(TOP + rest + "\n", "p.yaml"))
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.where is not None
    assert problem.where.line is not None


def test_what_names_a_label_changes_with_it() -> None:
    """And what doesn't name it stays the same rule."""
    rules = (
        "rules:\n- {0}\n- {{record: used, by: s, window: 1m, select: {{n: count(*)}}}}\n"
        "- {{record: other, window: 1m, select: {{n: count(*)}}}}\n"
    )
    plans = [
        compile_pipeline(loads(TOP + rules.format(one), "p.yaml"))
        for one in (LABELS, LABELS.replace("good", "fine"), LABELS.replace("s, l", "s, to: [], l"))
    ]
    identities = [{rule.name: rule.identity for rule in plan.every_rule} for plan in plans]
    assert identities[0]["s"] != identities[1]["s"]
    assert identities[0]["used"] != identities[1]["used"]
    assert identities[0]["other"] == identities[1]["other"]
    assert identities[0] == identities[2]
