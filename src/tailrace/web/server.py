"""The HTTP server beside a running engine: a thread of its process."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from tailrace.errors import TailraceError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from uvicorn import Server

STOP_SECONDS = 5.0
MOST_REQUESTS = 64


class WebServer:
    """Listens on an address and answers by an application."""

    def __init__(self, application: Starlette, host: str, port: int) -> None:
        """Listen at once (port 0: a free one); TailraceError if that can't be."""
        import uvicorn

        self._listening = _listen(host, port)
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            limit_concurrency=MOST_REQUESTS,
            timeout_graceful_shutdown=1,
        )
        self._server: Server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._listening]},
            name="tailrace-web",
            daemon=True,
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""
        host, port = self._listening.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._listening.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise TailraceError(f"web.listen {host}:{port}: {error.strerror}") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(MOST_REQUESTS)
    except OSError as error:
        listening.close()
        raise TailraceError(
            f"nobody can be answered at {host}:{port}: {error.strerror}",
            hint="choose another port with web.listen or --web",
        ) from error
    return listening
