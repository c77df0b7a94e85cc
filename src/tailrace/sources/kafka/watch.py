"""A thread that asks the broker while messages are read: ends, new partitions, the group."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tailrace.errors import AwayError, SourceError
from tailrace.sources.types import Note, Trouble

if TYPE_CHECKING:
    from tailrace.sources.kafka.broker import Broker, Place, Topic
    from tailrace.sources.kafka.membership import Membership

TICK_SECONDS = 0.25
ASK_SECONDS = 1.0
"""How often ends are asked for."""
HOLD_SECONDS = 3.0
"""How long an answer holds."""
REFRESH_SECONDS = 10.0
"""How often new partitions and topics are looked for."""

DOWN = "broker_down"
BACK = "broker_back"


class Watch:
    """What the broker says, asked again and again; the reading thread takes it when it likes."""

    def __init__(
        self, broker: Broker, membership: Membership | None, *, refresh_seconds: float | None
    ) -> None:
        """``refresh_seconds`` None: new partitions are of no interest."""
        self._broker = broker
        self._membership = membership
        self._refresh_seconds = refresh_seconds
        self._stop = threading.Event()
        self._refresh_at = 0.0
        self._answered = time.time_ns() // 1000
        self.trouble: Trouble | None = None
        """Why nothing can be read now, since the last answer; for any thread."""
        self.asked: tuple[Place, ...] = ()
        """Set by the reading thread: whose ends are wanted."""
        self.committed: Mapping[Place, int] = {}
        """Set from outside: positions that the store has."""
        self.topics: Mapping[str, Topic] | None = None
        self.failure: BaseException | None = None
        """Why the thread has ended; the reading thread raises it."""
        self.notes: deque[Note] = deque()
        self._ends: Mapping[Place, int] = {}
        self._ends_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="tailrace-kafka", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, with the last positions copied to the group."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._membership is not None:
            self._membership.leave(self.committed)

    def ends(self) -> Mapping[Place, int]:
        """The ends as the broker said them just now; nothing if it hasn't for a while."""
        if time.monotonic() - self._ends_at > HOLD_SECONDS:
            return {}
        return self._ends

    def fail(self, reason: str) -> None:
        """Nothing can be read; told once."""
        if self.trouble is None:
            self.trouble = Trouble(self._answered, reason)
            self.notes.append(Note(DOWN, "", f"{reason}; trying again until that has changed"))

    def well(self) -> None:
        """The broker has answered."""
        self._answered = time.time_ns() // 1000
        if self.trouble is not None:
            self.trouble = None
            self.notes.append(Note(BACK, "", "Kafka is back"))

    def _run(self) -> None:
        try:
            self._watch()
        except BaseException as error:  # noqa: BLE001 - without the thread nothing is ever idle
            self.failure = error

    def _watch(self) -> None:
        ask_at = 0.0
        self._refresh_at = time.monotonic() + (self._refresh_seconds or 0.0)
        while not self._stop.wait(TICK_SECONDS):
            if self._membership is not None:
                self._membership.turn(self.committed)
            now = time.monotonic()
            if now >= ask_at:
                ask_at = now + ASK_SECONDS
                self._ask(now)

    def _ask(self, now: float) -> None:
        try:
            if self.asked:
                ends = self._broker.ends(self.asked)
                self._ends, self._ends_at = ends, time.monotonic()
            if self._refresh_seconds is not None and now >= self._refresh_at:
                self._refresh_at = now + self._refresh_seconds
                self.topics = self._broker.known_topics()
        except AwayError as error:
            self.fail(f"Kafka can't be reached: {error}")
        except SourceError as error:
            self.fail(str(error))
        else:
            if self.asked:
                self.well()
