"""Batches on their way from Spark's thread to the loop; Spark's waits until they are committed."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.engines.spark.frames import Frame

LOOK_SECONDS = 0.5
"""How often Spark's thread looks whether its query has ended."""


class StoppedError(Exception):
    """Tells Spark's thread that its batch isn't wanted now; it runs again at the next start."""


@dataclass(slots=True)
class Batch:
    """A batch; ``failure`` is raised in Spark's thread once it is ``done``."""

    number: int
    frames: Sequence[Frame]
    done: Event = field(default_factory=Event)
    failure: BaseException | None = None


class Handover:
    """Of one query; Spark calls it with each batch, the loop takes them."""

    def __init__(self) -> None:
        self._batches: queue.Queue[Batch] = queue.Queue()
        self._refused = False

    def __call__(self, number: int, frames: Sequence[Frame]) -> None:
        """Wait until the loop has committed the batch."""
        batch = Batch(number, frames)
        if not self._refused:
            self._batches.put(batch)
        while not batch.done.wait(LOOK_SECONDS):
            if self._refused:
                raise StoppedError
        if batch.failure is not None:
            raise batch.failure

    def take(self, seconds: float) -> Batch | None:
        """The next batch, waited for so long."""
        try:
            return self._batches.get(timeout=seconds) if seconds else self._batches.get_nowait()
        except queue.Empty:
            return None

    @property
    def empty(self) -> bool:
        """Whether no batch waits to be taken."""
        return self._batches.empty()

    def refuse(self) -> None:
        """Take no more: the query ends."""
        self._refused = True
