"""Network interfaces by name and number."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress

from tailrace.config.suggestions import suggestion
from tailrace.errors import SourceError

_LOOPBACK = "772"
"""The kind of hardware of loopback interfaces."""


def indices(names: Sequence[str]) -> tuple[int, ...]:
    """The numbers of interfaces; SourceError for a name that there is not."""
    known = {name: number for number, name in socket.if_nameindex()}
    for name in names:
        if name not in known:
            hint = suggestion(name, tuple(known), "interfaces")
            raise SourceError(f"there is no interface {name!r}", hint=hint)
    return tuple(known[name] for name in names)


def loopbacks() -> tuple[int, ...]:
    """The numbers of those interfaces whose packets go out and come in again."""
    found = []
    for number, name in socket.if_nameindex():
        with suppress(OSError), open(f"/sys/class/net/{name}/type", encoding="ascii") as kind:
            if kind.read().strip() == _LOOPBACK:
                found.append(number)
    return tuple(found)


class Names:
    """Names by number, each asked for once."""

    def __init__(self) -> None:
        self._known: dict[int, str | None] = {}

    def __call__(self, number: int) -> str | None:
        """The name; None if there is none any more."""
        if number not in self._known:
            try:
                self._known[number] = socket.if_indextoname(number)
            except OSError:
                self._known[number] = None
        return self._known[number]
