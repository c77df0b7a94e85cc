import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.pipelines import TEXT, append, rows, write_pipeline
from tests.cli.processes import Running, asked, eventually, reload_error, running, tailrace

FROM_STDIN = TEXT.replace("file: {path: access.ndjson, follow: FOLLOW}", "stdin: {}")


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.split("\n")[:-1]]


# To the end


def test_a_bounded_input(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0, 1, 2]) + "\nnonsense\n" + rows([20], status=503))
    result = tailrace("run", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    told, summary = result.stdout.split("web: the input was read to its end")
    assert "1970-01-01 00:00:10Z  FIRING    flood  client=192.0.2.7" in told
    assert "192.0.2.7 made 3 requests" in told
    assert "FIRING    silent_failures  client=192.0.2.7" in told  # has no 'to'
    assert "6 read = 4 events + 1 dead + 1 blank" in summary
    assert "dead letters: malformed_json 1" in summary
    assert "incidents: 2 opened, 1 resolved, 1 open" in summary
    assert [row["reason"] for row in objects((tmp_path / "alerts.ndjson").read_text())] == [
        "opened",
        "resolved",
    ]


def test_json_lines(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0, 1, 2, 20]) + "nonsense\n")
    result = tailrace("run", "--output", "json", cwd=tmp_path)
    found = objects(result.stdout)
    assert [(each["type"], each.get("reason")) for each in found] == [
        ("incident", "opened"),
        ("incident", "resolved"),
        ("summary", None),
    ]
    delivered = objects((tmp_path / "alerts.ndjson").read_text())
    for told, row in zip(found, delivered, strict=False):
        assert {**told, "sent_at": row["sent_at"]} == {"type": "incident", **row}
    summary = found[-1]
    assert summary["read"] == summary["events"] + summary["dead"] + summary["blank"] == 5
    for rule in summary["rules"]:
        parts = ("filtered", "late", "evicted", "accepted")
        assert rule["events"] == sum(rule[part] for part in parts)


def test_the_same_input_again_changes_nothing(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0, 1, 2]))
    assert tailrace("run", cwd=tmp_path).returncode == 0
    before = (tmp_path / "alerts.ndjson").read_text()
    again = tailrace("run", cwd=tmp_path)
    assert again.returncode == 0
    assert "0 records" in again.stdout
    assert (tmp_path / "alerts.ndjson").read_text() == before


def test_hostile_text_is_escaped(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0, 1, 2], client=r"\u001b[2J\u009b1m\u202e\r\n"))
    for args in ("run",), ("status",), ("query", "select key from incidents"):
        result = tailrace(*args, cwd=tmp_path)
        assert result.returncode == 0
        assert "\\x1b[2J" in result.stdout or "\\u001b[2J" in result.stdout
        assert all(line.isprintable() for line in result.stdout.split("\n"))


def test_rows_that_can_not_be_delivered_are_told(tmp_path: Path) -> None:
    write_pipeline(tmp_path, text=FROM_STDIN)
    with running("run", cwd=tmp_path, stdin=True) as run:
        stdin = run.process.stdin
        assert stdin is not None
        stdin.write(rows([0, 1, 2]))
        stdin.flush()
        eventually(lambda: asked(tmp_path).read == 3)
        (tmp_path / "alerts.ndjson").unlink()
        stdin.close()
        assert run.ends() == 1
    assert "2 wait" in run.said()
    assert "was moved or replaced" in run.said()


# Followed


def test_a_followed_log(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True)
    append(tmp_path, rows([0, 1, 2]))
    with running("run", cwd=tmp_path) as run:
        run.says("notice", "flood")
        append(tmp_path, rows([10]))
        run.says("FIRING", "flood", "192.0.2.7 made 3 requests")
        append(tmp_path, rows([20, 30]))
        run.says("resolved", "flood")
        run.signal(signal.SIGTERM)
        assert run.ends() == 0
    assert "web: stopped after" in run.said()
    assert "6 read = 6 events + 0 dead + 0 blank" in run.said()
    append(tmp_path, rows([40, 41, 42, 50]))
    with running("run", cwd=tmp_path) as run:
        run.says("FIRING", "flood")
        run.signal(signal.SIGINT)
        assert run.ends() == 0
    assert "4 records" in run.said()
    assert "10 read = 10 events" in run.said()
    alerts = objects((tmp_path / "alerts.ndjson").read_text())
    assert [row.get("reason", row["state"]) for row in alerts] == [
        "notice",
        "opened",
        "resolved",
        "opened",
    ]


def test_until_the_end_that_there_is(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True)
    append(tmp_path, rows([0, 1, 2]))
    result = tailrace("run", "--until-end", cwd=tmp_path)
    assert result.returncode == 0
    assert "incidents: 1 opened, 0 resolved, 1 open" in result.stdout
    append(tmp_path, rows([3]))
    for args in (["run", "--until-end"], ["run"]):
        result = tailrace(*args, cwd=tmp_path)
        assert result.returncode == 2
        assert "its windows are closed" in result.stderr


def test_a_run_that_ends_by_itself(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True)
    result = tailrace("run", "--max-seconds", "0.1", cwd=tmp_path)
    assert result.returncode == 0
    assert "web: stopped after" in result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_bounded_input_that_was_not_read_to_its_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    write_pipeline(tmp_path, text=FROM_STDIN)
    with running("run", cwd=tmp_path, stdin=True) as run:
        eventually(lambda: asked(tmp_path).process)
        run.signal(number)
        assert run.ends() == 128 + number


def test_a_second_signal_quits_at_once() -> None:
    code = """
import signal, sys, time
from tailrace.cli.running.signals import heard
with heard(lambda: print("stop", flush=True), lambda: print("reload", flush=True),
           lambda: print("leave", flush=True)):
    print("ready", flush=True)
    while True:
        time.sleep(60)
"""
    process = subprocess.Popen((sys.executable, "-c", code), stdout=subprocess.PIPE, text=True)
    try:
        run = Running(process)
        for number, word in (
            (None, "ready"),
            (signal.SIGHUP, "reload"),
            (signal.SIGTERM, "stop"),
            (signal.SIGINT, "leave"),
        ):
            if number is not None:
                run.signal(number)
            run.says(word)
        assert run.ends() == 128 + signal.SIGINT
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


# SIGHUP


def test_a_changed_file_is_taken_up(tmp_path: Path) -> None:
    path = write_pipeline(tmp_path, follow=True)
    append(tmp_path, rows([0, 1, 2]))
    with running("run", cwd=tmp_path) as run:
        run.says("notice", "flood")
        changed = path.read_text().replace("count(*) >= 3", "count(*) >= 2")
        changed = changed.replace("to: [tab]", "to: [tab, more]")
        path.write_text(changed + "  more: {file: {path: counts.ndjson}}\n")
        run.signal(signal.SIGHUP)
        run.says("the changed pipeline file is taken up:")
        run.says("rule flood means something else: it begins anew")
        run.says("rule counts: to changed")
        run.says("output more is new")
        append(tmp_path, rows([10, 11, 20]))
        run.says("FIRING", "flood", "192.0.2.7 made 2 requests")
        eventually(lambda: (tmp_path / "counts.ndjson").read_text().count("\n") == 2)
        run.signal(signal.SIGTERM)
        assert run.ends() == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count(*) >= 3", "cout(*) >= 3", ["cout"]),
        ("name: web", "name: wbe", ["'name' can't change while the pipeline runs"]),
        ("access.ndjson", "other.ndjson", ["'source' can't change while the pipeline runs"]),
        ("path: alerts.ndjson", "path: b.ndjson", ["the output 'alerts' can't lead elsewhere"]),
        ("rules:", "rules: [", ["web.yaml:"]),
    ],
)
def test_a_wrong_file_is_told_and_the_old_one_stays(
    tmp_path: Path, old: str, new: str, told: list[str]
) -> None:
    path = write_pipeline(tmp_path, follow=True)
    append(tmp_path, rows([0]))
    with running("run", cwd=tmp_path) as run:
        eventually(lambda: asked(tmp_path).read == 1)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        run.signal(signal.SIGHUP)
        run.says("the changed pipeline file is not taken up:")
        run.says(*told)
        eventually(lambda: reload_error(tmp_path))
        append(tmp_path, rows([1, 2, 10]))
        run.says("FIRING", "flood")
        path.write_text(text)
        run.signal(signal.SIGHUP)
        run.says("read again; nothing changed")
        eventually(lambda: reload_error(tmp_path) is None)
        run.signal(signal.SIGTERM)
        assert run.ends() == 0


# What goes wrong


def test_a_second_run_on_the_same_store(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True)
    with running("run", cwd=tmp_path) as run:
        eventually(lambda: asked(tmp_path).process)
        second = tailrace("run", cwd=tmp_path)
        assert second.returncode == 2
        holder = f"another process (process {run.process.pid})"
        assert f"web.duckdb is in use by {holder}" in second.stderr
        assert "`tailrace status` asks the one that runs" in second.stderr
        run.signal(signal.SIGTERM)
        assert run.ends() == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["run", "missing.yaml"], "missing.yaml: there is no such file"),
        (["run", "--set", "rules.flood.when=cout(*)"], "cout"),
        (["run"], "access.ndjson"),
        (["run", "--set", "outputs.alerts.file.path=/proc/x/y.ndjson"], "/proc/x"),
        (["run", "--store", "/proc/x/y.duckdb"], "/proc/x"),
    ],
)
def test_mistakes_are_told_without_a_traceback(tmp_path: Path, args: list[str], told: str) -> None:
    write_pipeline(tmp_path)
    result = tailrace(*args, cwd=tmp_path)
    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_store_is_told(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0]))
    (tmp_path / "store.duckdb").write_bytes(b"x" * 20_000)
    result = tailrace("run", "--store", "store.duckdb", cwd=tmp_path)
    assert result.returncode == 2
    assert "store.duckdb can't be opened" in result.stderr
    assert (tmp_path / "store.duckdb").read_bytes() == b"x" * 20_000


def test_no_socket_ends_no_run(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    append(tmp_path, rows([0]))
    (tmp_path / ".tailrace" / "web.duckdb.sock").mkdir(parents=True)
    result = tailrace("run", cwd=tmp_path)
    assert result.returncode == 0
    assert "tailrace status can't ask this run" in result.stderr
