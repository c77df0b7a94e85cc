"""A run as a log for machines: one JSON object a line, on standard error.

Every line has ``time`` (of the clock, UTC), ``level``, ``event`` and ``message``; what outputs of
kind terminal print goes to standard output, as ever.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from tailrace.cli.running.display import Lines, item_line, summary_lines
from tailrace.cli.running.news import Kind
from tailrace.outputs.lines import Style
from tailrace.outputs.output import wall_clock
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from tailrace.cli.running.display import Level
    from tailrace.cli.running.moment import Moment, Summary
    from tailrace.cli.running.news import Item
    from tailrace.outputs import Output


class LogLines:
    """Logs what happens."""

    printed = True
    logged = True

    def __init__(
        self,
        stream: TextIO | None = None,
        rows: TextIO | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._rows = Lines(sys.stdout if rows is None else rows)
        self._clock = clock

    def start(self) -> None:
        """See ``Display``."""
        self._log("info", "started", "started")

    def terminal(self) -> Output:
        """See ``Display``."""
        return self._rows.terminal()

    def news(self, items: Iterable[Item]) -> None:
        """See ``Display``; all are told."""
        for item in items:
            level = "info" if item.kind is Kind.NOTE else "warning"
            if item.document.get("state") == "resolved":
                level = "info"
            message = item_line(item, Style())
            self._log(level, item.kind.value, message, {item.kind.value: item.document})

    def say(self, lines: Sequence[str], level: Level = "info") -> None:
        """See ``Display``."""
        self._log(level, "message", "\n".join(lines))

    def tick(self, now: Moment) -> None:
        """See ``Display``."""

    def stop(self) -> None:
        """See ``Display``."""

    def summary(self, summary: Summary) -> None:
        """See ``Display``."""
        message = summary_lines(summary)[0]
        self._log("info", "ended", message, {"summary": summary.to_json()})

    def _log(
        self, level: str, event: str, message: str, more: Mapping[str, object] | None = None
    ) -> None:
        line = {
            "time": iso(self._clock()),
            "level": level,
            "event": event,
            "message": message,
            **(more or {}),
        }
        self._stream.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
        self._stream.flush()
