"""An epoch that was begun and can't be read again stops the start, unless a person accepts it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from tailrace.config import loads
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.errors import AwayError, SourceError
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan
from tailrace.sources.following import FollowedFiles


class DiedError(Exception):
    """The process "dies" here."""


def plan(folder: Path) -> Plan:
    text = f"""
name: web
source: {{file: {{path: "{folder}/web.ndjson", follow: true}}}}
time: {{field: t}}
fields: {{k: text}}
archive: {{to: [out]}}
outputs: {{out: {{file: {{path: "{folder}/out.ndjson"}}}}}}
"""
    return compile_pipeline(loads(text, env={}))


def write(folder: Path, *times: int) -> None:
    lines = "".join(json.dumps({"t": time, "k": "a" * 300}) + "\n" for time in times)
    (folder / "web.ndjson").write_text(lines)


def die(point: str) -> None:
    if point == "plan":
        raise DiedError


def test_what_is_gone_is_left_out_only_on_request(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3)
    store = tmp_path / "s.duckdb"
    session = open_session(plan(tmp_path), store, until_end=True, on_commit=die)
    with suppress(DiedError):
        Engine(session, make_decoder).run()
    session.delivery.close()
    session.source.close()
    session.store.close()
    (tmp_path / "web.ndjson").unlink()
    write(tmp_path, 10, 11)

    with pytest.raises(SourceError, match="can't be read again") as caught:
        open_session(plan(tmp_path), store, until_end=True)
    assert "--accept-loss" in caught.value.render()

    session = open_session(plan(tmp_path), store, until_end=True, accept_loss=True)
    try:
        Engine(session, make_decoder).run()
        counts = session.state.counts
        assert counts.notes["unfinished_lost"] > 0
        assert (counts.read, counts.events) == (2, 2)
    finally:
        session.close()
    rows = [json.loads(line)["t"] for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    assert rows == ["1970-01-01T00:00:10.000Z", "1970-01-01T00:00:11.000Z"]


def test_what_can_not_be_asked_now_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1, 2, 3)
    store = tmp_path / "s.duckdb"
    session = open_session(plan(tmp_path), store, until_end=True, on_commit=die)
    with suppress(DiedError):
        Engine(session, make_decoder).run()
    session.delivery.close()
    session.source.close()
    session.store.close()

    def away(*_: object) -> None:
        raise AwayError("nobody answers")

    with monkeypatch.context() as patch:
        patch.setattr(FollowedFiles, "reread", away)
        with pytest.raises(AwayError, match="nobody answers"):
            open_session(plan(tmp_path), store, until_end=True, accept_loss=True)
    session = open_session(plan(tmp_path), store, until_end=True, accept_loss=True)
    assert session.state.counts.events == 3
    session.close()
