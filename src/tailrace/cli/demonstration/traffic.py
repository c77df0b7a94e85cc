"""Traffic in real time, a round of attacks after the other, into a log that is followed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tailrace.generate.attacks import Attack
from tailrace.generate.delivery import Tally, deliver
from tailrace.generate.episodes import Episode
from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.pace import MonotonicClock, paced
from tailrace.generate.stream import Block

SECOND_US = 1_000_000
RATE = 200.0
ROUND_US = 24 * SECOND_US
ATTACKS = (
    Attack("flood", 200_000, 5 * SECOND_US, rate=3.0),
    Attack("failing-host", 4 * SECOND_US, 5 * SECOND_US, rate=0.5),
    Attack("slow-host", 7 * SECOND_US, 5 * SECOND_US, rate=0.5),
    Attack("scanner", 10 * SECOND_US, 4 * SECOND_US, rate=0.4),
)
"""Of each round, by their offsets from its start."""


class Traffic:
    """Writes from a thread of its own until it is stopped. Event times are those of the clock."""

    def __init__(self, log: Path, seed: int) -> None:
        self._log = log
        self._seed = seed
        self._clock = MonotonicClock()
        self._stopped = False
        self._rounds: list[NginxTraffic] = []
        self._thread = threading.Thread(target=self._write, name="tailrace-demo", daemon=True)
        self.failure: Exception | None = None
        self.tally = Tally()

    def start(self) -> None:
        """Begin now."""
        self._log.touch()
        self._thread.start()

    def stop(self) -> None:
        """End; what was written stays."""
        self._stopped = True
        self._thread.join()

    def episodes(self) -> list[Episode]:
        """The attacks that have begun."""
        now_us = time.time_ns() // 1000
        return [e for each in list(self._rounds) for e in each.labels() if e.start_us <= now_us]

    def _write(self) -> None:
        try:
            with self._log.open("ab") as sink:
                deliver(self._blocks(), sink, self.tally, lambda: self._stopped)
        except Exception as error:  # noqa: BLE001 - told by the thread that shows
            self.failure = error

    def _blocks(self) -> Iterator[Block]:
        start_us = time.time_ns() // 1000
        lead_us = start_us - self._clock.now_us()
        for number in count():
            traffic = NginxTraffic(
                seed=self._seed + number,
                rate=RATE,
                duration_us=ROUND_US,
                start_us=start_us + number * ROUND_US,
                attacks=ATTACKS,
            )
            self._rounds.append(traffic)
            yield from paced(traffic.blocks(), lead_us, self._clock, lambda: self._stopped)
            if self._stopped:
                return
