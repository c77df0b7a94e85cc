"""The listening end of the control socket: threads of the running engine's process."""

from __future__ import annotations

import os
import select
import socket
import stat
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from tailrace.engines.control.address import beside, chosen
from tailrace.engines.control.wire import receive, refusal, send
from tailrace.errors import StoreError, TailraceError

if TYPE_CHECKING:
    from tailrace.engines.control.desk import Desk

MOST_CONNECTIONS = 16
IDLE_SECONDS = 60.0
"""After so long without a request a connection is closed."""


class ControlServer:
    """Listens beside a store and lets a desk answer.

    Whoever holds the store's lock may replace what lies at the socket's place: it is left over.
    """

    def __init__(self, store: Path, desk: Desk) -> None:
        """Listen at once; StoreError if no socket can be made."""
        self._desk = desk
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._connections: set[socket.socket] = set()
        self._path = chosen(store)
        self._pointer = beside(store) if beside(store) != self._path else None
        try:
            self._listening = _listen(self._path)
            if self._pointer is not None:
                _write(self._pointer, os.fsencode(self._path))
        except OSError as error:
            raise StoreError(f"no socket can be made at {self._path}: {error.strerror}") from error
        self._inode = self._path.stat().st_ino
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="tailrace-control", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """Where the socket is."""
        return self._path

    def close(self) -> None:
        """Stop listening, cut every connection and remove the socket."""
        self._wake.close()
        self._thread.join()
        self._listening.close()
        self._woken.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            if self._path.lstat().st_ino == self._inode:
                self._path.unlink()
                if self._pointer is not None:
                    self._pointer.unlink()

    def _accept(self) -> None:
        while True:
            ready, _, _ = select.select([self._listening, self._woken], [], [])
            if self._woken in ready:
                return
            try:
                connection, _ = self._listening.accept()
            except OSError:
                continue
            if not self._slots.acquire(blocking=False):
                connection.close()
                continue
            self._connections.add(connection)
            threading.Thread(
                target=self._serve, args=(connection,), name="tailrace-control", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with ExitStack() as open_:
                open_.enter_context(connection)
                connection.settimeout(IDLE_SECONDS)
                stream = open_.enter_context(connection.makefile("rwb"))
                self._talk(cast("BinaryIO", stream))
        except (OSError, StoreError, ValueError):
            pass  # the other end went away, or doesn't speak our language
        finally:
            self._connections.discard(connection)
            self._slots.release()

    def _talk(self, stream: BinaryIO) -> None:
        while (request := receive(stream)) is not None:
            try:
                answer = self._desk.answer(request.head)
            except TailraceError as error:
                answer = refusal(error, error.problems[0].hint if error.problems else None)
            send(stream, answer)


def _listen(path: Path) -> socket.socket:
    """Bind to another name and rename, so that nobody connects before the mode is set."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    new = path.with_name(path.name[:-1])
    try:
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(new.lstat().st_mode):
                new.unlink()
        listening.bind(str(new))
        new.chmod(0o600)
        listening.listen(MOST_CONNECTIONS)
        new.rename(path)
    except BaseException:
        listening.close()
        raise
    return listening


def _write(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content + b"\n")
    new.chmod(0o600)
    new.rename(path)
