"""``GET /lookup/LIST?key=...``: is a key on a list of verdicts, since when, why, until when.

Of a key with several fields each is a parameter: ``?client_ip=...&account=...``. What is told may
be text of logs: it is escaped so that no page can take it for markup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tailrace.errors import StoreError

if TYPE_CHECKING:
    from starlette.requests import Request

Json = dict[str, object]

MOST_FIELDS = 32
MOST_CHARACTERS = 8192

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Looker(Protocol):
    """Who knows the lists of verdicts; for any thread."""

    def lookup(self, name: str, key: Sequence[str]) -> list[Json] | None:
        """The entries of a key, one at most; None: there is no such list; StoreError."""
        ...


async def lookup(request: Request, looker: Looker) -> Response:
    """Answer: 200 with ``listed``, 400 without a key, 404 for another list, 503 if it can't be."""
    name = request.path_params["name"]
    given = request.query_params.multi_items()
    key = [value if field == "key" else f"{field}={value}" for field, value in given]
    if not key or len(key) > MOST_FIELDS or sum(map(len, key)) > MOST_CHARACTERS:
        return answer({"error": "name the key: ?key=VALUE, or ?FIELD=VALUE&..."}, 400)
    try:
        found = await run_in_threadpool(looker.lookup, name, key)
    except StoreError as error:
        return answer({"error": error.render()}, 503)
    if found is None:
        return answer({"error": f"there is no list of verdicts {name}"}, 404)
    entry = found[0] if found else None
    listed = entry is not None and entry["live"] is True
    return answer({"list": name, "listed": listed, "entry": entry}, 200)


def answer(body: Json, code: int) -> Response:
    """JSON in ASCII without a character that markup begins with."""
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return Response(f"{text}\n", code, headers=_HEADERS, media_type="application/json")
