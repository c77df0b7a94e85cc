"""One reference, loaded again when its time has come or it has changed, in a thread of its own.

A load that fails changes nothing; it is told once, until another one succeeds or fails otherwise.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tailrace.config.reference_places import FileTable, SqlTable
from tailrace.engines.references.files import Stamp, stamp
from tailrace.engines.references.reading import failure, load
from tailrace.errors import TableError

if TYPE_CHECKING:
    from tailrace.config.references import Reference
    from tailrace.reference.build import Built

LOOK_SECONDS = 0.5
"""How often a file is looked at."""

AGAIN_SECONDS = 5.0
"""After a failure it is tried again at the latest then, where it is loaded regularly at all."""


class Watcher:
    """Loads a reference; ``take`` gives what was loaded since the last time."""

    def __init__(self, name: str, config: Reference) -> None:
        """Load nothing yet."""
        self.name, self.config = name, config
        self.error: TableError | None = None
        """Why the last load failed; None if it didn't."""
        self.loaded_at: float | None = None
        """When it was last loaded, whether or not it had changed (seconds since 1970)."""
        self._fresh: Built | None = None
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._seen: Stamp | None = None
        self._thread: threading.Thread | None = None

    def load(self) -> Built | None:
        """Load it now; None, and ``error`` says why, if that fails."""
        if isinstance(self.config.place, FileTable):
            self._seen = stamp(self.config.place.path)
        try:
            built = load(self.name, self.config)
        except TableError as error:
            self.error = error
            return None
        self.error = None
        self.loaded_at = time.time()
        return built

    def start(self) -> None:
        """From now on load it again by itself; once is enough."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(
            target=self._run, name=f"tailrace-reference-{self.name}", daemon=True
        )
        self._thread.start()
        if self.config.watch and isinstance(self.config.place, SqlTable):
            place = self.config.place
            if place.channel is not None:
                threading.Thread(
                    target=self._listen, name=f"tailrace-listen-{self.name}", daemon=True
                ).start()

    @property
    def waiting(self) -> bool:
        """Whether ``take`` would give something."""
        return self._fresh is not None

    def take(self) -> Built | None:
        """What was loaded since the last time, by any thread."""
        with self._lock:
            fresh, self._fresh = self._fresh, None
        return fresh

    def stop(self) -> None:
        """End; a load that is under way is left behind."""
        self._stop.set()
        self._changed.set()

    def _run(self) -> None:
        while self._wait():
            built = self.load()
            if built is not None:
                with self._lock:
                    self._fresh = built

    def _wait(self) -> bool:
        """Wait until it is to be loaded again; False if that will never be."""
        place = self.config.place
        watched = self.config.watch and isinstance(place, FileTable)
        seconds = None if self.config.refresh is None else self.config.refresh / 1_000_000
        if self.error is not None and seconds is not None:
            seconds = min(seconds, AGAIN_SECONDS)
        due = None if seconds is None else time.monotonic() + seconds
        before = self._seen
        while not self._stop.is_set():
            left = None if due is None else max(0.0, due - time.monotonic())
            look = min(LOOK_SECONDS, left or LOOK_SECONDS) if watched else left
            if self._changed.wait(look):
                self._changed.clear()
                return not self._stop.is_set()
            if watched and isinstance(place, FileTable):
                now = stamp(place.path)
                # Once it has stayed the same for a moment: nobody is writing to it.
                if now != self._seen and now == before:
                    return True
                before = now
            if due is not None and time.monotonic() >= due:
                return True
        return False

    def _listen(self) -> None:
        from tailrace.engines.references.sql import listen

        place = self.config.place
        assert isinstance(place, SqlTable)  # noqa: S101 - the caller looked
        while not self._stop.is_set():
            try:
                listen(place, self._changed.set, self._stop.is_set)
            except Exception as error:  # noqa: BLE001 - nobody else would see it, or listen again
                self.error = failure(self.name, error)
                self._stop.wait(AGAIN_SECONDS)
