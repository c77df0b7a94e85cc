"""HTTP as a source: where it listens, who may send, how much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.scalars import Count, Filled, PositiveSpan, size_at_least
from tailrace.config.units import Duration
from tailrace.config.values import shown
from tailrace.config.web import Address, host_and_port, is_local


def _path(path: str) -> str:
    if re.fullmatch(r"/[A-Za-z0-9._~!$&'()*+,;=:@/-]*", path) is None:
        raise refusal(f"{shown(path)} is not a path", "for example /events")
    return path


def _token(token: str) -> str:
    if re.fullmatch(r"[\x21-\x7e]+", token) is None:
        raise refusal("the token has characters that a header can't have")
    return token


class HttpSource(Model):
    """Lines that are sent by POST; the answer 200 means that they are committed.

    A body is lines of the pipeline's format, perhaps with `Content-Encoding: gzip`. All bodies are
    one partition, `http`, in the order in which they came. With a header `Idempotency-Key` a body
    may be sent again until it is answered: it is taken once (keys are remembered for a day, the
    last 100000 of them). Answers: 200 committed; 503 not taken, come again (`Retry-After`); 504 not
    known in time, come again with the same key; 400, 401, 403, 404, 405, 408, 413, 415 and 422 (a
    key that came with another body) say what is wrong. Needs `tailrace[http]`.
    """

    kind: ClassVar[str] = "http"

    elsewhere: ClassVar[Mapping[str, str]] = {
        "port": "write listen: 127.0.0.1:8080",
        "url": "write listen: 127.0.0.1:8080 and path: /",
        "follow": "an HTTP source is always waiting for more",
        "tls": "write 'certificate' and 'key'",
    }

    listen: Address = Field(
        default="127.0.0.1:8080",
        description="The address; off this machine it needs a token.",
        examples=["127.0.0.1:8080"],
    )
    path: Annotated[Filled, AfterValidator(_path)] = Field(
        default="/", description="The path to which is sent.", examples=["/events"]
    )
    token: Annotated[Filled, AfterValidator(_token)] | None = Field(
        default=None,
        description="Who sends must bear it (`Authorization: Bearer`).",
        examples=["${EVENTS_TOKEN}"],
    )
    certificate: Filled | None = Field(
        default=None,
        description="Certificate (PEM) for TLS; without it the port speaks plain HTTP.",
    )
    key: Filled | None = Field(
        default=None, description="Its private key, if it isn't in the same file."
    )
    max_body_bytes: Annotated[int, *size_at_least(1 << 10)] = Field(
        default=16 << 20, description="The longest body, also once it is decompressed."
    )
    max_connections: Count = Field(
        default=64, description="How many may be connected at a time; others get 503."
    )
    timeout: PositiveSpan = Field(
        default=Duration("30s"),
        description="How long a request may take to arrive, and its commit to come.",
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Off localhost there must be a token; a key belongs to a certificate."""
        listen = given.get("listen")
        if isinstance(listen, str) and given.get("token") is None:
            try:
                host, _ = host_and_port(listen)
            except ValueError:
                host = "localhost"
            if not is_local(host):
                message = f"{shown(listen)} can be reached from other machines without a token"
                yield Complaint(("listen",), message, "add token: ${EVENTS_TOKEN}")
        if given.get("key") is not None and given.get("certificate") is None:
            yield Complaint(("key",), "a key without its certificate", "add 'certificate'")


def received_complaints(given: Given) -> Iterator[Complaint]:
    """Yield what can't be of lines that come in pieces: a header that names their columns."""
    format_ = given.get("format")
    csv = format_
    if isinstance(format_, Mapping) and "csv" in format_:
        csv = format_["csv"] or {}
    elif format_ != "csv":
        csv = format_ if getattr(format_, "kind", None) == "csv" else None
    if csv is None:
        return
    header = csv.get("header", True) if isinstance(csv, Mapping) else getattr(csv, "header", True)
    if str(header).lower() not in ("false", "no", "off", "0"):
        message = "bodies that are sent have no header in common"
        hint = "format: {csv: {columns: [...], header: false}}"
        yield Complaint(("format",), message, hint)
