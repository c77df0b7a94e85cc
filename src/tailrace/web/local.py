"""Answers for this machine alone, whatever a browser on it was talked into asking.

A name that an attacker owns may point at 127.0.0.1 (DNS rebinding): then a page of theirs asks us
as if we were their server. The request still carries their name, in Host or in Origin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from tailrace.config.web import is_local

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class LocalOnly:
    """Middleware that refuses requests that don't name a local address."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse: 421 for another Host, 403 for another Origin."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if not _local(f"//{headers.get('host', '')}"):
                answer = PlainTextResponse("ask by a local address, or set web.token\n", 421)
            elif origin is not None and not _local(origin):
                answer = PlainTextResponse("pages of other origins are not answered\n", 403)
            else:
                await self._app(scope, receive, send)
                return
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _local(url: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and is_local(host)
