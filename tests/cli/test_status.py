import json
import re
import signal
from pathlib import Path
from typing import Any

from tests.cli.pipelines import append, rows, write_pipeline
from tests.cli.processes import asked, eventually, running, tailrace


def status(cwd: Path) -> dict[str, Any]:
    result = tailrace("status", "--json", cwd=cwd)
    assert result.returncode == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def query(sql: str, cwd: Path) -> list[dict[str, Any]]:
    result = tailrace("query", sql, "--format", "json", cwd=cwd)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.split("\n")[:-1]]


COUNTS = "select client, requests from counts order by window_end, client"


def test_while_it_runs_and_after(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True)
    append(tmp_path, rows([0, 1, 2]) + rows([2], client="198.51.100.1") + rows([10]))
    with running("run", cwd=tmp_path) as run:
        run.says("FIRING", "flood")
        eventually(lambda: asked(tmp_path).read == 5)
        live = status(tmp_path)
        shown = tailrace("status", cwd=tmp_path).stdout
        live_counts = query(COUNTS, tmp_path)
        tables = tailrace("query", cwd=tmp_path).stdout
        run.signal(signal.SIGTERM)
        assert run.ends() == 0
    after = status(tmp_path)

    assert (live["running"], live["process"]["pid"]) == (True, run.process.pid)
    assert (after["running"], after["process"]) == (False, None)
    for found in live, after:
        assert (found["read"], found["adds_up"]) == (5, True)
        assert found["watermark"] == "1970-01-01T00:00:10.000Z"
        assert [incident["rule"] for incident in found["oldest_incidents"]] == ["flood"]
        (partition,) = found["partitions"]
        assert (partition["liveness"], partition["read"]) == ("live", 5)
    assert "web: running as process" in shown
    assert "5 read = 5 events + 0 dead + 0 blank" in shown
    assert "INCIDENTS  1 open" in shown
    assert re.search(r"^  kernel +\d", shown, re.MULTILINE)
    assert live_counts == query(COUNTS, tmp_path)
    assert live_counts == [
        {"client": "192.0.2.7", "requests": 3},
        {"client": "198.51.100.1", "requests": 1},
    ]
    assert [line.split("  ")[0] for line in tables.splitlines()[2:5]] == [
        "counts",
        "dead_letters",
        "incidents",
    ]


def test_a_process_that_was_killed_leaves_its_store_readable(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True)
    append(tmp_path, rows([0, 1, 2, 10]))
    with running("run", cwd=tmp_path) as run:
        run.says("FIRING", "flood")
        eventually(lambda: asked(tmp_path).read == 4)
        run.signal(signal.SIGKILL)
        assert run.ends() == -signal.SIGKILL
    assert (tmp_path / ".tailrace" / "web.duckdb.sock").exists()
    assert status(tmp_path)["read"] == 4
    assert query("select count(*) as n from incidents", tmp_path) == [{"n": 1}]
    with running("run", cwd=tmp_path) as run:
        eventually(lambda: asked(tmp_path).read == 4)
        run.signal(signal.SIGTERM)
        assert run.ends() == 0


def test_forms_of_an_answer(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0, 1, 2]))
    assert tailrace("run", cwd=tmp_path).returncode == 0
    sql = "select rule, state from incidents"
    assert tailrace("query", sql, "--format", "csv", cwd=tmp_path).stdout == (
        "rule,state\nflood,firing\n"
    )
    assert tailrace("query", sql, "web.yaml", cwd=tmp_path).stdout.splitlines() == [
        "rule   state",
        "-------------",
        "flood  firing",
        "(1 row)",
    ]
    cut = tailrace("query", "from range(10)", "--rows", "2", "--format", "csv", cwd=tmp_path)
    assert cut.stdout == "range\n0\n1\n"
    assert "there are more rows; these are the first 2" in cut.stderr


def test_mistakes_are_told_without_a_traceback(tmp_path: Path) -> None:
    nothing = tailrace("status", cwd=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "there is no pipeline file in this folder" in nothing.stderr
    write_pipeline(tmp_path)
    unborn = tailrace("status", cwd=tmp_path)
    assert unborn.returncode == 2
    assert "there is no store at .tailrace/web.duckdb" in unborn.stderr
    append(tmp_path, rows([0]))
    assert tailrace("run", cwd=tmp_path).returncode == 0
    wrong = tailrace("query", "drop table incidents", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "a query is one reading statement" in wrong.stderr
    assert query("select count(*) as n from incidents", tmp_path) == [{"n": 0}]
