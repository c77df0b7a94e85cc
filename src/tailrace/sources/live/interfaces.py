"""Network interfaces by name and number."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from contextlib import suppress

from tailrace.config.suggestions import suggestion
from tailrace.errors import SourceError

_LOOPBACK = "772"
"""The kind of hardware of loopback interfaces."""
_GET_FLAGS, _UP = 0x8913, 1


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


def numbers_up(names: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """The number of each of these interfaces that there is, and whether it is up."""
    from fcntl import ioctl  # not on every system, as captures aren't

    if not names:
        return {}
    known = {name: number for number, name in socket.if_nameindex() if name in names}
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for name, number in known.items():
            # Between the two questions it may have gone.
            with suppress(OSError):
                answer = ioctl(asking, _GET_FLAGS, struct.pack("16s24x", name.encode()))
                found[name] = (number, bool(struct.unpack_from("=H", answer, 16)[0] & _UP))
    return found


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
