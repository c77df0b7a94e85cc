from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.outputs.samples import SECOND, notices, revisions, rows_of

from tailrace.errors import OutputError
from tailrace.outputs import Content, Form, OutboxBatch
from tailrace.outputs.lines import Style, line, pairs, safe
from tailrace.outputs.rows import incident_rows, notice_rows, window_rows
from tailrace.outputs.terminal import Terminal


def printed(rows: pa.Table) -> list[str]:
    screen = io.StringIO()
    terminal = Terminal(screen)
    terminal.open(None)
    terminal.deliver(OutboxBatch(0, rows))
    return screen.getvalue().split("\n")[:-1]


def test_the_life_of_an_incident_reads_well() -> None:
    opened, resolved = printed(incident_rows(revisions("10.0.0.1", lasting=65)))
    assert opened == (
        "1970-01-01 00:01:40Z  FIRING    flood  client_ip=10.0.0.1 host=null"
        "  10.0.0.1 made 12 requests in 20 s"
    )
    assert resolved == (
        "1970-01-01 00:02:45Z  resolved  flood  client_ip=10.0.0.1 host=null"
        "  after 1m 5s  10.0.0.1 made 12 requests in 20 s"
    )


def test_other_rows_read_well() -> None:
    rows = window_rows(
        "slow", {"host": pa.array(["api"])}, np.array([SECOND]), SECOND, {"mean": pa.array([0.5])}
    )
    assert printed(rows) == ["1970-01-01 00:00:01Z  window    slow  host=api mean=0.5"]
    (notice,) = printed(notice_rows(notices("10.0.0.1")))
    assert notice == (
        "1970-01-01 00:01:40Z  notice    flood  client_ip=10.0.0.1 host=null"
        "  sure to fire when its window closes"
    )
    assert printed(rows_of(Content.EVENTS, Form.ROWS))[1] == (
        "1970-01-01 00:00:02Z  event     probe  access.log:90  / at 1970-01-01T00:00:02.000Z on api"
    )
    assert printed(rows_of(Content.ARCHIVE, Form.ROWS))[1] == (
        "path=/ host=api seen=1970-01-01T00:00:00.000001Z mean=1.0"
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.5, "0.5s"), (59, "59s"), (60, "1m"), (125, "2m 5s"), (7260, "2h 1m"), (180_000, "2d 2h")],
)
def test_durations(seconds: float, shown: str) -> None:
    (text,) = incident_rows(revisions("a")[1:]).column("json").to_pylist()
    row = json.loads(text)
    row["opened_at"] = "2022-01-01T00:00:00.000Z"
    row["resolved_at"] = str(np.datetime64("2022-01-01", "ms") + int(seconds * 1000)) + "Z"
    assert f"  after {shown}  " in line(row, Content.INCIDENTS, "")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2022-01-01T22:13:23.000Z", "2022-01-01 22:13:23Z"),
        ("2022-01-01T22:13:23.000001Z", "2022-01-01 22:13:23.000001Z"),
        ("2022-01-01T22:13:23.250Z", "2022-01-01 22:13:23.250Z"),
        ("2022-01-01T22:13:23.000+02:00", "2022-01-01 22:13:23+02:00"),
        ("2022-01-01T22:13:23.000040+02:00", "2022-01-01 22:13:23.000040+02:00"),
    ],
)
def test_instants(written: str, shown: str) -> None:
    text = rows_of(Content.EVENTS, Form.ROWS).column("json").to_pylist()[0]
    told = line(json.loads(text) | {"time": written}, Content.EVENTS, "")
    assert told.startswith(f"{shown}  event")


@pytest.mark.parametrize("content", Content)
def test_nothing_that_a_terminal_obeys_gets_through(content: Content) -> None:
    lines = printed(rows_of(content, Form.ROWS))
    assert len(lines) == rows_of(content, Form.ROWS).num_rows
    assert all(text.isprintable() for text in lines)
    assert any("\\x1b[2J\\x0d\\x0a" in text for text in lines)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\u202eb\u2066\u200b", "a\\u202eb\\u2066\\u200b"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\U000e0001", "\\U000e0001"),
        ("x" * 201, "x" * 199 + "…"),
    ],
)
def test_hostile_text_is_shown_not_obeyed(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_values_can_not_pose_as_other_values() -> None:
    assert pairs({"a": "x b=y", "c": "", "d": '"', "e\n": 1, "f": True}) == (
        'a="x b=y" c="" d="\\"" e\\x0a=1 f=true'
    )


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    def shown(stream: io.StringIO) -> str:
        terminal = Terminal(stream)
        terminal.open(None)
        terminal.deliver(OutboxBatch(0, incident_rows(revisions("a"))))
        return stream.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31mFIRING  \x1b[0m  flood" in shown(Tty())
    assert "\x1b" not in shown(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(Tty())
    (row, _) = map(json.loads, incident_rows(revisions("a")).column("json").to_pylist())
    assert "\x1b" in line(row, Content.INCIDENTS, "", Style(colour=True))


def test_a_terminal_of_another_encoding_gets_escapes() -> None:
    raw = io.BytesIO()
    terminal = Terminal(io.TextIOWrapper(raw, encoding="ascii"))
    terminal.open(None)
    terminal.deliver(OutboxBatch(0, incident_rows(revisions("é漢"))))
    assert b"client_ip=\\xe9\\u6f22" in raw.getvalue()


def test_a_closed_terminal_is_an_error_of_the_output() -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    terminal = Terminal(Gone())
    terminal.open(None)
    with pytest.raises(OutputError, match="Broken pipe"):
        terminal.deliver(OutboxBatch(0, incident_rows(revisions("a"))))
