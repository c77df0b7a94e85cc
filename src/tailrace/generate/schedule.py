"""When rows arrive: a steady rate that episodes raise, inverted from row number to time.

Knows rates only; which of the rows are an attack's is decided in `effects`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.episodes import Episode
from tailrace.generate.options import SECOND_US

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rate as a step function of time, in float64 microseconds after the start."""

    start_us: int
    steps_us: NDArray[np.float64]
    """When the rate changes; the first is 0."""
    rates: NDArray[np.float64]
    """Rows a microsecond from each step on."""
    rows: NDArray[np.float64]
    """Rows before each step."""

    @classmethod
    def of(cls, start_us: int, rate: float, episodes: Sequence[Episode]) -> Schedule:
        """Schedule `rate` events a second and what `episodes` add to them."""
        edges = {edge for episode in episodes for edge in (episode.start_us, episode.end_us)}
        times = np.array(sorted({start_us, *edges}), dtype=np.int64)
        level = np.ones(len(times))
        for episode in episodes:
            during = (times >= episode.start_us) & (times < episode.end_us)
            level[during] += episode.attack.added_rate
        steps_us = (times - start_us).astype(np.float64)
        rates = level * rate / SECOND_US
        rows = np.concatenate([[0.0], np.cumsum(np.diff(steps_us) * rates[:-1])])
        return cls(start_us, steps_us, rates, rows)

    def times_us(self, places: NDArray[np.float64]) -> NDArray[np.int64]:
        """Microseconds since the epoch at which the rows at these fractional places arrive."""
        step = np.searchsorted(self.rows, places, side="right") - 1
        offsets = self.steps_us[step] + (places - self.rows[step]) / self.rates[step]
        # A thousandth of a microsecond makes up for the division: 0.5 s is not 0.499999 s.
        return self.start_us + np.floor(offsets + 1e-3).astype(np.int64)

    def offset_us(self, rows: int) -> int:
        """Microseconds after the start by which the first `rows` rows have arrived."""
        return int(self.times_us(np.array([float(rows)]))[0]) - self.start_us

    def rows_within(self, duration_us: int) -> int:
        """How many rows arrive in the first `duration_us` microseconds."""
        step = int(np.searchsorted(self.steps_us, duration_us, side="right")) - 1
        rows = self.rows[step] + (duration_us - self.steps_us[step]) * self.rates[step]
        return int(rows + 1e-6)
