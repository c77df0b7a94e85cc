"""Giving back what belongs to a server that may not answer: it is waited for, then left behind.

What is left behind is a thread in a call that doesn't return. The process can go on, and it can be
ended; whoever ends it must not wait for threads.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Farewell:
    """A call under way in a thread of its own."""

    def __init__(self, call: Callable[[], None], name: str) -> None:
        """Begin."""
        self._call = call
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait so long at most; what the call has raised by then is raised."""
        self._thread.join(seconds)
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            self._problem = error
