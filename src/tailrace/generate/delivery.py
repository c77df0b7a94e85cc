"""Writing a run: its lines to a file, and what became of them as labels.

What is counted is what was written, however the run ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol

import numpy as np

from tailrace.generate.episodes import Episode
from tailrace.generate.faults import DUPLICATE, LATE, MALFORMED
from tailrace.generate.options import iso_utc
from tailrace.generate.stream import Block


@dataclass(slots=True)
class Tally:
    """Lines written so far, and how many of them have which fault."""

    lines: int = 0
    late: int = 0
    duplicates: int = 0
    malformed: int = 0
    first_us: int | None = None
    """Arrival of the first line."""
    last_us: int | None = None
    """Arrival of the last line."""

    def add(self, block: Block) -> None:
        """Count a block that was written."""
        faults = np.bincount(block.faults, minlength=4)
        self.lines += len(block.faults)
        self.late += int(faults[LATE])
        self.duplicates += int(faults[DUPLICATE])
        self.malformed += int(faults[MALFORMED])
        if self.first_us is None:
            self.first_us = int(block.arrivals_us[0])
        self.last_us = int(block.arrivals_us[-1])


class Sink(Protocol):
    """Where lines go: a file, or what takes bytes as one does."""

    def write(self, lines: memoryview, /) -> int:
        """Take lines; return how many bytes were taken."""
        ...

    def flush(self) -> None:
        """Let them go on."""
        ...


def deliver(
    blocks: Iterable[Block],
    sink: Sink,
    tally: Tally,
    stopped: Callable[[], bool] = lambda: False,
    truth: IO[bytes] | None = None,
) -> None:
    """Write blocks, flushed one by one, until there are no more or `stopped`; count them.

    What they say of the truth goes to `truth`.
    """
    for block in blocks:
        rest = memoryview(block.lines)
        while rest:  # with PYTHONUNBUFFERED, stdout takes a part when a signal comes
            rest = rest[sink.write(rest) :]
        sink.flush()
        tally.add(block)
        if truth is not None:
            truth.write(block.truth)
        if stopped():
            return


def label_lines(episodes: Iterable[Episode], seed: int, tally: Tally) -> Iterator[str]:
    """A JSON line for each episode that had begun when the run ended, then one with the counts."""
    last_us = tally.last_us
    if last_us is not None:
        seen = (episode.until(last_us + 1) for episode in episodes)
        yield from (json.dumps(episode.as_json()) + "\n" for episode in seen if episode)
    yield summary_line(seed, tally)


def summary_line(seed: int, tally: Tally) -> str:
    """A JSON line with the counts."""
    first_us, last_us = tally.first_us, tally.last_us
    summary = {
        "kind": "summary",
        "seed": seed,
        "first": None if first_us is None else iso_utc(first_us),
        "last": None if last_us is None else iso_utc(last_us),
        "lines": tally.lines,
        "late": tally.late,
        "duplicates": tally.duplicates,
        "malformed": tally.malformed,
    }
    return json.dumps(summary) + "\n"
