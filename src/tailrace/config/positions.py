"""Where each value of a pipeline file is written: file, line and column, also inside a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tailrace.config.base import dotted
from tailrace.config.complaints import Path
from tailrace.errors import Where


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one value; `key` that of its key, if it has one.

    `inside` gives the place of a character of the value's text.
    """

    value: Where
    key: Where | None = None
    inside: Callable[[int], Where] | None = None


@dataclass(frozen=True, slots=True)
class Positions:
    """Places by path. Without any (a pipeline built in Python), a place is the dotted path."""

    places: Mapping[Path, Place] = field(default_factory=dict)

    def where(self, path: Path, offset: int | None = None) -> Where:
        """Return the place of the value at `path`, or of the nearest one around it.

        With ``offset``: the place of that character (from 0) of the value's text.
        """
        place = self._nearest(path)
        if place is None:
            return Where(dotted(path) or "pipeline")
        if offset is not None and path in self.places and place.inside is not None:
            return place.inside(offset)
        return place.value

    def where_key(self, path: Path) -> Where:
        """Return the place of the key at `path`; of the value where it has none."""
        place = self._nearest(path)
        if place is None or path not in self.places:
            return self.where(path)
        return place.key or place.value

    def _nearest(self, path: Path) -> Place | None:
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return None
