"""The small words of the text format: times, durations, values, and a line cut into them.

What the words mean together is decided in `format` and `expectations`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tailrace.testing.case import Expected, Number, Scalar

MICROS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_DURATION = re.compile(r"-?(?:\d+(?:\.\d+)?(?:us|ms|s|m|h|d|w))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w)")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?)?"
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>\#.*)
  | (?P<window>\[[^)\]\s]+,\s*[^)\]\s]+\))
  | (?P<name>"(?:[^"\\]|\\.)*"|[^\s="\[\#]+)=(?P<value>~?"(?:[^"\\]|\\.)*"|[^\s"]+)(?=\s|$)
  | (?P<quoted>"(?:[^"\\]|\\.)*")(?=\s|$)
  | (?P<word>[^\s="]+)(?=\s|$)
    """,
    re.VERBOSE,
)


class Unreadable(Exception):  # noqa: N818 (it never leaves the parser)
    """A piece of text that can't be read; `column` counts from 1."""

    def __init__(self, message: str, column: int, hint: str | None = None) -> None:
        """Say what is wrong at which column, and perhaps the way out."""
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a line: `kind` is window, attribute, word or comment; `column` counts from 1.

    An attribute has a `name`; `mark` tells whether it is one that begins with `@`, unquoted.
    """

    kind: str
    text: str
    column: int
    name: str = ""
    mark: bool = False


def tokens(text: str, column: int = 1) -> list[Token]:
    """Cut `text`, whose first character stands at `column`; raises Unreadable."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unreadable(
                f"can't read {text[at:].split(maxsplit=1)[0]!r} here",
                column + at,
                hint='values are name=value; an empty or spaced text is quoted: name=""',
            )
        kind = match.lastgroup or ""
        if match["name"] is not None:
            name = _unquoted(match["name"], column + at)
            mark = match["name"].startswith("@")
            found.append(Token("attribute", match["value"], column + at, name, mark))
        elif kind == "quoted":
            found.append(Token("word", _unquoted(match.group(), column + at), column + at))
        elif kind != "space":
            found.append(Token(kind, match.group(), column + at))
        at = match.end()
    return found


def duration(text: str) -> int | None:
    """Microseconds of `1h30m`, `12.5s`, `-3ms`; None if it is no duration or finer than 1 us."""
    if not _DURATION.fullmatch(text):
        return None
    total = sum(Decimal(amount) * MICROS[unit] for amount, unit in _PART.findall(text))
    micros = int(total)
    if micros != total:
        return None
    return -micros if text.startswith("-") else micros


def instant(text: str, base: int) -> int | None:
    """Microseconds since the epoch of a time relative to `base`, or in ISO 8601; None if neither.

    Without a zone ISO times are UTC.
    """
    relative = duration(text)
    if relative is not None:
        return base + relative
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    day, minute, second, fraction, zone = match.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{minute or '00:00'}:{second or '00'}+00:00")
    except ValueError:
        return None
    seconds = (whole - _EPOCH) // timedelta(seconds=1)
    if zone not in {None, "Z"}:
        hours, minutes = zone[1:].split(":")
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds -= -offset if zone[0] == "-" else offset
    return seconds * MICROS["s"] + int((fraction or "").ljust(6, "0"))


def scalar(text: str, column: int) -> Scalar:
    """The value of `200`, `null`, `true`, `"quoted"` or a bare word, which is text."""
    if text.startswith('"'):
        return _unquoted(text, column)
    if text == "null":
        return None
    if text in {"true", "false"}:
        return text == "true"
    return Number(text) if _NUMBER.fullmatch(text) else text


def expected(text: str, column: int, base: int) -> Expected:
    """An expected value; raises Unreadable if `~` stands before anything but a number."""
    approximate = text.startswith("~")
    value = scalar(text.removeprefix("~"), column)
    if approximate and not isinstance(value, Number):
        raise Unreadable(f"{text} is no number: only numbers can be approximate", column)
    time = None if text.startswith('"') else instant(text, base)
    return Expected(text, value, time, approximate)


def _unquoted(text: str, column: int) -> str:
    if not text.startswith('"'):
        return text
    try:
        value: str = json.loads(text)
    except ValueError as error:
        raise Unreadable(f"{text} is not a text as JSON writes it", column) from error
    return value
