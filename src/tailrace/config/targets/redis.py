"""Keys of a Redis server that rows go to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from tailrace.config.base import Given
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.scalars import Count, Filled, LabelText, PositiveSpan, Text
from tailrace.config.targets.target import Target, TemplateText, server_of
from tailrace.config.targets.tls import TlsSettings

RedisType = Literal["string", "hash", "set", "list", "stream", "timeseries"]

_EXAMPLE = "for example redis://localhost:6379/0, rediss://host:6380/0 or unix:///run/redis.sock"


def redis_url(url: str) -> str:
    """The address of a Redis server, as it is given; a refusal for any other text."""
    # The text isn't shown: a password may be in it.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refusal("this is not the address of a Redis server", _EXAMPLE) from None
    if parts.scheme == "unix":
        if not parts.path:
            raise refusal("the path of the socket is missing", _EXAMPLE)
        return url
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or port == 0:
        raise refusal("this is not the address of a Redis server", _EXAMPLE)
    if re.fullmatch(r"/?|/[0-9]{1,9}", parts.path) is None:
        raise refusal("what follows the host is the number of a database", _EXAMPLE)
    return url


class RedisOutput(Target):
    """A key of Redis for each row or incident, each row applied once.

    With the rows of a batch, in the same transaction, the key `tailrace:STORE:OUTPUT` is written,
    which says how far delivery has come; keep it as long as the store.
    """

    kind: ClassVar[str] = "redis"

    elsewhere: ClassVar[Mapping[str, str]] = {
        "host": "write it in 'url': redis://host:6379/0",
        "port": "write it in 'url': redis://host:6379/0",
        "db": "write it in 'url': redis://host:6379/0",
        "form": "did you mean 'type'?",
        "expire": "did you mean 'ttl'?",
    }

    url: Annotated[Filled, AfterValidator(redis_url)] = Field(
        default="redis://localhost:6379/0",
        description=("`redis://host:port/database`, `rediss://` with TLS, or `unix:///path?db=0`."),
        examples=["redis://localhost:6379/0"],
    )
    username: Text = Field(default="", description="The user of an access list.")
    password: Text = Field(
        default="",
        description="The password, best from the environment.",
        examples=["${REDIS_PASSWORD}"],
    )
    key: TemplateText = Field(
        description="The key.", examples=["bot_{client_ip}", "incident:{fingerprint}"]
    )
    value: TemplateText | None = Field(
        default=None,
        description=(
            "The value: a string, a member of a set, an element of a list, the field `value` of a"
            " stream's entry, the number of a sample. By default the row as JSON."
        ),
    )
    type: RedisType = Field(
        default="string",
        description=(
            "What a key holds. `string`: the last row. `hash`: the last row, a field for each"
            " value (`key.client_ip`, `measures.count` in incidents; null has none). `set`: every"
            " value. `list`: rows at the end. `stream`: an entry with `id` and `value` for each"
            " row. `timeseries`: a sample at the row's event time, a later one of the same time"
            " replacing it; the server needs the TIMESERIES commands, and `null` is no sample."
        ),
    )
    ttl: PositiveSpan | None = Field(
        default=None,
        description="After how long the key disappears; each row of the key counts anew.",
        examples=["10m"],
    )
    ttl_from: Literal["delivery", "time"] = Field(
        default="delivery",
        description=(
            "Whether `ttl` counts from when the row is written, or from its event time (so that"
            " what is old already, in a replay, disappears at once)."
        ),
    )
    on_resolved: Literal["keep", "delete"] = Field(
        default="keep",
        description=(
            "Whether the key of an incident stays or is deleted when it is resolved; of a `set`"
            " it is the value that is removed. With `delete`, early notices leave no key."
        ),
    )
    max_entries: Count | None = Field(
        default=None,
        description="How many entries of a `list` or (about) of a `stream` are kept.",
        examples=[10000],
    )
    labels: Mapping[Filled, Annotated[TemplateText, LabelText]] = Field(
        default={},
        description="Labels of a time series, set when it is made.",
        examples=[{"srcIP": "{src_ip}", "dataType": "unq_dst_ip"}],
    )
    retention: PositiveSpan | None = Field(
        default=None, description="How long a time series keeps samples; set when it is made."
    )
    tls: TlsSettings = Field(default=TlsSettings(), description="TLS, for `rediss://`.")

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Options that belong to other types."""
        kind = given.get("type", "string")
        types = {
            "max_entries": ("list", "stream"),
            "labels": ("timeseries",),
            "retention": ("timeseries",),
        }
        for option, allowed in types.items():
            if given.get(option) and kind not in allowed:
                message = f"{option} belongs to the type {' or '.join(allowed)}"
                yield Complaint((option,), message, at_key=True)
        value = given.get("value")
        if kind == "hash" and value is not None:
            hint = "remove 'value', or take type: string"
            yield Complaint(("value",), "the fields of a hash are the row's values", hint)
        if kind == "timeseries" and value is None:
            yield Complaint((), "a sample needs a number", "for example value: '{count}'")
        if kind == "set" and value is None and given.get("on_resolved") == "delete":
            message = "the value of the resolved incident must be the one that was added"
            yield Complaint(("on_resolved",), message, "for example value: '{fingerprint}'")
        if "ttl_from" in given and given.get("ttl") is None:
            yield Complaint(("ttl_from",), "there is no 'ttl' to count", at_key=True)

    @property
    def told(self) -> str:
        """Keys and server."""
        return f"redis {self.key} at {server_of(self.url)}"

    @property
    def addressed(self) -> bool:
        """Rows have an id and a time."""
        return True

    @property
    def templates(self) -> Mapping[str, str]:
        """Key, value and labels."""
        value = {} if self.value is None else {"value": self.value}
        return {"key": self.key} | value | {f"labels.{n}": t for n, t in self.labels.items()}
