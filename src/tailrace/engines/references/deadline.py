"""One deadline over a whole answer by HTTP: time-outs of sockets begin anew with every byte."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self._sockets: list[Callable[[], socket.socket]] = []
        self._done = threading.Event()
        self._lock = threading.Lock()
        make = pool.ConnectionCls

        def made(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as urllib3 has it
            connection = make(*given, **named)
            self._follow(connection)
            return connection

        pool.ConnectionCls = made  # type: ignore[assignment]  # a function makes one as well

    def __enter__(self) -> Self:
        """From here on the time runs."""
        threading.Thread(target=self._watch, name="tailrace-deadline", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """It was in time, unless ``passed``."""
        with self._lock:
            self._done.set()

    def _follow(self, connection: Any) -> None:  # noqa: ANN401 - any that urllib3 has
        inner = connection.connect
        self._sockets.append(lambda: connection.sock)

        def connect() -> None:
            inner()
            # An answer that ends with the connection has it alone, once its head is read.
            connected = connection.sock
            self._sockets.append(lambda: connected)

        connection.connect = connect

    def _watch(self) -> None:
        wait = self._seconds
        while not self._done.wait(wait):
            with self._lock:
                if self._done.is_set():
                    return
                self.passed = True
                for find in list(self._sockets):
                    with suppress(OSError, TypeError):
                        # Not as TLS does it, which would first say good-bye.
                        socket.socket.shutdown(find(), socket.SHUT_RDWR)
            wait = AGAIN_SECONDS
