"""Rows that a server refused are sent again when a person says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.engines.test_lanes import Server

from tailrace.cli.dead_letters import command
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.embedded.resend import Resent, resend
from tailrace.errors import OutputError, StoreError
from tailrace.outputs import OutboxBatch, Receipt
from tailrace.plan.compile import check_file
from tailrace.store.commit import Commit
from tailrace.store.outbox import from_bytes

PIPELINE = """
name: web
source: {file: {path: web.ndjson}}
time: {field: at}
fields: {n: integer}
archive: {to: [raw]}
outputs: {raw: {file: {path: out.ndjson}}}
"""
BAD = '{"at":"1970-01-01T00:00:02.000Z","n":2}'


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline whose output refused one of three rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.ndjson").write_text(
        "".join(json.dumps({"at": n, "n": n}) + "\n" for n in (1, 2, 3))
    )
    path = tmp_path / "web.yaml"
    path.write_text(PIPELINE)
    loaded, plan = check_file(path)
    session = open_session(plan, loaded.store_path, outputs={"raw": Server(refuses=BAD)})
    try:
        Engine(session, make_decoder).run()
    finally:
        session.close()
    return path


def said(*words: str) -> str:
    result = CliRunner().invoke(command, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_refused_rows_are_listed(ran: Path) -> None:
    shown = said("refused", str(ran))
    assert "no" in shown
    assert "in all: raw 1" in shown
    assert said("refused", str(ran), "--to", "other") == "no refused rows\n"
    (row,) = (json.loads(line) for line in said("refused", str(ran), "--json").splitlines())
    assert (row["output"], row["reason"], row["body"]) == ("raw", "no", BAD)


def test_a_mended_server_takes_them(ran: Path) -> None:
    loaded, plan = check_file(ran)
    mended = Server()
    assert resend(plan, loaded.store_path, made={"raw": mended}) == Resent(taken=1)
    assert [text for _, text in mended.got] == [BAD]
    assert resend(plan, loaded.store_path, made={"raw": mended}) == Resent()
    assert said("refused", str(ran)) == "no refused rows\n"
    assert "in all: raw 1" in said("refused", str(ran), "--all")


def test_one_that_is_not_refuses_them_again(ran: Path) -> None:
    loaded, plan = check_file(ran)
    for _ in range(2):
        again = resend(plan, loaded.store_path, made={"raw": Server(refuses=BAD)})
        assert again == Resent(refused=1)
    assert "in all: raw 1" in said("refused", str(ran))


def test_outputs_that_are_gone_get_nothing(ran: Path) -> None:
    loaded, plan = check_file(ran)
    assert resend(plan, loaded.store_path, made={}) == Resent(unknown=1)
    with pytest.raises(StoreError, match="no store"):
        resend(plan, ran.parent / "none.duckdb")


def test_rows_that_waited_before_are_not_counted(ran: Path) -> None:
    class Down(Server):
        def deliver(self, batch: OutboxBatch) -> Receipt:
            raise OutputError(f"nobody is there for batch {batch.seq}")

    loaded, plan = check_file(ran)
    session = open_session(plan, loaded.store_path, outputs={"raw": Down(remote=False)})
    try:
        rows = from_bytes(session.store.refused_rows()[0].payload)
        waiting = tuple((session.state.next_seq + number, "raw", rows) for number in range(3))
        session.state.next_seq += len(waiting)
        session.commit(Commit(session.state.epoch, session.state.to_json(), outbox=waiting))
    finally:
        session.close()
    assert resend(plan, loaded.store_path, made={"raw": Down(remote=False)}) == Resent(waiting=1)
