"""The port that bodies are sent to: a thread with an event loop, and as many connections as asked.

Not a server of the standard library (a thread a connection, lenient about what it reads) and no
framework (they leave slow senders to a proxy in front of them): HTTP is read by h11, strictly, and
every step has its deadline here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

from tailrace.config.web import host_and_port
from tailrace.errors import SourceError
from tailrace.sources.http.exchange import REFUSED, Connection, part
from tailrace.sources.http.listening import listening_socket

if TYPE_CHECKING:
    from tailrace.config.http_source import HttpSource
    from tailrace.sources.http.inbox import Inbox

STOP_SECONDS = 3.0
"""How long answers may take to leave at a stop."""

BACKLOG = 128


class HttpServer:
    """Listens at once, answers after ``start``."""

    def __init__(self, config: HttpSource, inbox: Inbox) -> None:
        """Bind the address; SourceError if that can't be."""
        self._config = config
        self._inbox = inbox
        self._context = _context(config)
        self._listening = _listen(config.listen)
        self._loop = asyncio.new_event_loop()
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._refusing = 0
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port, also where the system chose it."""
        return int(self._listening.getsockname()[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread = threading.Thread(target=self._run, name="tailrace-http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; answers that are known still go out."""
        if self._thread is None:
            self._listening.close()
            self._loop.close()
            return
        with contextlib.suppress(RuntimeError):  # its loop has ended already
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2 * STOP_SECONDS)

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            server = loop.run_until_complete(
                asyncio.start_server(
                    self._serve, sock=self._listening, ssl=self._context, backlog=BACKLOG
                )
            )
            loop.run_forever()
            server.close()
            loop.run_until_complete(self._finish())
        finally:
            loop.close()

    async def _finish(self) -> None:
        for task, connection in self._connections.items():
            connection.closing = True
            if not connection.busy:
                task.cancel()
        if self._connections:
            _, left = await asyncio.wait(list(self._connections), timeout=STOP_SECONDS)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is one
        try:
            if len(self._connections) >= self._config.max_connections:
                await self._refuse(reader, writer)
                return
            connection = Connection(self._config, self._inbox, reader, writer)
            self._connections[task] = connection
            await connection.serve()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._connections.pop(task, None)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), 1)

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say politely that there is no connection left, to a few at a time."""
        writer.write(REFUSED)
        if self._refusing < self._config.max_connections:
            self._refusing += 1
            try:
                await part(reader, writer)
            finally:
                self._refusing -= 1


def _listen(listen: str) -> socket.socket:
    try:
        return listening_socket(*host_and_port(listen), BACKLOG)
    except OSError as error:
        raise SourceError(
            f"nothing can be received at {listen}: {error.strerror}",
            hint="choose another address with source.http.listen",
        ) from error


def _context(config: HttpSource) -> ssl.SSLContext | None:
    if config.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.certificate, config.key, password=lambda: "")
    except OSError as error:
        raise SourceError(
            f"the certificate {config.certificate} can't be read: {error.strerror or 'no PEM'}",
            hint="PEM files are needed: the certificate, and its key without a password",
        ) from error
    return context
