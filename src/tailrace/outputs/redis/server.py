"""A connection to a Redis server; its errors in words, without passwords."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.lines import safe

if TYPE_CHECKING:
    from tailrace.config.targets.redis import RedisOutput

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0

_LATER = ("BUSY", "NOREPLICAS", "MISCONF", "TRYAGAIN", "CLUSTERDOWN")
"""With these words begins what a server may take later, where its client has no name for it."""

_NAMED: tuple[tuple[type[Exception], str], ...] = (
    (redis.exceptions.BusyLoadingError, "it is still loading its data"),
    (redis.exceptions.OutOfMemoryError, "its memory is full (maxmemory); give it more, or a 'ttl'"),
    (redis.exceptions.ReadOnlyError, "this is a replica; name the primary"),
    (redis.exceptions.MasterDownError, "this is a replica; name the primary"),
    (
        redis.exceptions.NoPermissionError,
        "the user's access list must allow the commands, the keys, and the key of the marker",
    ),
    (redis.exceptions.MovedError, "a cluster isn't supported; name a server that has all keys"),
    (
        redis.exceptions.ClusterCrossSlotError,
        "a cluster isn't supported; name a server that has all keys",
    ),
    (redis.exceptions.AuthenticationError, "check 'username' and 'password'"),
)
"""What to do about errors that the client has names for."""


class RedisServer:
    """One connection, made when it is needed."""

    def __init__(self, options: RedisOutput, answer_seconds: float) -> None:
        """Connect to nothing yet; no answer is waited for longer than that."""
        self.address = address(options.url)
        self._options = options
        self._seconds = answer_seconds
        self._client: redis.Redis | None = None

    @property
    def client(self) -> redis.Redis:
        """The client; it tries nothing twice."""
        if self._client is None:
            options = self._options
            given: dict[str, object] = {
                "socket_connect_timeout": min(CONNECT_SECONDS, self._seconds),
                "socket_timeout": self._seconds,
                "retry": Retry(NoBackoff(), 0),
                "protocol": 2,
                "client_name": "tailrace",
            }
            if options.username:
                given["username"] = options.username
            if options.password:
                given["password"] = options.password
            if options.url.startswith("rediss:"):
                tls = options.tls
                given |= {
                    "ssl_ca_certs": tls.ca,
                    "ssl_certfile": tls.certificate,
                    "ssl_keyfile": tls.key,
                    "ssl_cert_reqs": ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE,
                    "ssl_check_hostname": tls.verify,
                }
            self._client = redis.Redis.from_url(options.url, **given)
        return self._client

    @contextmanager
    def asked(self) -> Iterator[redis.Redis]:
        """The client; what it raises becomes OutputError, or UnreachableError, and ends it."""
        try:
            yield self.client
        except (
            redis.exceptions.AuthenticationError,
            redis.exceptions.BusyLoadingError,
            redis.exceptions.ResponseError,
        ) as error:
            self.close()
            raise self._refused(error) from error
        except (redis.exceptions.RedisError, OSError) as error:
            self.close()
            raise UnreachableError(
                f"Redis at {self.address} can't be reached: {self._plain(error)}",
                hint="is it running, and is 'url' right?",
            ) from error

    def close(self) -> None:
        """Leave; the next question connects anew."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _refused(self, error: Exception) -> OutputError:
        text = self._plain(error)
        hint = next((hint for kind, hint in _NAMED if isinstance(error, kind)), None)
        later = isinstance(
            error, redis.exceptions.OutOfMemoryError | redis.exceptions.BusyLoadingError
        ) or text.startswith(_LATER)
        made = UnreachableError if later else OutputError
        return made(f"Redis at {self.address} refuses: {text}", hint=hint)

    def _plain(self, error: Exception) -> str:
        text = " ".join(str(error).split()) or type(error).__name__
        secrets = [self._options.password, urlsplit(self._options.url).password]
        for secret in filter(None, secrets):
            text = text.replace(str(secret), "***")
        # What was being sent stands before it.
        return safe(text.rpartition(" of pipeline caused error: ")[2])


def address(url: str) -> str:
    """What is shown of a server's URL: no user, no password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"{parts.path}, database {database}"
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or 6379}, database {parts.path.strip('/') or '0'}"
