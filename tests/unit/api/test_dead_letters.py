"""Records that did not decode: listed, shown, and replayed once the pipeline file was mended."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from tailrace import Pipeline, StoreError, TailraceError
from tailrace.cli.dead_letters import command
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.embedded.replay import Replayed, replay
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.state import EngineState
from tailrace.plan.compile import check_file
from tailrace.sources.memory import MemorySource
from tailrace.store.reading import open_reader
from tailrace.store.store import Store

WRONG = """
name: web
source: {{file: {{path: {folder}/web.ndjson}}}}
time: {{field: at, grace: 2s}}
fields: {{ip: text, size: integer}}
store: {{path: {folder}/web.duckdb}}
rules:
  - alert: big
    when: size > 5
    to: [out]
  - record: sizes
    window: 10s
    select: {{requests: count(*)}}
outputs:
  out: {{file: {{path: {folder}/out.ndjson}}}}
"""
LINES = [
    '{"at": 0, "ip": "a", "size": 1}',
    '{"at": 1, "ip": "b", "size": 7.5}',
    '{"at": 2, "ip": "\\u001b[31m", "size": "huge"}',
    "\x1b]0;owned\x07 not json",
    '{"at": 3, "ip": "c", "size": 8.5}',
    "",
    '{"at": 100, "ip": "d", "size": 2}',
]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    (tmp_path / "web.ndjson").write_text("".join(line + "\n" for line in LINES))
    path = tmp_path / "pipeline.yaml"
    path.write_text(WRONG.format(folder=tmp_path))
    return path


def mend(path: Path) -> None:
    path.write_text(path.read_text().replace("size: integer", "size: double"))


def run(path: Path) -> None:
    Pipeline.load(path).run(store=path.parent / "web.duckdb", deliver=True)


def invoke(*args: object) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args])


def counts(path: Path) -> dict[str, Any]:
    reader = open_reader(path.parent / "web.duckdb")
    try:
        body = reader.state()
        assert body is not None
        state = EngineState.from_json(body)
    finally:
        reader.close()
    found = state.counts
    assert found.read == found.events + found.dead + found.blank
    for rule in found.rules.values():
        assert rule.events == rule.filtered + rule.late + rule.evicted + rule.accepted
    return {"read": found.read, "events": found.events, "dead": found.dead}


def letters(path: Path) -> list[dict[str, Any]]:
    shown = invoke("list", path, "--all", "--json")
    assert shown.exit_code == 0, shown.output
    return [json.loads(line) for line in shown.output.splitlines()]


def test_list(made: Path) -> None:
    run(made)
    shown = invoke("list", made)
    assert "in all: bad_value 3, malformed_json 1" in shown.output
    assert "\x1b" not in shown.output
    assert [row["id"] for row in letters(made)] == [0, 1, 2, 3]
    only = invoke("list", made, "--code", "malformed_json", "--json")
    assert [json.loads(line)["code"] for line in only.output.splitlines()] == ["malformed_json"]
    newest = invoke("list", made, "--limit", "1", "--json")
    assert [json.loads(line)["id"] for line in newest.output.splitlines()] == [3]
    assert invoke("list", made, "--partition", "other").output == "no dead letters\n"


def test_show(made: Path) -> None:
    run(made)
    shown = invoke("show", made, 2)
    assert "\x1b" not in shown.output
    assert "\\x1b]0;owned\\x07 not json" in shown.output
    assert "generation 0, position " in shown.output
    dumped = invoke("show", made, 2, "--hex")
    assert "1b 5d 30 3b" in dumped.output
    body = json.loads(invoke("show", made, 2, "--json").output)
    assert bytes.fromhex(body["hex"]) == LINES[3].encode()
    assert isinstance(invoke("show", made, 99).exception, TailraceError)


def test_replay(made: Path) -> None:
    """Half of them are events by the mended file: told once, counted once more, marked."""
    run(made)
    before = counts(made)
    assert before == {"read": 7, "events": 2, "dead": 4}
    out = made.parent / "out.ndjson"
    assert not out.exists() or not out.read_text()
    assert "0 became events, 4 still fail" in invoke("replay", made).output
    assert counts(made) == before
    mend(made)
    assert invoke("replay", made).output == "2 became events, 2 still fail\n"
    assert counts(made) == {"read": 9, "events": 4, "dead": 4}
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["fields"]["ip"] for row in told] == ["b", "c"]
    assert [row["replayed"] for row in letters(made)] == [True, False, False, True]
    assert invoke("replay", made).output == (
        "0 became events, 2 still fail, 2 were replayed before\n"
    )
    assert counts(made) == {"read": 9, "events": 4, "dead": 4}
    assert len(out.read_text().splitlines()) == 2


def test_fresh_reasons(made: Path) -> None:
    run(made)
    old = {row["id"]: row["reason"] for row in letters(made)}
    made.write_text(made.read_text().replace("size: integer", "size: boolean"))
    made.write_text(made.read_text().replace("size > 5", "size"))
    invoke("replay", made)
    new = {row["id"]: row["reason"] for row in letters(made)}
    assert old[0] != new[0]
    assert "not a boolean" in new[0]
    assert old[2] == new[2]


def test_some(made: Path) -> None:
    run(made)
    mend(made)
    assert "0 became events, 1 still fail" in invoke("replay", made, 2).output
    assert (
        "0 became events, 1 still fail" in invoke("replay", made, "--code", "malformed_json").output
    )
    assert "1 became events, 0 still fail" in invoke("replay", made, 3).output
    assert [row["replayed"] for row in letters(made)] == [False, False, False, True]
    wrong = invoke("replay", made, 77)
    assert isinstance(wrong.exception, TailraceError)
    assert "no dead letter 77" in str(wrong.exception)


def test_closed_windows_stay(made: Path) -> None:
    """What is replayed is late for windows that closed; it opens none a second time."""
    run(made)
    mend(made)
    _, plan = check_file(made)
    found: list[int] = []
    store = made.parent / "web.duckdb"
    replay(
        plan, store, outputs={}, observe=lambda r: found.extend(len(f.keys) for f, _ in r.windows)
    )
    assert found == []


def test_run_goes_on_after_a_replay(made: Path) -> None:
    """Replay partitions are none of the source's: it opens without them."""
    run(made)
    mend(made)
    invoke("replay", made)
    run(made)
    assert counts(made) == {"read": 9, "events": 4, "dead": 4}


def test_open_windows_get_it(made: Path) -> None:
    """A window that has not closed yet counts what is replayed."""
    store = made.parent / "web.duckdb"
    given = {"p": "\n".join(LINES[:3] + LINES[4:5]).encode() + b"\n"}
    _, plan = check_file(made)
    session = open_session(plan, store, source=MemorySource(given), outputs={})
    chunk = session.source.poll(1 << 20, {}).chunks[0]
    decoded = make_decoder(plan).decode(chunk.records)
    session.turn([(chunk, decoded)], [Decision(DecisionKind.APPEARED, "p")])
    session.close()
    # The rule keeps its state only if its meaning stays, so the record is mended, not the file.
    with duckdb.connect(str(store)) as connection:
        connection.execute("""update dead_letters set raw = '{"at": 9, "size": 7}'::blob""")
    assert replay(plan, store, outputs={}) == Replayed(events=3)
    windows: list[int] = []
    session = open_session(
        plan,
        store,
        source=MemorySource(given),
        outputs={},
        observe=lambda r: windows.extend(
            n for f, _ in r.windows for n in f.values["requests"].to_pylist()
        ),
    )
    session.finish_input()
    session.close()
    assert windows == [4]
    assert counts(made) == {"read": 7, "events": 4, "dead": 3}


def test_without_bytes(made: Path) -> None:
    made.write_text(made.read_text() + "dead_letters: {max_bytes: 40}\n")
    run(made)
    mend(made)
    output = invoke("replay", made).output
    assert "1 became events, 0 still fail, 3 can't be replayed" in output
    assert "not kept" in invoke("show", made, 1).output


def test_refused_while_it_runs(made: Path) -> None:
    run(made)
    code = (
        "import sys; from tailrace.store.store import Store;"
        "store = Store.open(sys.argv[1], 'web'); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(made.parent / "web.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        _, plan = check_file(made)
        with pytest.raises(StoreError, match="in use by a process that runs the pipeline"):
            replay(plan, made.parent / "web.duckdb")
        holder.communicate(b"")


def test_no_store(made: Path) -> None:
    _, plan = check_file(made)
    with pytest.raises(StoreError, match="there is no store"):
        replay(plan, made.parent / "web.duckdb")
    assert not (made.parent / "web.duckdb").exists()


def test_killed_before_its_commit(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that dies before its transaction is over did nothing and can be done again."""
    run(made)
    mend(made)
    _, plan = check_file(made)
    store = made.parent / "web.duckdb"
    whole = Store.commit
    seen = 0

    def dying(self: Store, commit: Any, *more: Any) -> tuple[int, ...]:
        nonlocal seen
        if commit.mended is not None:
            seen += 1
            raise KeyboardInterrupt
        return whole(self, commit, *more)

    monkeypatch.setattr(Store, "commit", dying)
    with pytest.raises(KeyboardInterrupt):
        replay(plan, store)
    assert seen == 1
    monkeypatch.undo()
    assert not any(row["replayed"] for row in letters(made))
    assert replay(plan, store) == Replayed(events=2, failed=2)
