"""The pages of a running pipeline: ``/metrics``, ``/healthz``, ``/readyz``, ``/lookup``."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tailrace.errors import StoreError
from tailrace.web.health import hindrances, illness
from tailrace.web.local import LocalOnly
from tailrace.web.lookup import Looker, lookup
from tailrace.web.metrics import CONTENT_TYPE, render

if TYPE_CHECKING:
    from starlette.requests import Request

    from tailrace.engines.status import Status


class Teller(Looker, Protocol):
    """Who knows how the pipeline stands; for any thread."""

    def status(self) -> Status:
        """The newest status; StoreError if there is none yet."""
        ...

    def latest(self) -> Status | None:
        """The newest status without what only the store knows; None if there is none yet."""
        ...

    def age(self) -> float | None:
        """Seconds since the engine told it; None if it didn't yet."""
        ...


def application(teller: Teller, *, token: str | None, version: str) -> Starlette:
    """The application; with a ``token`` whoever asks for metrics or verdicts must bear it.

    Without one only this machine is answered, and no page of a browser that has been led here by
    another name: what is asked for must be a local address.
    """

    async def metrics(request: Request) -> Response:
        if not _allowed(request, token):
            return _unknown()
        try:
            status = await run_in_threadpool(teller.status)
        except StoreError as error:
            return PlainTextResponse(f"{error.render()}\n", 503)
        return Response(render(status, version), media_type=CONTENT_TYPE)

    async def healthz(_: Request) -> Response:
        found = illness(teller.age())
        return PlainTextResponse(f"{found or 'ok'}\n", 503 if found else 200)

    async def readyz(request: Request) -> Response:
        found = hindrances(teller.latest())
        shown = found if _allowed(request, token) else []
        body = {"ready": not found, "reasons": shown}
        return JSONResponse(body, 503 if found else 200)

    async def looked_up(request: Request) -> Response:
        return await lookup(request, teller) if _allowed(request, token) else _unknown()

    return Starlette(
        middleware=[] if token is not None else [Middleware(LocalOnly)],
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/lookup/{name}", looked_up),
        ],
    )


def _unknown() -> Response:
    return PlainTextResponse(
        "a bearer token is needed\n", 401, headers={"WWW-Authenticate": "Bearer"}
    )


def _allowed(request: Request, token: str | None) -> bool:
    if token is None:
        return True
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
