"""Attacks as users ask for them: kinds, settings, and the text form ``KIND@OFFSET+DURATION``.

When they happen in a given run and to whom is settled in `episodes`; what they do to the rows is in
`effects`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Literal, TypeVar

from tailrace.generate.options import OptionError, parse_duration_us

SYNTAX = "KIND@OFFSET+DURATION[:key=value,...]"
SHARE = 0.8
STATUS = "5xx"
FACTOR = 20.0

Default = TypeVar("Default", float, None)


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be said about attacks of one kind."""

    subject: Literal["client", "host"]
    """Whom an attack is about; also the setting that names it."""
    rate: float
    """Requests that it adds, as a multiple of the ordinary rate, unless told otherwise."""
    settings: tuple[str, ...] = ()
    """Settings beside the subject and the rate."""

    @property
    def field(self) -> str:
        """The event's field that holds the subject."""
        return "client_ip" if self.subject == "client" else "host"


KINDS = {
    "flood": Kind("client", rate=0.5),
    "failing-host": Kind("host", rate=0.25, settings=("share", "status")),
    "slow-host": Kind("host", rate=0.25, settings=("factor",)),
    "scanner": Kind("client", rate=0.25),
}


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack, `offset_us` after the start of the traffic, `duration_us` long.

    `key` is the client's address or the host's name (None: chosen by the seed). `rate` is what the
    attack adds, as a multiple of the ordinary rate (None: the kind's). Of a failing host `share` of
    the requests get `status`: a code, or ``4xx`` or ``5xx`` for a mix. A slow host takes `factor`
    times as long. Raises OptionError.
    """

    kind: str
    offset_us: int
    duration_us: int
    key: str | None = None
    rate: float | None = None
    share: float = SHARE
    status: str = STATUS
    factor: float = FACTOR

    def __post_init__(self) -> None:
        """Check every setting that can be checked without knowing the traffic."""
        if self.kind not in KINDS:
            raise _wrong(f"there is no kind {self.kind!r}", hint=f"kinds: {', '.join(KINDS)}")
        if self.offset_us < 0 or self.duration_us <= 0:
            raise _wrong("an attack needs an offset of 0 or more and a duration above 0")
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate >= 0):
            raise _wrong(f"rate={self.rate} is not a number of 0 or more")
        if self.rate == 0 and self.subject == "client":
            raise _wrong(f"a {self.kind} with rate=0 would make no requests")
        if not 0 < self.share <= 1:
            raise _wrong(f"share={self.share} is not above 0 and at most 1")
        if not (math.isfinite(self.factor) and self.factor > 0):
            raise _wrong(f"factor={self.factor} is not a number above 0")
        if self.status not in ("4xx", "5xx") and self.status not in map(str, range(400, 600)):
            raise _wrong(f"status={self.status} is neither 4xx, 5xx nor a code from 400 to 599")
        if self.key is not None and self.subject == "client":
            try:
                IPv4Address(self.key)
            except AddressValueError:
                raise _wrong(f"client={self.key} is not an IPv4 address") from None

    @property
    def subject(self) -> Literal["client", "host"]:
        """Whom the attack is about."""
        return KINDS[self.kind].subject

    @property
    def added_rate(self) -> float:
        """Requests that the attack adds, as a multiple of the ordinary rate."""
        return KINDS[self.kind].rate if self.rate is None else self.rate


def parse_attack(text: str) -> Attack:
    """Read ``KIND@OFFSET+DURATION[:key=value,...]``, as in ``flood@30s+10s:rate=2``.

    Raises OptionError.
    """
    placed, _, settings = text.partition(":")
    kind, at, times = placed.partition("@")
    offset, plus, duration = times.partition("+")
    if not (at and plus):
        raise _wrong(f"{text!r} is not of the form {SYNTAX}", hint="for example flood@30s+10s")
    try:
        offset_us, duration_us = parse_duration_us(offset), parse_duration_us(duration)
    except ValueError as error:
        raise _wrong(str(error)) from None
    given = _settings(kind, settings)
    return Attack(
        kind,
        offset_us,
        duration_us,
        key=given.get(KINDS[kind].subject),
        rate=_number(given, "rate", None),
        share=_number(given, "share", SHARE),
        status=given.get("status", STATUS),
        factor=_number(given, "factor", FACTOR),
    )


def _settings(kind: str, text: str) -> dict[str, str]:
    if kind not in KINDS:
        raise _wrong(f"there is no kind {kind!r}", hint=f"kinds: {', '.join(KINDS)}")
    known = (KINDS[kind].subject, "rate", *KINDS[kind].settings)
    given: dict[str, str] = {}
    for item in text.split(",") if text else ():
        name, equals, value = item.partition("=")
        if not (equals and value):
            raise _wrong(f"{item!r} is not of the form key=value")
        if name not in known:
            hint = f"settings of {kind}: {', '.join(known)}"
            raise _wrong(f"a {kind} has no setting {name!r}", hint=hint)
        given[name] = value
    return given


def _number(given: dict[str, str], name: str, default: Default) -> float | Default:
    if name not in given:
        return default
    try:
        return float(given[name])
    except ValueError:
        raise _wrong(f"{name}={given[name]} is not a number") from None


def _wrong(message: str, *, hint: str | None = None) -> OptionError:
    return OptionError("attacks", message, hint=hint)
