"""The kernel's filter of packets: a program of classic BPF, which also says how much is captured.

What it reads of a packet is asked of the kernel (interface, direction, protocol) or lies behind the
network header, wherever that begins.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

LOAD_WORD, LOAD_BYTE, IF_EQUAL, JUMP, RETURN = 0x20, 0x30, 0x15, 0x05, 0x06
_KERNEL = 0x1_0000_0000 - 0x1000
PROTOCOL, DIRECTION, INTERFACE = _KERNEL, _KERNEL + 4, _KERNEL + 8
"""Where the kernel tells of a packet what isn't in it."""
NETWORK = 0x1_0000_0000 - 0x100000
"""Where the network header is."""
OUTGOING = 4
IP4_TYPE, IP6_TYPE = 0x0800, 0x86DD
_PLACES = {4: (12, 16), 6: (8, 24)}
"""Where source and destination are in the headers of IPv4 and IPv6."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which packets: of interfaces (none: all), from, to, or from or to an address.

    ``loopbacks``: interfaces on which a packet passes twice, out and in; it is taken on its way in.
    """

    snaplen: int
    interfaces: tuple[int, ...] = ()
    loopbacks: tuple[int, ...] = ()
    source: str | None = None
    destination: str | None = None
    either: str | None = None

    @property
    def addresses(self) -> tuple[tuple[Address, tuple[int, ...]], ...]:
        """Each address with the ends at which it may be: 0 source, 1 destination."""
        given = ((self.source, (0,)), (self.destination, (1,)), (self.either, (0, 1)))
        return tuple((ip_address(text), ends) for text, ends in given if text is not None)


@dataclass(slots=True)
class _Program:
    """Instructions whose jumps name labels."""

    lines: list[tuple[int, int, str, str]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    def add(self, code: int, value: int, then: str = "", otherwise: str = "") -> None:
        """Append an instruction; a jump without a label goes to the next one."""
        self.lines.append((code, value, then, otherwise))

    def label(self, name: str) -> None:
        """Name the next instruction."""
        self.labels[name] = len(self.lines)

    def packed(self) -> bytes:
        """The program as the kernel takes it."""
        parts = []
        for number, (code, value, then, otherwise) in enumerate(self.lines, start=1):
            if code == JUMP:
                parts.append(struct.pack("=HBBI", code, 0, 0, self.labels[then] - number))
                continue
            hops = (self.labels[name] - number if name else 0 for name in (then, otherwise))
            parts.append(struct.pack("=HBBI", code, *hops, value))
        return b"".join(parts)


def program(wanted: Wanted) -> bytes:
    """Instructions of eight bytes each."""
    made = _Program()
    if wanted.interfaces:
        made.add(LOAD_WORD, INTERFACE)
        for interface in wanted.interfaces[:-1]:
            made.add(IF_EQUAL, interface, "known", "")
        made.add(IF_EQUAL, wanted.interfaces[-1], "", "drop")
        made.label("known")
    for number, loopback in enumerate(wanted.loopbacks):
        made.add(LOAD_WORD, INTERFACE)
        made.add(IF_EQUAL, loopback, "", f"other{number}")
        made.add(LOAD_BYTE, DIRECTION)
        made.add(IF_EQUAL, OUTGOING, "drop", "")
        made.label(f"other{number}")
    for number, (address, ends) in enumerate(wanted.addresses):
        _address(made, address, ends, f"address{number}")
    made.add(RETURN, wanted.snaplen)
    made.label("drop")
    made.add(RETURN, 0)
    return made.packed()


def _address(made: _Program, address: Address, ends: tuple[int, ...], name: str) -> None:
    """Go on only if the address is at one of the ends."""
    made.add(LOAD_WORD, PROTOCOL)
    made.add(IF_EQUAL, IP4_TYPE if address.version == 4 else IP6_TYPE, "", "drop")
    words = struct.unpack(f">{len(address.packed) // 4}I", address.packed)
    for end in ends:
        missed = "drop" if end == ends[-1] else f"{name}-not-{end}"
        for place, word in enumerate(words):
            made.add(LOAD_WORD, NETWORK + _PLACES[address.version][end] + 4 * place)
            made.add(IF_EQUAL, word, "", missed)
        made.add(JUMP, 0, f"{name}-found")
        if missed != "drop":
            made.label(missed)
    made.label(f"{name}-found")
