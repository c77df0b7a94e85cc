"""References that a server answers with."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tailrace._version import __version__
from tailrace.engines.references.contents import Form, cells
from tailrace.engines.references.deadline import Deadline
from tailrace.errors import TableError
from tailrace.outputs.extras import extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.config.reference_places import HttpTable
    from tailrace.reference.raw import RawTable


def read_http(place: HttpTable, columns: Sequence[str]) -> RawTable:
    """The cells of an answer; TableError, with the server's name alone, if there is none."""
    extra("http", "urllib3")
    import urllib3
    from urllib3.connectionpool import connection_from_url

    from tailrace.outputs.calling import tls_context

    parts = urlsplit(place.url)
    host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    headers = {"User-Agent": f"tailrace/{__version__}", **place.headers}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers |= urllib3.make_headers(basic_auth=pair)
    given = {"ssl_context": tls_context(place.tls)} if parts.scheme == "https" else {}
    seconds = place.timeout / 1_000_000
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pool = connection_from_url(host, maxsize=1, **given)
    with closing(pool), Deadline(pool, seconds) as deadline:
        try:
            answer = pool.urlopen(
                "GET",
                target,
                headers=headers,
                timeout=urllib3.Timeout(seconds, seconds),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            with closing(answer):
                data = answer.read(place.max_bytes + 1, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # Its own words have the whole address.
            late = deadline.passed or "imeout" in type(error).__name__
            why = "no answer in time" if late else "no answer"
            raise TableError(f"{host}: {why}", hint="is it running, and is 'url' right?") from error
    if deadline.passed:
        # What was cut may look like a whole answer.
        raise TableError(f"{host}: no answer in time", hint="raise 'timeout', or select less")
    if answer.status != 200:
        raise TableError(f"{host} answers {answer.status}", hint="is 'url' right?")
    if len(data) > place.max_bytes:
        raise TableError(f"{host} answers with more than max_bytes ({place.max_bytes})")
    return cells(data, _form(place, answer.headers.get("Content-Type", "")), columns)


def _form(place: HttpTable, content_type: str) -> Form:
    if place.format != "auto":
        return place.format
    if "csv" in content_type.lower():
        return "csv"
    return "csv" if urlsplit(place.url).path.endswith(".csv") else "json"
