"""The HTTP server beside a running engine: a thread of its process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tailrace.errors import TailraceError
from tailrace.sources.http.listening import listening_socket

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

        try:
            self._listening = listening_socket(host, port, MOST_REQUESTS)
        except OSError as error:
            raise TailraceError(
                f"nobody can be answered at {host}:{port}: {error.strerror}",
                hint="choose another address with web.listen or --web",
            ) from error
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
