"""Capture files and frames, written from the formats' own descriptions, one at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True)
class Packet:
    """A packet as a capture has it."""

    time_us: int
    data: bytes
    wire: int | None = None
    interface: int = 0

    @property
    def length(self) -> int:
        return len(self.data) if self.wire is None else self.wire


def pcap(
    packets: Iterable[Packet], *, link: int = 1, order: str = "<", nano: bool = False
) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link)]
    for each in packets:
        seconds, micros = divmod(each.time_us, 1_000_000)
        fraction = micros * 1000 + 7 if nano else micros
        head = struct.pack(order + "IIII", seconds, fraction, len(each.data), each.length)
        parts += [head, each.data]
    return b"".join(parts)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + padded(value)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(
    link: int = 1,
    order: str = "<",
    *,
    name: str | None = None,
    resolution: int | None = None,
    offset: int | None = None,
) -> bytes:
    options = b""
    if name is not None:
        options += option(2, name.encode(), order)
    if resolution is not None:
        options += option(9, bytes([resolution]), order)
    if offset is not None:
        options += option(14, struct.pack(order + "q", offset), order)
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options + bytes(4), order)


def enhanced(each: Packet, order: str = "<", *, ticks: int | None = None) -> bytes:
    ticks = each.time_us if ticks is None else ticks
    head = struct.pack(
        order + "IIIII",
        each.interface,
        ticks >> 32,
        ticks & 0xFFFFFFFF,
        len(each.data),
        each.length,
    )
    return block(6, head + padded(each.data), order)


def old(each: Packet, order: str = "<") -> bytes:
    head = struct.pack(
        order + "HHIIII",
        each.interface,
        0,
        each.time_us >> 32,
        each.time_us & 0xFFFFFFFF,
        len(each.data),
        each.length,
    )
    return block(2, head + padded(each.data), order)


def pcapng(packets: Iterable[Packet], *, link: int = 1, order: str = "<") -> bytes:
    return section(order) + interface(link, order) + b"".join(enhanced(p, order) for p in packets)


def v4(
    source: str = "192.0.2.1",
    destination: str = "198.51.100.2",
    protocol: int = 6,
    payload: bytes = b"",
    *,
    options: bytes = b"",
    total: int | None = None,
    fragment: int = 0,
) -> bytes:
    length = 20 + len(options) + len(payload) if total is None else total
    first = 0x40 | (5 + len(options) // 4)
    head = struct.pack(">BBHHHBBH", first, 0, length, 1, fragment, 64, protocol, 0)
    return head + ip_address(source).packed + ip_address(destination).packed + options + payload


def v6(
    source: str = "2001:db8::1",
    destination: str = "2001:db8::2",
    protocol: int = 6,
    payload: bytes = b"",
    *,
    extensions: Sequence[tuple[int, bytes]] = (),
    length: int | None = None,
) -> bytes:
    """``extensions``: numbers with the bytes of each but its first, which names what follows."""
    numbers = [*(number for number, _ in extensions), protocol]
    chain = b"".join(
        bytes([following]) + body
        for (_, body), following in zip(extensions, numbers[1:], strict=True)
    )
    size = len(chain) + len(payload) if length is None else length
    head = struct.pack(">IHBB", 0x60000000, size, numbers[0], 64)
    return head + ip_address(source).packed + ip_address(destination).packed + chain + payload


def ports(source: int, destination: int, more: int = 4) -> bytes:
    return struct.pack(">HH", source, destination) + bytes(more)


MACS = bytes(range(12))


def ethernet(content: bytes, kind: int = 0x0800, *, tags: Sequence[int] = ()) -> bytes:
    tagged = b"".join(struct.pack(">HH", tag, 7) for tag in tags)
    return MACS + tagged + struct.pack(">H", kind) + content
