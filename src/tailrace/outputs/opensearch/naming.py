"""The index that a document belongs to: one for all, one for each period, or a data stream."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.config.targets.opensearch import IndexPeriod, OpenSearchOutput

_FORMATS: dict[IndexPeriod, str] = {
    "hour": "%Y.%m.%d.%H",
    "day": "%Y.%m.%d",
    "month": "%Y.%m",
    "year": "%Y",
}
_UNITS = {"hour": "h", "day": "D", "month": "M", "year": "Y"}
UNDATED = "undated"
"""Ends the name of the index of what has no time."""


@dataclass(frozen=True, slots=True)
class Indices:
    """Where documents go. ``by``: an index for each period; ``stream``: a data stream."""

    name: str
    by: IndexPeriod | None = None
    stream: bool = False

    @classmethod
    def of_config(cls, config: OpenSearchOutput) -> Indices:
        """As an output's options say."""
        return cls(config.index, config.by, config.data_stream)

    @property
    def template(self) -> str | None:
        """The name of the index template that types are taken from; None for one plain index."""
        return f"tailrace-{self.name}" if self.stream or self.by else None

    @property
    def pattern(self) -> str:
        """What the template is for."""
        return f"{self.name}-*" if self.by else self.name

    def of(self, times: pa.Array) -> pa.Array | str:
        """The index's name for each time (timestamp[us, UTC]), or one for all."""
        if self.by is None:
            return self.name
        period = _FORMATS[self.by]
        # Few periods, many rows.
        floors = pc.floor_temporal(times, unit=self.by).dictionary_encode()
        names = [
            f"{self.name}-{moment.strftime(period)}" for moment in floors.dictionary.to_pylist()
        ]
        found = pa.array(names, pa.string()).take(floors.indices)
        return pc.fill_null(found, f"{self.name}-{UNDATED}")
