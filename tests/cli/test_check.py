import re
from pathlib import Path

from tests.cli.pipelines import append, rows, write_pipeline
from tests.cli.processes import tailrace

TEN = """\
name: ten
source: {file: {path: access.ndjson, follow: maybe}}
time: {field: t, grase: 5s}
fields:
  client: text
  status: intger
  seconds: double
derive:
  page: split_part(request, ' ', 2)
rules:
  - alert: flood
    by: client
    window: 20s evry 1s
    when: count(*) > 10
    to: [nowhere]
  - alert: slow
    by: clint
    window: 1m
    when: avg(client) > 1
  - alert: single
    when: count(*) > 3
  - alert: failing
    by: client
    window: 1m
    when: count(*) filter (where status >= 500) > 3 and seconds
"""


def test_ten_mistakes_of_both_kinds(tmp_path: Path) -> None:
    (tmp_path / "ten.yaml").write_text(TEN)
    result = tailrace("check", "ten.yaml", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    found = re.findall(r"^ten\.yaml:(\d+):(\d+): ", result.stderr, re.MULTILINE)
    assert found == [
        ("2", "46"),
        ("3", "18"),
        ("6", "11"),
        ("9", "20"),
        ("13", "13"),
        ("15", "10"),
        ("17", "9"),
        ("19", "15"),
        ("21", "11"),
        ("25", "57"),
    ]
    assert result.stderr.endswith("ten.yaml: 10 mistakes\n")


def test_a_right_file(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True)
    result = tailrace("check", "web.yaml", cwd=tmp_path)
    assert result.returncode == 0
    for words in (
        "web.yaml: ok",
        "source   file access.ndjson, followed",
        "time     t, grace 0s",
        "fields   client (text), status (integer)",
        "flood            alert   10s  by client  -> alerts",
        "silent_failures  alert   10s  by client  -> terminal, table incidents",
        "alerts  file alerts.ndjson (ndjson)",
        "tab     table counts",
        "store    .tailrace/web.duckdb",
    ):
        assert words in result.stdout
    for words in (
        "warning: web.yaml:3:1: future times aren't checked",
        "warning: web.yaml:3:25: grace is 0",
        "warning: web.yaml:12:5: silent_failures has no 'to'",
        "warning: web.yaml:2:23: there is no file access.ndjson now; it is waited for",
    ):
        assert words in result.stderr
    quiet = tailrace("check", "-q", "web.yaml", cwd=tmp_path)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_several_files(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0]))
    (tmp_path / "empty.yaml").write_text("")
    result = tailrace("check", "web.yaml", "empty.yaml", "missing.yaml", cwd=tmp_path)
    assert result.returncode == 2
    assert "web.yaml: ok" in result.stdout
    assert "there is no file" not in result.stderr
    assert "empty.yaml: the file is empty" in result.stderr
    assert "missing.yaml: there is no such file" in result.stderr


def test_overrides(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    assert tailrace("check", "web.yaml", "--set", "time.grace=7s", cwd=tmp_path).stdout.count(
        "grace 7s"
    )
    wrong = tailrace("check", "web.yaml", "--set", "rules.flood.when=n > 1", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "unknown field 'n'" in wrong.stderr
