"""A pipeline's source that is opened only if an epoch that was begun must be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.sources.opening import open_source
from tailrace.sources.types import Poll

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tailrace.formats.records import Records
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Json, Slice, Source


class Unread:
    """For those who work on a store alone; it never has anything new."""

    bounded = True

    def __init__(self, plan: Plan, store: str | Path) -> None:
        """Open nothing; ``store`` is the store's file."""
        self._plan = plan
        self._store = store
        self._positions: Mapping[str, dict[str, Json]] = {}
        self._source: Source | None = None

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Remember where to start."""
        self._positions = positions

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Find nothing."""
        del max_bytes, watermarks
        return Poll()

    def reread(self, piece: Slice) -> Records:
        """Read a slice of the real source again."""
        if self._source is None:
            self._source = open_source(self._plan.config, until_end=True, store=self._store)
            self._source.open(self._positions)
        return self._source.reread(piece)

    def wait(self, seconds: float) -> None:
        """Return at once."""

    def totals(self) -> tuple[int, int] | None:
        """Return None: nothing is read."""
        return None

    def close(self) -> None:
        """Close what was opened."""
        if self._source is not None:
            self._source.close()
