"""Calls of a service over HTTP: what an answer means, who calls, how long is waited.

Addresses are shown without their paths, which may hold secrets; answers with what can't be printed
escaped. Redirects are not followed: what is sent is for the host that was named.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3
from urllib3.connectionpool import connection_from_url
from urllib3.exceptions import HTTPError

from tailrace._version import __version__
from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.lines import safe

if TYPE_CHECKING:
    from tailrace.config.targets.http import HttpTarget
    from tailrace.config.targets.tls import TlsSettings

CONNECT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 300.0
"""However long a service asks us to stay away."""

LEAST_SECRET = 8
"""Characters; what is shorter in an address or a header is hardly one, and stands in any text."""

_READ_BYTES = 4096
_DOWN = (408, 425, 429)
_SHUT = {
    401: "check 'username' and 'password', or 'token'",
    403: "check 'username' and 'password', or 'token'",
    404: "check 'url'",
    405: "check 'url'",
    407: "a proxy in between wants a password",
}
"""Answers that say nothing about rows: a person mends what they complain of, and rows wait."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said: the status and the begin of its text, safe to show."""

    status: int
    said: str

    @property
    def taken(self) -> bool:
        """Whether it took what was sent."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        """Words for people."""
        return f"{self.status}: {self.said}" if self.said else str(self.status)


class Service:
    """A service at one address; it is called by one thread."""

    def __init__(
        self, url: str, options: HttpTarget, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Call nothing yet; OutputError for certificates that can't be read."""
        parts = urlsplit(url)
        self.host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._path = parts.path.rstrip("/") if parts.path == "/" else parts.path
        self._query = f"?{parts.query}" if parts.query else ""
        self._clock = clock
        self._seconds = options.timeout / 1_000_000
        self._headers = {"User-Agent": f"tailrace/{__version__}"} | _authorization(options)
        self._headers |= dict(options.headers)
        # The path of a webhook is its secret as a rule, and services like to repeat it.
        likely = (parts.path, parts.query, *options.headers.values())
        secrets = {s for s in likely if len(s) >= LEAST_SECRET} | {options.token, options.password}
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        given = {"ssl_context": tls_context(options.tls)} if parts.scheme == "https" else {}
        self._pool = connection_from_url(url, maxsize=1, **given)
        self._shut: tuple[float, str] | None = None

    def greet(self, method: str, path: str = "") -> Answer:
        """Ask for something that changes nothing; UnreachableError if there is no answer."""
        return self._ask(method, path, None, {})

    def post(self, body: bytes, headers: Mapping[str, str], path: str = "") -> Answer:
        """Send something: an answer that took it, or refused just this.

        OutputError (UnreachableError where the service is down) if it may be taken another time;
        until the time that the service asked for it isn't called again.
        """
        if (shut := self._asked_away()) is not None:
            raise UnreachableError(shut)
        answer = self._ask("POST", path, body, headers)
        status = answer.status
        if answer.taken:
            return answer
        if 300 <= status < 400:
            raise OutputError(
                f"{self.host} answers with a redirect ({status})",
                hint="redirects are not followed; name the address where it really is",
            )
        if status in _SHUT:
            raise OutputError(f"{self.host} answers {answer}", hint=_SHUT[status])
        if status in _DOWN or status >= 500:
            raise UnreachableError(self._asked_away() or f"{self.host} answers {answer}")
        return answer

    def close(self) -> None:
        """Leave."""
        self._pool.close()

    def _asked_away(self) -> str | None:
        """What the service said when it asked to be left alone, if that still holds."""
        if self._shut is None or self._clock() >= self._shut[0]:
            return None
        return self._shut[1]

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        try:
            response = self._pool.urlopen(
                method,
                (self._path + path or "/") + self._query,
                body,
                self._headers | dict(headers),
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(min(CONNECT_SECONDS, self._seconds), self._seconds),
                preload_content=False,
                decode_content=False,
            )
            said = response.read(_READ_BYTES)
            wait = _seconds(response.headers.get("Retry-After"))
            if len(said) < _READ_BYTES:
                response.release_conn()
            else:
                response.close()
        except (HTTPError, OSError) as error:
            raise UnreachableError(
                f"{self.host} can't be reached: {_reason(error)}",
                hint="is it running, and is 'url' right?",
            ) from error
        text = " ".join(said.decode("utf-8", "replace").split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        answer = Answer(response.status, safe(text))
        if wait is not None and (answer.status in _DOWN or answer.status >= 500):
            why = f"{self.host} answers {answer} and asks to wait {wait:.0f} s"
            self._shut = (self._clock() + wait, why)
        return answer


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """What TLS is spoken with; OutputError for certificates that can't be read."""
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
    except OSError as error:
        reason = error.strerror or error.args[0] if error.args else type(error).__name__
        raise OutputError(
            f"certificates for TLS can't be read: {safe(str(reason))}", hint="check 'tls'"
        ) from error
    if not tls.verify:
        # Who wrote it knows; each call would warn again.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _authorization(options: HttpTarget) -> dict[str, str]:
    if options.token:
        return {"Authorization": f"Bearer {options.token}"}
    if options.username:
        pair = base64.b64encode(f"{options.username}:{options.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}


def _seconds(after: str | None) -> float | None:
    """What ``Retry-After`` says: seconds, or a date; not more than is waited at all."""
    if after is None:
        return None
    try:
        seconds = float(after) if after.strip().isdigit() else _until(after)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time.time()


def _reason(error: BaseException) -> str:
    """The last cause, in few words: what urllib3 wraps around it shows the whole address."""
    while True:
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException) or inner is error:
            break
        error = inner
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({safe(error.verify_message)})"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails ({safe(str(error.reason or type(error).__name__))})"
    if isinstance(error, OSError) and error.strerror:
        return safe(error.strerror.lower())
    return safe(type(error).__name__)
