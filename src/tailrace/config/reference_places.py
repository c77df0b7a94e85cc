"""Where references come from: files, SQL databases, Redis, HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.scalars import Filled, PositiveSpan, Text, size_at_least
from tailrace.config.targets.http import sendable
from tailrace.config.targets.redis import redis_url
from tailrace.config.targets.sql import DRIVERS
from tailrace.config.targets.target import server_of
from tailrace.config.targets.tls import TlsSettings
from tailrace.config.units import Duration
from tailrace.config.values import shown

_Size = Annotated[int, *size_at_least(1)]
_SIZE = Field(default=256 << 20, description="More bytes than this are refused.")
_TIMEOUT = Field(default=Duration("15s"), description="How long an answer may take.")


class FileTable(Model):
    """A file. CSV has a header; JSON is an array of objects, or one object a line."""

    kind: ClassVar[str] = "file"

    path: Filled = Field(description="The file.", examples=["users.csv"])
    format: Literal["auto", "csv", "json", "parquet"] = Field(
        default="auto", description="`auto`: by the name's end (`.csv`, `.json`, `.parquet`, ...)."
    )
    max_bytes: _Size = _SIZE

    @property
    def told(self) -> str:
        """The path."""
        return f"file {self.path}"


class SqlTable(Model):
    """A table, or what a query gives, of PostgreSQL, MySQL, MariaDB or SQLite."""

    kind: ClassVar[str] = "sql"

    url: Filled = Field(
        description="The database: `postgresql://`, `mysql://` or `mariadb://` with"
        " `user:password@host:port/database`, or `sqlite:///file`.",
        examples=["postgresql://user:${PASSWORD}@localhost/traffic_limits"],
    )
    password: Filled | None = Field(
        default=None,
        description="The password as it is; in `url`, characters such as `@` are written `%40`.",
        examples=["${PASSWORD}"],
    )
    table: Filled | None = Field(
        default=None,
        description="The table, `schema.table` for one that isn't in the usual schema.",
        examples=["limits_per_hour"],
    )
    query: Filled | None = Field(
        default=None,
        description="A query in place of a table.",
        examples=["select account_id, device from users where active"],
    )
    channel: Filled | None = Field(
        default=None,
        description="PostgreSQL: the channel of NOTIFY on which to load at once.",
        examples=["limits_changed"],
    )
    timeout: PositiveSpan = _TIMEOUT

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """A known database, and either a table or a query."""
        url = given.get("url")
        begin = url.partition("://")[0] if isinstance(url, str) else ""
        if isinstance(url, str) and ("://" not in url or begin not in DRIVERS):
            hint = "one of postgresql://, mysql://, mariadb://, sqlite:///"
            yield Complaint(("url",), f"no known database: {shown(begin[:20])}", hint)
        if (given.get("table") is None) == (given.get("query") is None):
            yield Complaint((), "either a table or a query", "for example table: users")
        if given.get("channel") is not None and not begin.startswith("postgres"):
            yield Complaint(("channel",), "only PostgreSQL notifies", at_key=True)

    @property
    def told(self) -> str:
        """Table and server, or file."""
        begin, _, rest = self.url.partition("://")
        what = self.table or "query"
        if begin == "sqlite":
            return f"sql {what} at {self.url.partition('?')[0]}"
        server = rest.rpartition("@")[2]
        return f"sql {what} at {server_of(f'{begin}://{server}')}"


class RedisTable(Model):
    """Keys of a Redis server: `keys`, `hash` or `set`.

    `keys`: every key that matches is a hash and a row; its columns are the hash's fields, and `key`
    is what stands at the `*`. `hash`: every field is a row with the columns `field` and `value`.
    `set`: every member is a row with the column `value`.
    """

    kind: ClassVar[str] = "redis"

    url: Annotated[Filled, AfterValidator(redis_url)] = Field(
        default="redis://localhost:6379/0",
        description="`redis://host:port/database`, `rediss://` with TLS, or `unix:///path?db=0`.",
    )
    username: Text = Field(default="", description="The user of an access list.")
    password: Text = Field(
        default="",
        description="The password, best from the environment.",
        examples=["${REDIS_PASSWORD}"],
    )
    keys: Filled | None = Field(
        default=None, description="A pattern with one `*`.", examples=["user:*"]
    )
    hash: Filled | None = Field(default=None, description="The key of a hash.", examples=["limits"])
    set: Filled | None = Field(default=None, description="The key of a set.", examples=["trusted"])
    timeout: PositiveSpan = _TIMEOUT
    tls: TlsSettings = Field(default=TlsSettings(), description="TLS, for `rediss://`.")

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """One of the three forms."""
        chosen = [name for name in ("keys", "hash", "set") if given.get(name) is not None]
        if len(chosen) != 1:
            yield Complaint((), "one of 'keys', 'hash' and 'set'", "for example set: trusted")
        pattern = given.get("keys")
        if isinstance(pattern, str) and pattern.count("*") != 1:
            yield Complaint(("keys",), "the pattern needs one `*`", "for example user:*")

    @property
    def told(self) -> str:
        """Keys and server."""
        return f"redis {self.keys or self.hash or self.set} at {server_of(self.url)}"


def _http(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refusal("this is not an address", "for example https://host/users.json") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise refusal("this is not an address", "for example https://host/users.json")
    if re.search(r"[\x00-\x20\x7f]", url) or not url.isascii():
        # The text isn't shown: a secret may be in it.
        raise refusal("an address has no blanks, and is ASCII", "write them as %20")
    return url


class HttpTable(Model):
    """What a server answers to a GET: CSV with a header, or JSON."""

    kind: ClassVar[str] = "http"

    url: Annotated[Filled, AfterValidator(_http)] = Field(
        description="The address.", examples=["https://inventory.example/users.json"]
    )
    headers: Annotated[Mapping[Filled, Filled], AfterValidator(sendable)] = Field(
        default={},
        description="Headers of the request.",
        examples=[{"Authorization": "Bearer ${TOKEN}"}],
    )
    format: Literal["auto", "csv", "json"] = Field(
        default="auto", description="`auto`: by the answer's content type."
    )
    max_bytes: _Size = _SIZE
    timeout: PositiveSpan = _TIMEOUT
    tls: TlsSettings = Field(default=TlsSettings(), description="TLS, for `https://`.")

    @property
    def told(self) -> str:
        """The server."""
        return f"http {server_of(self.url)}"
