"""How results look in a terminal and in a notebook, and as pandas data frames.

Keys and annotations come from logs: in HTML they are escaped, in text control characters are.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Self

from tailrace.errors import TailraceError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_INCIDENTS = 10
"""How many incidents a summary shows."""


def to_frame(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a pandas data frame; TailraceError if pandas isn't installed."""
    try:
        import pandas as pd  # noqa: F401 - pyarrow's own message names neither pandas nor a way out
    except ImportError:
        raise TailraceError(
            "pandas is not installed", hint="pip install 'tailrace[pandas]', or stay with Arrow"
        ) from None
    frame: pd.DataFrame = table.to_pandas()
    return frame


@dataclass(frozen=True, slots=True)
class Summary:
    """A result in a few lines: counts, a row a rule, the first incidents."""

    name: str
    counts: dict[str, int]
    rules: list[dict[str, object]]
    incidents: list[dict[str, object]]
    more: int

    @classmethod
    def of(cls, name: str, counts: pa.Table, rules: pa.Table, incidents: pa.Table) -> Self:
        """Take what is shown out of a result's tables."""
        shown = incidents.slice(0, MOST_INCIDENTS)
        wanted = ("rule", "state", "key", "opened_at", "last_firing_at", "annotations")
        return cls(
            name,
            counts.to_pylist()[0],
            rules.to_pylist(),
            shown.select(wanted).to_pylist(),
            incidents.num_rows - shown.num_rows,
        )

    def text(self) -> str:
        """A few lines for a terminal."""
        lines = [f"Result of {self.name}: {self._account()}"]
        lines += [
            f"  {rule['rule']}: {rule['firings']:,} firings of {rule['accepted']:,} events"
            for rule in self.rules
        ]
        lines += [
            f"  {found['state']} {found['rule']} {printable(str(found['key']))}"
            f" since {found['opened_at']}"
            for found in self.incidents
        ]
        if self.more:
            lines.append(f"  ... and {self.more:,} more incidents")
        return "\n".join(lines)

    def html(self) -> str:
        """The same as HTML."""
        parts = [
            f"<p><b>{escape(self.name)}</b>: {escape(self._account())}</p>",
            _table(self.rules),
        ]
        if self.incidents:
            parts.append(_table(self.incidents))
        if self.more:
            parts.append(f"<p>... and {self.more:,} more incidents</p>")
        return "".join(parts)

    def _account(self) -> str:
        counts = self.counts
        return (
            f"{counts['read']:,} records = {counts['events']:,} events + {counts['dead']:,} dead"
            f" + {counts['blank']:,} blank"
        )


def printable(text: str) -> str:
    """A text with what could steer a terminal written out."""
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)


def _table(rows: list[dict[str, object]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(printable(str(v)))}</td>" for v in row.values()) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
