"""Rows as lines for people: one each, in columns that the eye finds, safe for a terminal.

Log content is hostile: whatever isn't printable (control characters, escape sequences, characters
that turn the direction of text) is shown as an escape, and long values are cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tailrace.outputs.batches import Content

LONGEST = 200
"""Characters of a value that are shown."""

_WORDS = {
    "opened": "FIRING",
    "updated": "update",
    "resolved": "resolved",
    "input_ended": "open",
    "rule_removed": "removed",
}
_COLOURS = {
    "FIRING": "\x1b[1;31m",
    "update": "\x1b[31m",
    "notice": "\x1b[33m",
    "event": "\x1b[33m",
    "resolved": "\x1b[32m",
}
_PLAIN = "\x1b[0m"
_NO_FRACTION = re.compile(r"\.0+(?![0-9])")


@dataclass(frozen=True, slots=True)
class Style:
    """How lines look: ``colour`` only where somebody looks at a terminal."""

    colour: bool = False


def line(  # noqa: PLR0911 - one for each content
    row: Mapping[str, Any], content: Content, rule: str, style: Style = Style()
) -> str:
    """One row as a line without its end; ``row`` is the row's JSON, read."""
    match content:
        case Content.INCIDENTS:
            word = _WORDS[row["reason"]]
            at = row["resolved_at"] or row["window"]["end"]
            said = _said(row, row["measures"])
            if row["resolved_at"]:
                said = f"after {_duration(row['opened_at'], at)}  {said}"
            return _joined(at, word, row["rule"], pairs(row["key"]), said, style)
        case Content.VERDICTS:
            return _verdict(row, style)
        case Content.NOTICES:
            end = row["window"]["end"]
            said = "sure to fire when its window closes"
            return _joined(end, "notice", row["rule"], pairs(row["key"]), said, style)
        case Content.DEAD_LETTERS:
            where = f"{safe(row['partition'])}:{row['position']}"
            return f"dead letter  {safe(row['code'])}  {where}  {safe(row['reason'])}"
        case Content.EVENTS:
            where = f"{safe(row['partition'])}:{row['position']}"
            said = _said(row, row["fields"])
            return _joined(row["time"], "event", row["rule"], where, said, style)
        case Content.WINDOWS:
            values = {name: value for name, value in row.items() if name != "window"}
            return _joined(row["window"]["end"], "window", rule, pairs(values), "", style)
        case Content.ARCHIVE:
            return pairs(row)


def _verdict(row: Mapping[str, Any], style: Style) -> str:
    until = f"until {_short(row['until'])}" if row["until"] and row["live"] else ""
    why = safe(row["comment"]) or pairs(row["reasons"])
    said = "  ".join(part for part in (until, why) if part)
    return _joined(row["at"], row["state"], row["verdict"], pairs(row["key"]), said, style)


def safe(text: str) -> str:
    """Text of which a terminal prints every character and obeys none."""
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character) for character in text
    )


def pairs(values: Mapping[str, Any]) -> str:
    """``name=value`` for each, quoted where a blank or an equals sign would mislead."""
    return " ".join(f"{safe(name)}={_value(value)}" for name, value in values.items())


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + pairs(value) + "}"
    text = safe(str(value))
    if not text or any(character in text for character in ' ="'):
        return '"' + text.replace('"', '\\"') + '"'
    return text


def _said(row: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """What the rule's author wanted said: the summary, else the values."""
    summary = row["annotations"].get("summary")
    return safe(summary) if summary else pairs(values)


def _joined(time: str, word: str, rule: str, whom: str, said: str, style: Style) -> str:
    marked = f"{word:<8}"
    if style.colour and word in _COLOURS:
        marked = f"{_COLOURS[word]}{marked}{_PLAIN}"
    parts = [_short(time), marked, safe(rule), whom, said]
    return "  ".join(part for part in parts if part)


def _short(instant: str) -> str:
    """An instant as people read it: a blank for the ``T``, no fraction that is zero."""
    return _NO_FRACTION.sub("", safe(instant).replace("T", " ", 1), count=1)


def _duration(start: str, end: str) -> str:
    """Time between two instants: ``45s``, ``2m 5s``, ``3h 20m``, ``2d 4h``."""
    try:
        elapsed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except ValueError:
        return f"{_short(start)}..{_short(end)}"
    if elapsed < timedelta(minutes=1):
        return f"{round(elapsed.total_seconds(), 3):g}s"
    seconds = int(elapsed.total_seconds())
    for unit, size, smaller, part in (
        ("d", 86_400, "h", 3600),
        ("h", 3600, "m", 60),
        ("m", 60, "s", 1),
    ):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size}{unit}" + (f" {rest}{smaller}" if rest else "")
    return f"{seconds}s"
