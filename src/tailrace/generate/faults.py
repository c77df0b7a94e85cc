"""What goes wrong between a server and its reader: late, repeated and malformed rows.

A row has at most one fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tailrace.generate.rows import Change, LineBuffer, texts

if TYPE_CHECKING:
    from numpy.random import Generator

Faults: TypeAlias = NDArray[np.uint8]
"""One of the four below for each row."""
CLEAN, LATE, DUPLICATE, MALFORMED = range(4)

NOT_A_LINE = texts(
    [
        "2022/08/03 06:51:51 [error] 31#31: *1045 upstream timed out (110: Connection timed out)",
        "Traceback (most recent call last):",
        "-- MARK --",
        "<html><head><title>502 Bad Gateway</title></head></html>",
    ]
)


@dataclass(frozen=True, slots=True)
class FaultShares:
    """Shares of all rows, together at most 1."""

    late: float
    late_by_us: int
    """Late rows are older than they should be by 1 to this many microseconds."""
    duplicates: float
    malformed: float

    def draw(self, rng: Generator, rows: int) -> Faults:
        """Draw the rows' faults."""
        edges = np.cumsum([self.late, self.duplicates, self.malformed])
        if edges[-1] == 0:
            return np.zeros(rows, dtype=np.uint8)
        drawn = (np.searchsorted(edges, rng.random(rows), side="right") + 1) % 4
        faults = drawn.astype(np.uint8)
        first = int(np.argmax(faults != MALFORMED))
        if faults[first] == DUPLICATE:
            faults[first] = CLEAN  # the block holds nothing before it that it could repeat
        return faults

    def delays_us(self, rng: Generator, faults: Faults) -> NDArray[np.int64]:
        """How much older each row's event time is than its arrival."""
        delays = np.zeros(len(faults), dtype=np.int64)
        late = faults == LATE
        delays[late] = rng.integers(1, self.late_by_us + 1, np.count_nonzero(late))
        return delays


def faulty_lines(
    buffer: LineBuffer, faults: Faults, wrong: tuple[Change, ...], rng: Generator
) -> bytes:
    """The first rows of a buffer as lines, with their faults; the buffer can be used again."""
    repeat_rows(buffer, faults)
    malformed = np.flatnonzero(faults == MALFORMED)
    break_rows(buffer, malformed, wrong, rng)
    lines = buffer.lines(len(faults))
    buffer.restore(malformed)
    return lines


def repeat_rows(buffer: LineBuffer, faults: Faults) -> None:
    """Overwrite each duplicate with the last row before it that is neither that nor malformed."""
    duplicates = np.flatnonzero(faults == DUPLICATE)
    buffer.records[duplicates] = buffer.records[repeated(faults)[duplicates]]


def repeated(faults: Faults) -> NDArray[np.int64]:
    """The row that each row would repeat: itself, or the last one before that is no copy."""
    original = (faults == CLEAN) | (faults == LATE)
    return np.maximum.accumulate(np.where(original, np.arange(len(faults)), -1))


def break_rows(
    buffer: LineBuffer, malformed: NDArray[np.int64], wrong: tuple[Change, ...], rng: Generator
) -> None:
    """Make these rows malformed: cut short, no line of the format at all, or with a wrong value."""
    how = rng.integers(0, 2 + len(wrong), len(malformed))
    _cut(buffer, malformed[how == 0], rng)
    _replace(buffer, malformed[how == 1], rng)
    for number, change in enumerate(wrong, start=2):
        rows = malformed[how == number]
        for field, value in change.items():
            buffer.records[field][rows] = value


def _cut(buffer: LineBuffer, rows: NDArray[np.int64], rng: Generator) -> None:
    ends = rng.integers(1, buffer.last_part + 1, len(rows))
    kept = np.arange(buffer.octets.shape[1]) < ends[:, None]
    kept[:, -1] = True
    buffer.octets[rows] *= kept


def _replace(buffer: LineBuffer, rows: NDArray[np.int64], rng: Generator) -> None:
    buffer.octets[rows, :-1] = 0
    chosen = NOT_A_LINE[rng.integers(0, len(NOT_A_LINE), len(rows))]
    buffer.octets[rows, : chosen.itemsize] = chosen.view(np.uint8).reshape(
        len(rows), chosen.itemsize
    )
