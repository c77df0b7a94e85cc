"""One deadline over a whole answer by HTTP: time-outs of sockets begin anew with every byte."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

AGAIN_SECONDS = 0.1
"""A connection that TLS is just being agreed on can't be cut yet; so soon that is tried again."""


class Deadline:
    """Cuts the connections of a pool when its time is over; to be used once, with ``with``."""

    def __init__(self, pool: HTTPConnectionPool, seconds: float) -> None:
        """Nothing runs yet; the pool makes its connections within ``with``."""
        self.passed = False
        """Whether the time was over before the end of ``with``."""
        self._seconds = seconds
        self._connections: list[Any] = []
        self._done = threading.Event()
        self._lock = threading.Lock()
        made, known = pool.ConnectionCls, self._connections

        def connect(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as urllib3 has it
            known.append(made(*given, **named))
            return known[-1]

        pool.ConnectionCls = connect  # type: ignore[assignment]  # a function makes one as well

    def __enter__(self) -> Self:
        """From here on the time runs."""
        threading.Thread(target=self._watch, name="tailrace-deadline", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """It was in time, unless ``passed``."""
        with self._lock:
            self._done.set()

    def _watch(self) -> None:
        wait = self._seconds
        while not self._done.wait(wait):
            with self._lock:
                if self._done.is_set():
                    return
                self.passed = True
                for connection in self._connections:
                    with suppress(OSError, AttributeError, TypeError):
                        # Not that of TLS, which would first say good-bye.
                        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
            wait = AGAIN_SECONDS
