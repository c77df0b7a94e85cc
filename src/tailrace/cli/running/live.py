"""A run on a terminal: news as lines above, below them a bar or the state of affairs.

The engine's thread draws, when the watch tells it to: a few times a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from io import TextIOBase
from typing import TYPE_CHECKING, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tailrace.cli.columns import elapsed, moment, number, size
from tailrace.cli.printable import one_line
from tailrace.cli.running.display import Lines

if TYPE_CHECKING:
    from tailrace.cli.running.display import Level
    from tailrace.cli.running.moment import Moment, OpenIncident, Summary
    from tailrace.cli.running.news import Item
    from tailrace.outputs import Output

INCIDENTS = 5
"""So many open incidents are shown."""
BAR_WIDTH = 30


class LiveView:
    """Lines above, the run below."""

    printed = True
    logged = False

    def __init__(self, console: Console | None = None, *, colour: bool = True) -> None:
        self._console = console or Console(highlight=False, no_color=not colour)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        above = cast("TextIO", _Above(self._console))
        # Who sends standard error elsewhere wants to find notes and messages there.
        self._lines = Lines(above, above if sys.stderr.isatty() else sys.stderr, colour=colour)

    def start(self) -> None:
        """See ``Display``."""
        self._live.start()

    def terminal(self) -> Output:
        """See ``Display``."""
        return self._lines.terminal()

    def news(self, items: Iterable[Item]) -> None:
        """See ``Display``."""
        self._lines.news(items)

    def say(self, lines: Sequence[str], level: Level = "info") -> None:
        """See ``Display``."""
        self._lines.say(lines, level)

    def tick(self, now: Moment) -> None:
        """See ``Display``."""
        self._live.update(bar(now) if now.bounded else affairs(now), refresh=True)

    def stop(self) -> None:
        """See ``Display``."""
        self._live.stop()

    def summary(self, summary: Summary) -> None:
        """See ``Display``."""
        Lines(cast("TextIO", self._console.file)).summary(summary)


class _Above(TextIOBase):
    """Text that is written here appears above the live part, line by line, not broken by us."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rest = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property serves as well
        return self._console.encoding

    def isatty(self) -> bool:
        return self._console.is_terminal

    def write(self, text: str, /) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._console.print(Text.from_ansi(line), soft_wrap=True)
        return len(text)


def bar(now: Moment) -> RenderableType:
    """How far a bounded input is read, how fast, and how long it will take."""
    grid = Table.grid(padding=(0, 1))
    cells: list[RenderableType] = [Text(now.pipeline, style="bold")]
    if now.totals is not None:
        done, whole = now.totals
        share = done / whole if whole else 1.0
        left = (whole - done) / now.bytes_per_second if now.bytes_per_second > 0 else None
        cells += [
            ProgressBar(total=max(whole, 1), completed=done, width=BAR_WIDTH),
            Text(f"{share:4.0%}"),
            Text(f"{size(done)} of {size(whole)}"),
            Text("" if left is None else f"{elapsed(left)} left"),
        ]
    else:
        cells.append(Text(f"{number(now.read)} records in {elapsed(now.seconds)}"))
    cells.append(Text(f"{number(now.records_per_second)} events/s", style="cyan"))
    cells.append(_troubles(now))
    grid.add_row(*cells)
    return Group(grid, *_errors(now))


def affairs(now: Moment) -> RenderableType:
    """How a followed input stands: rates, lag, what is open."""
    lag = "no watermark yet" if now.lag is None else f"watermark {_lag(now.lag)}"
    head = Text.assemble(
        (now.pipeline, "bold"),
        (f"  {number(now.records_per_second)} events/s", "cyan"),
        f"  {number(now.read)} read  {lag}  up {elapsed(now.seconds)}  ",
        _troubles(now),
        no_wrap=True,
        overflow="ellipsis",
    )
    incidents = [_incident(one, now) for one in now.newest_incidents[:INCIDENTS]]
    more = now.incidents - len(incidents)
    if more > 0:
        incidents.append(Text(f"  and {number(more)} more open", style="red"))
    return Group(head, *incidents, *_errors(now))


def _lag(seconds: float) -> str:
    return f"{elapsed(abs(seconds))} {'behind' if seconds >= 0 else 'ahead'}"


def _troubles(now: Moment) -> Text:
    parts = []
    if now.incidents:
        parts.append((f"{number(now.incidents)} open  ", "bold red"))
    if now.dead:
        parts.append((f"{number(now.dead)} dead letters  ", "yellow"))
    if now.waiting_rows:
        parts.append((f"{number(now.waiting_rows)} rows wait  ", "yellow"))
    return Text.assemble(*parts)


def _incident(incident: OpenIncident, now: Moment) -> Text:
    key = " ".join(f"{one_line(n)}={one_line(str(v))}" for n, v in incident.key.items())
    age = elapsed(max(0, (now.watermark or incident.opened_at) - incident.opened_at) / 1_000_000)
    return Text.assemble(
        "  ",
        (incident.rule, "bold red"),
        f"  {key}  since {moment(incident.opened_at)} ({age})  {one_line(incident.summary)}",
        no_wrap=True,
        overflow="ellipsis",
    )


def _errors(now: Moment) -> list[Text]:
    return [
        Text(f"  output {name}: {one_line(error)}", style="red", no_wrap=True, overflow="ellipsis")
        for name, error in now.errors.items()
    ]
