"""What a view shows of a run at a moment; and what is said of it at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tailrace.engines.status import REMOVED

if TYPE_CHECKING:
    from tailrace.engines.status import OutputStatus, RuleStatus


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that fires; ``opened_at`` in microseconds."""

    rule: str
    key: Mapping[str, object]
    opened_at: int
    summary: str


@dataclass(frozen=True, slots=True)
class Moment:
    """The run now. ``totals``: bytes read and bytes in all, where the input ends.

    ``lag``: seconds from the watermark to now, None without a watermark.
    """

    pipeline: str
    seconds: float
    bounded: bool
    totals: tuple[int, int] | None
    bytes_per_second: float
    read: int
    records_per_second: float
    watermark: int | None
    lag: float | None
    dead: int
    waiting_rows: int
    incidents: int
    newest_incidents: tuple[OpenIncident, ...]
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended. Counts are those of the store; ``run_records`` were read by this run."""

    pipeline: str
    ended: str
    seconds: float
    run_records: int
    read: int
    events: int
    dead: int
    blank: int
    duplicates: int
    dead_by_code: Mapping[str, int]
    opened: int
    updated: int
    resolved: int
    notices: int
    open: int
    rules: tuple[RuleStatus, ...]
    outputs: tuple[OutputStatus, ...]
    tables: Mapping[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Rows that no output has taken yet, but for those of outputs that are gone."""
        return sum(output.waiting_rows for output in self.outputs if output.kind != REMOVED)

    def to_json(self) -> dict[str, object]:
        """A JSON object."""
        return asdict(self)
