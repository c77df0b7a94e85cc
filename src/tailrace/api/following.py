"""A pipeline that runs in a thread of its own while its incidents are iterated over."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tailrace.alerts.incidents import Revision
    from tailrace.engines.concluding import Result as Epoch
    from tailrace.engines.embedded.engine import Engine
    from tailrace.engines.embedded.session import Session
    from tailrace.sources.types import Note

    Listen = Callable[[Epoch | None, tuple[Note, ...]], None]

WAITING = 1000
"""Epochs with news that may wait for the loop that takes them; more hold back the pipeline."""


class Following:
    """An iterator over the revisions of incidents as they come.

    It ends when the input ends, when ``stop`` is called (by any thread) or its ``with`` block is
    left; an error of the run is raised where the next revision would come.
    """

    def __init__(self, session: Session, make_engine: Callable[[Session, Listen], Engine]) -> None:
        """Begin; the session is closed at the end."""
        self._session = session
        self._queue: queue.Queue[list[Revision] | BaseException | None] = queue.Queue(WAITING)
        self._pending: list[Revision] = []
        self._stopped = threading.Event()
        self._done = False
        self._engine = make_engine(session, self._heard)
        self._thread = threading.Thread(target=self._run, name="tailrace-follow", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End cleanly: the epoch that is under way is committed. What came before is lost."""
        self._stopped.set()
        self._engine.stop()
        while self._thread.is_alive():
            self._drain()
            self._thread.join(0.05)
        self._drain()
        self._pending = []
        self._done = True
        self._queue.put(None)  # for a loop in another thread that waits

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Revision:
        while not self._pending:
            if self._done:
                raise StopIteration
            item = self._queue.get()
            if isinstance(item, list):
                self._pending = item
                continue
            self._done = True
            self._thread.join()
            if item is not None:
                raise item
        return self._pending.pop(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __del__(self) -> None:
        if not self._done:
            self._stopped.set()
            self._engine.stop()

    def _drain(self) -> None:
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return

    def _heard(self, result: Epoch | None, notes: tuple[Note, ...]) -> None:
        del notes
        if result is not None and result.revisions:
            self._put(list(result.revisions))

    def _put(self, item: list[Revision] | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.25)
            except queue.Full:
                continue
            return

    def _run(self) -> None:
        failure: BaseException | None = None
        try:
            try:
                self._engine.run()
            finally:
                self._session.close()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that iterates
            failure = error
        self._put(failure)
