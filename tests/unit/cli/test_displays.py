import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.unit.cli.moments import SUMMARY, moment
from tests.unit.outputs.samples import HOSTILE, notices, revisions, rows_of

from tailrace.cli.running.display import Lines, summary_lines
from tailrace.cli.running.json_lines import JsonLines
from tailrace.cli.running.live import LiveView
from tailrace.cli.running.news import MOST, Item, Kind, note_item
from tailrace.outputs.batches import Content, Form, OutboxBatch
from tailrace.sources.types import Note

HERE = Path(__file__).parent
NEWS = [
    Item(Kind.NOTICE, notices()[0].to_json_dict()),
    *(Item(Kind.INCIDENT, revision.to_json_dict()) for revision in revisions()),
    note_item(Note("rotated", HOSTILE, f"{HOSTILE} was rotated")),
]


def lines_of(items: list[Item]) -> tuple[list[str], list[str]]:
    """What is printed of alerts, and of what isn't one."""
    stream, beside = io.StringIO(), io.StringIO()
    view = Lines(stream, beside)
    view.news(items)
    view.say(["the output far takes no rows"], "warning")
    return stream.getvalue().split("\n")[:-1], beside.getvalue().split("\n")[:-1]


def test_a_line_for_each_thing() -> None:
    told, beside = lines_of(NEWS)
    assert [line.split("  ")[1].strip() for line in told] == ["notice", "FIRING", "resolved"]
    assert beside[0].startswith("note  \\x1b[2J\\x0d\\x0a")
    assert beside[1:] == ["the output far takes no rows"]
    assert all(line.isprintable() for line in told + beside)


def test_very_many_news_are_cut() -> None:
    told, _ = lines_of(NEWS[:1] * (MOST + 1234))
    assert len(told) == MOST + 1
    assert told[-1] == "... and 1,234 more; incidents are in table incidents"


def test_the_summary_adds_up() -> None:
    assert summary_lines(SUMMARY) == (HERE / "summary.txt").read_text().split("\n")[:-1]


def test_a_run_without_one_event_says_where_to_look() -> None:
    nothing = replace(SUMMARY, events=0, dead=2, dead_by_code={"malformed_json": 2})
    assert "  no record became an event: `tailrace dead-letters list` shows why" in summary_lines(
        nothing
    )


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]


def test_json_lines() -> None:
    stream = io.StringIO()
    view = JsonLines(stream)
    view.news(NEWS)
    view.say(["taken up"])
    view.tick(moment())
    view.summary(SUMMARY)
    found = objects(stream)
    assert [each["type"] for each in found] == [
        "notice",
        "incident",
        "incident",
        "note",
        "message",
        "summary",
    ]
    assert found[1] == {"type": "incident", **NEWS[1].document}
    assert found[3]["text"] == f"{HOSTILE} was rotated"
    assert found[5]["read"] == found[5]["events"] + found[5]["dead"] + found[5]["blank"]


def test_a_terminal_output_among_json_lines() -> None:
    stream = io.StringIO()
    output = JsonLines(stream).terminal()
    state = output.open(None)
    for seq, content in enumerate(Content):
        state = output.deliver(OutboxBatch(seq, rows_of(content, Form.ROWS))).state
        assert state == {"seq": seq}
    assert {each["type"] for each in objects(stream)} == {"window", "archived", "dead_letter"}
    written = stream.getvalue()
    output.open({"seq": len(Content) - 1})
    output.deliver(OutboxBatch(0, rows_of(Content.WINDOWS, Form.ROWS)))
    assert stream.getvalue() == written


def drawn(**facts: Any) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, width=120, legacy_windows=False, _environ={"TERM": "x"}
    )
    view = LiveView(console, colour=False)
    view.start()
    view.tick(moment(**facts))
    view.stop()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("facts", "texts"),
    [
        (
            {},
            [
                "12,346 events/s",
                "1,000,003 read",
                "watermark 6.0s behind",
                "8 open",
                "2 dead letters",
                "1,200 rows wait",
                "and 3 more open",
                "output far: it is down",
            ],
        ),
        (
            {"bounded": True, "totals": (1 << 20, 4 << 20)},
            [" 25%", "1.0 MiB of 4.0 MiB", "3.0s left", "12,346 events/s", "8 open"],
        ),
        ({"bounded": True}, ["1,000,003 records in 1m 5s"]),
        ({"bounded": True, "totals": (0, 0)}, ["100%"]),
    ],
    ids=["followed", "bounded", "a pipe", "empty"],
)
def test_the_live_view(facts: dict[str, Any], texts: list[str]) -> None:
    text = drawn(**facts)
    assert [each for each in texts if each not in text] == []


def test_news_stand_above_the_live_view_whole() -> None:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, width=40, legacy_windows=False, _environ={"TERM": "x"}
    )
    view = LiveView(console, colour=False)
    view.start()
    view.news(NEWS)
    view.stop()
    for line in lines_of(NEWS)[0]:
        assert line in stream.getvalue()


def test_nothing_hostile_gets_through() -> None:
    # What rich writes itself: cursor movements, erasing, the cursor's visibility.
    ours = drawn().replace("\x1b[?25l", "").replace("\x1b[?25h", "")
    assert "\x1b[2J" not in ours
    assert "\x9b" not in ours
    assert "\u202e" not in ours
