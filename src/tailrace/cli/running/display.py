"""What every way of showing a run offers; and the plain one: a line for each thing that happens."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TextIO

from tailrace.cli.columns import aligned, elapsed, number
from tailrace.cli.printable import one_line, printable
from tailrace.cli.running.news import CONTENTS, MOST, Item, Kind
from tailrace.outputs.lines import Style, line

if TYPE_CHECKING:
    from tailrace.cli.running.moment import Moment, Summary
    from tailrace.outputs import Output


Level = Literal["info", "warning", "error"]


class Display(Protocol):
    """Shows a run. The engine's thread calls it."""

    printed: bool
    """Whether terminal outputs show for themselves what is sent to them."""
    logged: bool
    """Whether everything is told, whatever outputs take."""

    def start(self) -> None:
        """Begin; what was on the screen before stays."""
        ...

    def terminal(self) -> Output:
        """What stands for an output of kind terminal."""
        ...

    def news(self, items: Iterable[Item]) -> None:
        """Tell what happened."""
        ...

    def say(self, lines: Sequence[str], level: Level = "info") -> None:
        """Tell something of the command's own; the text is printable."""
        ...

    def tick(self, now: Moment) -> None:
        """Show how the run stands; called a few times a second."""
        ...

    def stop(self) -> None:
        """Leave the screen as it was found; safe to call twice."""
        ...

    def summary(self, summary: Summary) -> None:
        """Tell how it ended, after ``stop``."""
        ...


class Lines:
    """A line for each thing that happens: alerts go to ``stream``, notes and messages beside it."""

    printed = True
    logged = False

    def __init__(
        self,
        stream: TextIO | None = None,
        beside: TextIO | None = None,
        *,
        colour: bool = False,
    ) -> None:
        """Standard output, and standard error beside it, if nothing else is given."""
        self.stream = sys.stdout if stream is None else stream
        self._beside = sys.stderr if beside is None else beside
        self._style = Style(colour)

    def start(self) -> None:
        """See ``Display``."""

    def terminal(self) -> Output:
        """See ``Display``."""
        from tailrace.outputs.terminal import Terminal

        return Terminal(self.stream)

    def news(self, items: Iterable[Item]) -> None:
        """See ``Display``; of an epoch with very many news the first are told."""
        texts: list[str] = []
        notes: list[str] = []
        left_out = 0
        for item in items:
            if item.kind is Kind.NOTE:
                notes.append(item_line(item, self._style))
            elif len(texts) < MOST:
                texts.append(item_line(item, self._style))
            else:
                left_out += 1
        if left_out:
            texts.append(f"... and {number(left_out)} more; incidents are in table incidents")
        self._print(texts)
        self._print(notes, self._beside)

    def say(self, lines: Sequence[str], level: Level = "info") -> None:
        """See ``Display``."""
        del level  # lines for people say it in words
        self._print(lines, self._beside)

    def tick(self, now: Moment) -> None:
        """See ``Display``."""

    def stop(self) -> None:
        """See ``Display``."""

    def summary(self, summary: Summary) -> None:
        """See ``Display``."""
        self._print(summary_lines(summary))

    def _print(self, lines: Sequence[str], stream: TextIO | None = None) -> None:
        if lines:
            stream = self.stream if stream is None else stream
            encoding = stream.encoding or "utf-8"
            text = "".join(f"{text}\n" for text in lines)
            # A terminal of another encoding sees escapes for what it lacks.
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()


def item_line(item: Item, style: Style) -> str:
    """One thing that happened, as a line that a terminal can be given."""
    if item.kind is Kind.NOTE:
        return f"note  {one_line(str(item.document['text']))}"
    return line(item.document, CONTENTS[item.kind], str(item.document.get("rule", "")), style)


def summary_lines(summary: Summary) -> list[str]:
    """How a run ended, for people."""
    rate = summary.run_records / summary.seconds if summary.seconds > 0 else 0.0
    done = f"{number(summary.run_records)} records, {number(rate)}/s"
    account = (
        f"  {number(summary.read)} read = {number(summary.events)} events"
        f" + {number(summary.dead)} dead + {number(summary.blank)} blank"
    )
    if summary.duplicates:
        account += f"; {number(summary.duplicates)} duplicates"
    head = f"{summary.pipeline}: {summary.ended} after {elapsed(summary.seconds)}; {done}"
    lines = [head, account]
    if summary.dead_by_code:
        codes = sorted(summary.dead_by_code.items(), key=lambda item: -item[1])
        told = ", ".join(f"{code} {number(count)}" for code, count in codes)
        lines.append(f"  dead letters: {told}")
        if not summary.events:
            lines.append("  no record became an event: `tailrace dead-letters list` shows why")
    rules = [
        (
            rule.name,
            f"{number(rule.events)} events",
            f"= {number(rule.filtered)} filtered",
            f"+ {number(rule.late)} late",
            f"+ {number(rule.evicted)} evicted",
            f"+ {number(rule.accepted)} accepted",
            f"{number(rule.firings)} firings",
            f"{number(rule.errors)} errors" if rule.errors else "",
            f"{number(rule.forgotten)} keys forgotten" if rule.forgotten else "",
        )
        for rule in summary.rules
    ]
    lines += aligned(rules, right=range(1, 9))
    lines.append(
        f"  incidents: {number(summary.opened)} opened, {number(summary.resolved)} resolved,"
        f" {number(summary.open)} open"
        + (f"; early notices: {number(summary.notices)}" if summary.notices else "")
    )
    lines += aligned(_outputs(summary), right=(2,))
    if summary.waiting:
        rows = "1 row waits" if summary.waiting == 1 else f"{number(summary.waiting)} rows wait"
        lines.append(f"  {rows} in the store for outputs; the next run delivers them")
    return [printable(text) for text in lines]


def _outputs(summary: Summary) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for output in summary.outputs:
        table = output.kind.removeprefix("table ") if output.kind.startswith("table ") else None
        delivered = summary.tables.get(table, 0) if table is not None else output.delivered
        waiting = f"{number(output.waiting_rows)} wait" if output.waiting_rows else ""
        error = "" if output.error is None else one_line(output.error.replace("\n  Hint: ", "; "))
        rows.append((output.name, output.kind, f"{number(delivered)} rows", waiting, error))
    return rows
