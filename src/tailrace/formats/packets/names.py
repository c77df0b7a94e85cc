"""Protocols and addresses as text."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.formats.packets.view import Ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PROTOCOLS = {
    1: "icmp",
    2: "igmp",
    4: "ipip",
    6: "tcp",
    17: "udp",
    33: "dccp",
    41: "ipv6",
    46: "rsvp",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "icmpv6",
    59: "none",
    89: "ospf",
    103: "pim",
    112: "vrrp",
    115: "l2tp",
    132: "sctp",
    136: "udplite",
}
"""Those that have a name here; others are shown as their number."""

_OTHERS = {0x0806: "arp", 0x8035: "rarp", 0x88CC: "lldp", 0x8847: "mpls", 0x8864: "pppoe"}
"""What isn't IP, by EtherType; others are shown in hexadecimal."""

PROTOCOLS = pa.array([_PROTOCOLS.get(number, str(number)) for number in range(256)], pa.string())


def protocols(numbers: Ints) -> pa.StringArray:
    """Names of protocols that IP carries; null below 0."""
    return PROTOCOLS.take(pa.array(np.maximum(numbers, 0), mask=numbers < 0))


def others(types: Ints) -> pa.StringArray:
    """Names of what isn't IP; those below 0 are unknown."""
    encoded = pa.array(types).dictionary_encode()
    names = [
        "unknown" if number < 0 else _OTHERS.get(number, f"0x{number:04x}")
        for number in encoded.dictionary.to_pylist()
    ]
    return pa.array(names, pa.string()).take(encoded.indices)


def addresses(octets: NDArray[np.uint8]) -> pa.StringArray:
    """Texts of addresses: an array of (rows, 4 or 16) bytes. Each that occurs is written once."""
    width = octets.shape[1]
    whole = np.ascontiguousarray(octets)
    column = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(whole), [None, pa.py_buffer(whole)]
    )
    encoded = column.dictionary_encode()
    write: Callable[[bytes], str] = _v4 if width == 4 else _v6
    names = [write(packed) for packed in encoded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(encoded.indices)


def _v4(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET, packed)


def _v6(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, packed)
