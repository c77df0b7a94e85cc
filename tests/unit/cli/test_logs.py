from __future__ import annotations

import io
import json

from tests.unit.cli.moments import SUMMARY
from tests.unit.outputs.samples import revisions, rows_of

from tailrace.cli.running.logs import LogLines
from tailrace.cli.running.news import Item, Kind, note_item
from tailrace.outputs.batches import Content, Form, OutboxBatch
from tailrace.sources.types import Note


def test_a_log_for_machines() -> None:
    stream, rows = io.StringIO(), io.StringIO()
    log = LogLines(stream, rows, clock=lambda: 1_000_000)
    log.start()
    opened, resolved = revisions("10.0.0.1")
    log.news(
        [Item(Kind.INCIDENT, opened.to_json_dict()), Item(Kind.INCIDENT, resolved.to_json_dict())]
    )
    log.news([note_item(Note("rotated", "/a", "\x1b[2Jread on"))])
    log.say(["output raw takes no rows now"], "warning")
    log.summary(SUMMARY)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("started", "info"),
        ("incident", "warning"),
        ("incident", "info"),
        ("note", "info"),
        ("message", "warning"),
        ("ended", "info"),
    ]
    assert {line["time"] for line in lines} == {"1970-01-01T00:00:01.000Z"}
    assert lines[1]["incident"]["key"] == {"client_ip": "10.0.0.1", "host": None}
    assert "\x1b" not in stream.getvalue()
    assert lines[-1]["summary"]["read"] == SUMMARY.read
    assert rows.getvalue() == ""


def test_rows_go_where_they_always_go() -> None:
    stream, rows = io.StringIO(), io.StringIO()
    output = LogLines(stream, rows).terminal()
    output.open(None)
    output.deliver(OutboxBatch(0, rows_of(Content.WINDOWS, Form.ROWS)))
    assert stream.getvalue() == ""
    assert len(rows.getvalue().splitlines()) == 3
