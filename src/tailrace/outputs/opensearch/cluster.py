"""Asking a cluster over HTTP: any of its nodes, who asks, how long an answer may take.

Plain HTTP is what OpenSearch and Elasticsearch share; their own clients refuse each other's
servers. What an answer means is for those who ask.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from tailrace.errors import OutputError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailrace.config.targets.opensearch import OpenSearchOutput

Json = dict[str, object]

BUSY = (429, 502, 503, 504)
"""Statuses of a server that may do it later."""

_SECOND = 1_000_000
_CONNECT_SECONDS = 5.0
_TOO_MUCH = 300
"""So many characters of what a server says about an error are shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: an HTTP status and, where it is a JSON object, its content."""

    status: int
    body: Json

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked for."""
        return 200 <= self.status < 300

    @property
    def why(self) -> str:
        """What it says about an error, in short."""
        error = self.body.get("error")
        return reason(error) if error else f"HTTP status {self.status}"


class Cluster:
    """Nodes that are asked in turn: the next one when one doesn't answer. For one thread."""

    def __init__(self, config: OpenSearchOutput) -> None:
        """Connect to nothing yet; OutputError for a certificate that can't be read."""
        seconds = config.timeout / _SECOND
        if not config.tls.verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=min(seconds, _CONNECT_SECONDS), read=seconds),
            cert_reqs="CERT_REQUIRED" if config.tls.verify else "CERT_NONE",
            assert_hostname=None if config.tls.verify else False,
            ca_certs=config.tls.ca,
            cert_file=config.tls.certificate,
            key_file=config.tls.key,
        )
        self._nodes = [_node(url, config) for url in config.urls]
        self._at = 0

    @property
    def name(self) -> str:
        """Where it is, for people: the nodes' addresses without passwords."""
        return ", ".join(url for url, _ in self._nodes)

    def ask(
        self, method: str, path: str, body: bytes | Json | None = None, kind: str = "json"
    ) -> Answer:
        """Ask the first node that answers.

        ``kind``: of the body, ``json`` or ``x-ndjson``. UnreachableError if no node answers;
        OutputError if the server doesn't let us in.
        """
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        failures = []
        for _ in self._nodes:
            url, headers = self._nodes[self._at]
            try:
                answer = self._pool.request(
                    method,
                    url + path,
                    body=data,
                    headers={**headers, "content-type": f"application/{kind}"},
                )
            except (HTTPError, OSError) as error:
                failures.append(f"{url}: {_failure(error)}")
                self._at = (self._at + 1) % len(self._nodes)
                continue
            if answer.status in (401, 403):
                raise _not_allowed(url, answer.status, _json(answer.data))
            return Answer(answer.status, _json(answer.data))
        raise UnreachableError(
            f"OpenSearch can't be reached: {'; '.join(failures)}",
            hint="is the server running, and is this its address?",
        )

    def close(self) -> None:
        """Give back connections."""
        self._pool.clear()


def reason(error: object) -> str:
    """What a server's error object says, with its innermost cause."""
    parts: list[str] = []
    while isinstance(error, dict):
        found = cast("Mapping[str, object]", error)
        text = ": ".join(str(found[name]) for name in ("type", "reason") if found.get(name))
        if text and text not in parts:
            parts.append(text)
        error = found.get("caused_by")
    text = "; ".join(parts) if parts else str(error)
    return text if len(text) <= _TOO_MUCH else text[: _TOO_MUCH - 1] + "…"


def _node(url: str, config: OpenSearchOutput) -> tuple[str, dict[str, str]]:
    """A node's address without user and password, and the headers that say who asks."""
    parts = urlsplit(url)
    user, password = config.username, config.password
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    headers = {}
    if config.api_key is not None:
        headers["authorization"] = f"ApiKey {config.api_key}"
    elif user is not None:
        both = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["authorization"] = f"Basic {both}"
    return url, headers


def _json(data: bytes) -> Json:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {"": found}


def _not_allowed(url: str, status: int, body: Json) -> OutputError:
    why = Answer(status, body).why
    if status == 401:
        hint = "check username and password, or api_key"
        return OutputError(f"{url} doesn't know who asks: {why}", hint=hint)
    return OutputError(f"{url} refuses: {why}", hint="give the user the rights to do this")


def _failure(error: Exception) -> str:
    match error:
        # The first two are kinds of the third, too.
        case urllib3.exceptions.NameResolutionError():
            return "no such host"
        case urllib3.exceptions.NewConnectionError():
            return "nobody listens there"
        case urllib3.exceptions.ConnectTimeoutError():
            return "no connection in time"
        case urllib3.exceptions.ReadTimeoutError():
            return "no answer in time"
        case urllib3.exceptions.SSLError():
            return f"TLS: {error}"
        case _:
            return str(error) or type(error).__name__
