"""The servers of one folder of tests, shared by its modules; those of one folder run at a time."""

from pathlib import Path
from typing import TypeVar

from tests.servers.server import Server

S = TypeVar("S", bound=Server)


class Group:
    """Servers of the folder that asked last; when another folder asks, they are removed first."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._servers: dict[type[Server], Server] = {}

    def lend(self, kind: type[S], folder: Path) -> S:
        """Return a running server; `Missing` if it can't be had, ServerFailed if it won't start."""
        if folder != self._folder:
            self.end()
            self._folder = folder
        server = self._servers.get(kind)
        if not isinstance(server, kind):
            server = kind.found()
            start_or_remove(server)
            self._servers[kind] = server
        self.mend()
        return server

    def mend(self) -> None:
        """Start or resume what the test before left dead or paused."""
        for server in self._servers.values():
            if server.given is None:
                if server.alive:
                    server.resume()
                else:
                    server.start()

    def end(self) -> None:
        for server in self._servers.values():
            server.remove()
        self._servers.clear()


def start_or_remove(server: Server) -> None:
    """Start a server; if that fails, nothing is left of it."""
    try:
        server.start()
    except BaseException:
        server.remove()
        raise
