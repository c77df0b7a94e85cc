"""An index of OpenSearch or Elasticsearch that rows go to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from tailrace.config.base import Given
from tailrace.config.complaints import Complaint
from tailrace.config.scalars import Filled, Flag, PositiveSpan, size_at_least
from tailrace.config.targets.target import Target, TemplateText, server_of
from tailrace.config.targets.tls import TlsSettings
from tailrace.config.units import Duration
from tailrace.config.values import shown

IndexPeriod = Literal["hour", "day", "month", "year"]
_RequestSize = Annotated[int, *size_at_least(1 << 10)]
_INDEX = re.compile(r"[^A-Z\\/*?\"<>| ,#:\s_+.-][^A-Z\\/*?\"<>| ,#:\s]{0,200}")


class OpenSearchOutput(Target):
    """Documents of an index of OpenSearch or Elasticsearch, one for each row's id.

    A document is the row's JSON and `@timestamp`, the row's event time. `tailrace init` makes the
    index with a type for each field.
    """

    kind: ClassVar[str] = "opensearch"

    url: Filled = Field(
        default="http://localhost:9200",
        description="Where the server is; several nodes of a cluster with commas.",
    )
    index: Filled = Field(
        description="The index or data stream; with `by`, the beginning of the indices' names.",
        examples=["test-inter"],
    )
    by: IndexPeriod | None = Field(
        default=None,
        description="An index for each `hour`, `day`, `month` or `year` of event time (UTC), such"
        " as `logs-2024.05.01`; what has no time goes to `logs-undated`.",
    )
    data_stream: Flag = Field(
        default=False, description="`index` is a data stream; documents are never replaced."
    )
    id: TemplateText = Field(
        default="{id}", description="The document's id; rows of one id replace each other."
    )
    username: Filled | None = Field(default=None, description="Who writes, with `password`.")
    password: Filled | None = Field(
        default=None, description="The user's password.", examples=["${OPENSEARCH_PASSWORD}"]
    )
    api_key: Filled | None = Field(
        default=None,
        description="A key instead of user and password, as the server encodes it.",
        examples=["${OPENSEARCH_API_KEY}"],
    )
    tls: TlsSettings = Field(default=TlsSettings(), description="TLS, for `https://`.")
    timeout: PositiveSpan = Field(
        default=Duration("20s"), description="How long an answer may take."
    )
    max_request_bytes: _RequestSize = Field(
        default=2 << 20,
        description="The most bytes of a bulk request, less while answers don't come in time; a"
        " longer document is sent alone.",
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Addresses and names that can't be, and options that exclude each other."""
        url = given.get("url")
        for part in url.split(",") if isinstance(url, str) else ():
            if not _is_address(part.strip()):
                hint = "for example http://localhost:9200"
                yield Complaint(("url",), f"{shown(_without_user(part))} is not an address", hint)
        index = given.get("index")
        if isinstance(index, str) and index.strip() and _INDEX.fullmatch(index) is None:
            hint = (
                "lower case, no blanks, not beginning with '_', '-', '+' or '.'; as in test-inter"
            )
            yield Complaint(("index",), f"{shown(index)} can't be an index's name", hint)
        if given.get("by") is not None and given.get("data_stream") in (True, "true"):
            hint = "a data stream makes indices of its own; leave 'by' out"
            yield Complaint(("by",), "'by' and 'data_stream' exclude each other", hint)
        if given.get("api_key") is not None and given.get("username") is not None:
            yield Complaint(("api_key",), "'api_key' and 'username' exclude each other")
        for one, other in (("username", "password"), ("password", "username")):
            if given.get(one) is not None and given.get(other) is None:
                yield Complaint((one,), f"'{one}' needs '{other}'")

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the nodes are."""
        return tuple(part.strip().rstrip("/") for part in self.url.split(","))

    @property
    def told(self) -> str:
        """Index and servers."""
        return f"opensearch {self.index} at {', '.join(map(server_of, self.urls))}"

    @property
    def addressed(self) -> bool:
        """Rows have an id and a time."""
        return True

    @property
    def templates(self) -> Mapping[str, str]:
        """The document's id."""
        return {} if self.id == "{id}" else {"id": self.id}


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _without_user(text: str) -> str:
    before, at, rest = text.rpartition("@")
    return f"{before.partition('://')[0]}://...@{rest}" if at else text
