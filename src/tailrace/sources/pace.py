"""How often to ask for news of files: often while there are some, then less."""

from __future__ import annotations

import threading

SHORTEST_SECONDS = 0.02
LONGEST_SECONDS = 0.25


class Pace:
    """Pauses that grow from ``SHORTEST_SECONDS`` to ``LONGEST_SECONDS`` until there is news.

    Asking works on every file system; being told of changes does not.
    """

    def __init__(self) -> None:
        self.seconds = SHORTEST_SECONDS
        """The next pause."""
        self._stopped = threading.Event()

    def news(self, *, found: bool) -> None:
        """Say whether asking gave anything."""
        self.seconds = SHORTEST_SECONDS if found else min(1.5 * self.seconds, LONGEST_SECONDS)

    def wait(self, seconds: float) -> None:
        """Sleep for the next pause, at most ``seconds``."""
        self._stopped.wait(min(self.seconds, max(seconds, 0)))

    def stop(self) -> None:
        """End this and every further wait at once."""
        self._stopped.set()
