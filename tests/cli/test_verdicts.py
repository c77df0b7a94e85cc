"""Lists of verdicts as people use them: looked up, banned, allowed, while it runs and after."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.cli.pipelines import append, rows, write_pipeline
from tests.cli.processes import asked, eventually, running, tailrace

PIPELINE = """\
name: web
source: {file: {path: access.ndjson, follow: FOLLOW}}
time: {field: t, grace: 0s}
fields: {client: text, status: integer}
rules:
  - alert: flood
    by: client
    window: 10s
    when: count(*) >= 3
verdicts:
  bots: {from: [flood], for: 10m, to: [told]}
archive: {to: [events], verdicts: {is_bot: bots}}
outputs:
  told: {file: {path: told.ndjson}}
  events: {file: {path: events.ndjson}}
"""
BOT, OTHER = "192.0.2.7", "198.51.100.1"


def looked_up(*words: str, cwd: Path) -> tuple[int, dict[str, Any]]:
    result = tailrace("lookup", *words, "--json", cwd=cwd)
    return result.returncode, json.loads(result.stdout)


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def told(folder: Path) -> list[tuple[str, str]]:
    return [(each["key"]["client"], each["state"]) for each in read(folder, "told.ndjson")]


def test_by_hand_while_it_runs_and_after(tmp_path: Path) -> None:
    write_pipeline(tmp_path, follow=True, text=PIPELINE)
    append(tmp_path, rows([0, 1, 2]) + rows([3], client=OTHER) + rows([10], client="z"))
    with running("run", cwd=tmp_path) as run:
        eventually(lambda: asked(tmp_path).read == 5)
        assert looked_up(BOT, cwd=tmp_path)[0] == 0
        banned = tailrace(
            "verdicts", "ban", "bots", OTHER, "--for", "1h", "--reason", "a\x1bb", cwd=tmp_path
        )
        assert banned.stdout == f"client={OTHER}: banned until 1970-01-01T01:00:10.000001Z\n"
        assert tailrace("verdicts", "allow", "bots", f"client={BOT}", cwd=tmp_path).returncode == 0
        listed = tailrace("verdicts", "list", cwd=tmp_path).stdout
        append(tmp_path, rows([11, 12, 13]) + rows([14], client=OTHER) + rows([30], client="z"))
        eventually(lambda: asked(tmp_path).read == 10)
        live = tailrace("status", "--json", cwd=tmp_path)
        run.signal(signal.SIGTERM)
        assert run.ends() == 0
    assert "a\\x1bb" in listed
    assert json.loads(live.stdout)["verdicts"] == [
        {"name": "bots", "listed": 1, "fields": ["client"]}
    ]
    code, found = looked_up(OTHER, cwd=tmp_path)
    assert (code, found["listed"], found["entries"][0]["comment"]) == (0, True, "a\x1bb")
    assert looked_up(BOT, cwd=tmp_path)[0] == 1
    # What was done by hand is done again by nobody, and outputs hear of it once.
    undone = tailrace("verdicts", "undo", "bots", OTHER, cwd=tmp_path)
    assert undone.stdout == f"client={OTHER}: lifted\n"
    assert looked_up(OTHER, "--list", "bots", cwd=tmp_path)[0] == 1
    with running("run", cwd=tmp_path) as run:
        eventually(lambda: (OTHER, "lifted") in told(tmp_path))
        run.signal(signal.SIGTERM)
        assert run.ends() == 0
    assert told(tmp_path) == [
        (BOT, "listed"),
        (OTHER, "banned"),
        (BOT, "allowed"),
        (OTHER, "lifted"),
    ]
    events = [(each["client"], each["is_bot"]) for each in read(tmp_path, "events.ndjson")]
    assert events == [
        *[(BOT, False)] * 3,
        (OTHER, False),
        ("z", False),
        *[(BOT, False)] * 3,
        (OTHER, True),
        ("z", False),
    ]


def test_a_key_that_is_not_known(tmp_path: Path) -> None:
    write_pipeline(tmp_path, text=PIPELINE)
    append(tmp_path, rows([0, 1, 2, 10]))
    assert tailrace("run", cwd=tmp_path).returncode == 0
    assert looked_up("nobody", cwd=tmp_path) == (1, {"listed": False, "entries": []})
    assert looked_up("' or 1=1 --", cwd=tmp_path)[0] == 1
    assert looked_up("%", cwd=tmp_path)[0] == 1


WRONG = [
    (("lookup", "x", "--list", "others"), "there is no list of verdicts 'others'"),
    (("verdicts", "ban", "others", "x"), "there is no list of verdicts 'others'"),
    (("verdicts", "list", "others"), "there is no list of verdicts 'others'"),
    (("verdicts", "ban", "bots", "host=1", "client=2"), "'host=1' is none of the key's fields"),
    (("verdicts", "ban", "bots", "x", "--for", "soon"), "--for soon"),
    (("verdicts", "ban", "bots", "x", "--for", "0s"), "it must last for some time"),
    (("verdicts", "undo", "bots", "x"), "nobody has banned or allowed x"),
]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    write_pipeline(tmp_path, text=PIPELINE)
    append(tmp_path, rows([0, 1, 2, 10]))
    assert tailrace("run", cwd=tmp_path).returncode == 0
    for words, said in WRONG:
        result = tailrace(*words, cwd=tmp_path)
        assert result.returncode == 2, words
        assert said in result.stderr


def test_over_http(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    write_pipeline(tmp_path, follow=True, text=PIPELINE)
    append(tmp_path, rows([0, 1, 2]) + rows([10], client="z"))
    with running("run", "--web", "127.0.0.1:0", cwd=tmp_path) as run:
        address = run.says("metrics at").split("metrics at ")[1].removesuffix("/metrics")
        eventually(lambda: asked(tmp_path).read == 4)
        with urllib.request.urlopen(f"{address}/lookup/bots?key={BOT}") as answer:  # noqa: S310
            found = json.loads(answer.read())
        run.signal(signal.SIGTERM)
        assert run.ends() == 0
    assert (found["listed"], found["entry"]["key"]) == (True, {"client": BOT})
    assert found["entry"]["reasons"] == {"flood": 1}
