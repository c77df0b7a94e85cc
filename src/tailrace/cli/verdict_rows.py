"""Entries of lists of verdicts as lines for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tailrace.cli.columns import aligned, number
from tailrace.cli.printable import one_line

if TYPE_CHECKING:
    from tailrace.engines.lookup import Entry, Json


def table(found: Iterable[Entry]) -> Iterator[str]:
    """A line for each."""
    rows = [("", "key", "state", "since", "until", "firings", "why")]
    for entry in found:
        body = entry.body
        rows.append(
            (
                one_line(entry.list),
                key_text(entry.key),
                str(body["state"]),
                shown(body["since"]),
                shown(body["until"] or "no end"),
                number(int(str(body["count"]))),
                why(body),
            )
        )
    yield from aligned(rows, right=(5,))


def told(entry: Entry) -> Iterator[str]:
    """One of them in words."""
    body = entry.body
    head = f"{key_text(entry.key)}  {one_line(entry.list)}:"
    if body["state"] == "allowed":
        yield f"{head} allowed since {shown(body['since'])}{_until(body)}"
    elif entry.listed:
        word = "banned" if body["state"] == "banned" else "listed"
        yield f"{head} {word} since {shown(body['since'])}{_until(body)}"
    else:
        yield f"{head} not listed; it was until {shown(body['until'] or body['at'])}"
    reason = why(body)
    if reason:
        yield f"  why: {reason}"
    measures = body["measures"]
    if isinstance(measures, dict) and measures:
        values = " ".join(f"{one_line(n)}={one_line(str(v))}" for n, v in measures.items())
        yield f"  last firing {shown(body['last_seen'])}: {values}"


_FINER = re.compile(r"(\.\d{3})\d{3}(?=Z|[+-])")


def shown(instant: object) -> str:
    """A time to the millisecond: what ends a stretch is the microsecond after its last one."""
    return _FINER.sub(r"\1", str(instant))


def key_text(key: Json) -> str:
    """The key's fields on one line."""
    return " ".join(f"{one_line(name)}={one_line(str(value))}" for name, value in key.items())


def why(body: Json) -> str:
    """The accusing rules with their firings, or what a person said."""
    comment = one_line(str(body["comment"]))
    reasons = body["reasons"]
    if comment or not isinstance(reasons, dict):
        return comment
    return ", ".join(f"{one_line(rule)} ({number(count)})" for rule, count in reasons.items())


def _until(body: Json) -> str:
    return f", until {shown(body['until'])}" if body["until"] else ", without end"
