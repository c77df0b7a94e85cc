"""What is said of a rule, a key and an instant. Times are microseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailrace.alerts.incidents import json_values
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from tailrace.plan.identity import Scalar

Json = dict[str, object]

OUTCOMES = {
    "fired": "the condition holds",
    "did not fire": "the condition doesn't hold",
    "row": "every window with an event is a row",
    "no event": "no event that the rule accepted lies in it, so it doesn't exist",
    "before its start": "the rule has no windows that begin before it started",
}
"""Outcome of a window and what it means."""


@dataclass(frozen=True, slots=True)
class PartSeen:
    """One of the conditions that ``and`` and ``or`` join: its truth, None for null.

    ``terms``: the texts of what it compares, with their values; ``failed``: it is null because an
    operation in it failed.
    """

    text: str
    truth: bool | None
    terms: tuple[tuple[str, Scalar], ...]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PaneSeen:
    """One pane of the window that has events, and the rule's measures over it alone."""

    start: int
    end: int
    events: int
    measures: dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class WindowSeen:
    """One window of the key; ``closed`` False: more events may come."""

    start: int
    end: int
    outcome: str
    events: int
    closed: bool
    truth: bool | None
    parts: tuple[PartSeen, ...] = ()
    measures: dict[str, Scalar] = field(default_factory=dict)
    panes: tuple[PaneSeen, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: every window that contains the instant, and one of them (``chosen``) in detail.

    ``basis``: from where it is known; ``condition``: its text as written, None for a record without
    one; ``notes``: what else to know (late events, evicted keys, incidents).
    """

    rule: str
    key: dict[str, Scalar]
    time: int
    basis: str
    condition: str | None
    windows: tuple[WindowSeen, ...]
    chosen: WindowSeen
    notes: tuple[str, ...]

    def to_json(self) -> Json:
        """As JSON has it; times are ISO 8601."""
        return {
            "rule": self.rule,
            "key": json_values(self.key),
            "time": iso(self.time),
            "basis": self.basis,
            "condition": self.condition,
            "windows": [_short(window) for window in self.windows],
            "window": _long(self.chosen),
            "notes": list(self.notes),
        }


def _short(window: WindowSeen) -> Json:
    return {
        "start": iso(window.start),
        "end": iso(window.end),
        "outcome": window.outcome,
        "events": window.events,
        "closed": window.closed,
    }


def _long(window: WindowSeen) -> Json:
    detail: Json = {
        "truth": window.truth,
        "parts": [
            {
                "text": part.text,
                "truth": part.truth,
                "failed": part.failed,
                "values": json_values(dict(part.terms)),
            }
            for part in window.parts
        ],
        "measures": json_values(window.measures),
        "panes": [
            {
                "start": iso(pane.start),
                "end": iso(pane.end),
                "events": pane.events,
                "measures": json_values(pane.measures),
            }
            for pane in window.panes
        ],
        "flags": list(window.flags),
    }
    return _short(window) | detail
