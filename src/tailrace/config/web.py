"""Where a running pipeline answers over HTTP."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.kinds import Kind
from tailrace.config.scalars import Filled
from tailrace.config.values import shown

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/]+):(?P<port>[0-9]{1,5})")


def host_and_port(text: str) -> tuple[str, int]:
    """Read ``host:port``; IPv6 addresses stand in brackets. ValueError if it is none."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise ValueError(text)
    return found["host"].strip("[]"), int(found["port"])


def is_local(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(text: str) -> str:
    try:
        host_and_port(text)
    except ValueError:
        hint = "for example 127.0.0.1:9464, or [::1]:9464"
        raise refusal(f"{shown(text)} is not host:port", hint) from None
    return text


Address = Annotated[Filled, AfterValidator(_address), Kind("`host:port`")]


class WebSettings(Model):
    """Where a running pipeline tells how it stands: `/metrics`, `/healthz` and `/readyz`.

    Needs `tailrace[http]`.
    """

    listen: Address = Field(
        default="127.0.0.1:9464",
        description="The address; off this machine it needs a token.",
        examples=["127.0.0.1:9464"],
    )
    token: Filled | None = Field(
        default=None,
        description="Who asks for metrics must bear it (`Authorization: Bearer`).",
        examples=["${METRICS_TOKEN}"],
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Off localhost there must be a token."""
        listen = given.get("listen")
        if isinstance(listen, str) and given.get("token") is None:
            try:
                host, _ = host_and_port(listen)
            except ValueError:
                return
            if not is_local(host):
                message = f"{shown(listen)} can be reached from other machines without a token"
                yield Complaint(("listen",), message, "add token: ${METRICS_TOKEN}")
