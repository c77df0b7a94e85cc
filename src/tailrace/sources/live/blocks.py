"""Blocks of the kernel's ring (TPACKET_V3): what it wrote of packets, as packets' records.

Numbers are in the machine's own order, as the kernel shares them; a block is given as its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.packets.link import ETHERNET, IP4_TYPE, IP6_TYPE, IPV4, IPV6
from tailrace.formats.packets.record import BROKEN, HEAD
from tailrace.formats.packets.view import runs
from tailrace.sources.captures.framing import Framed

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = struct.Struct("=IIIIIIQIIII")
"""Version, private part, status, packets, first packet, length, number, times of first and last."""
STATUS_AT, LENGTH_AT = 8, 20
PACKET = np.dtype(
    [
        ("next", "=u4"),
        ("seconds", "=u4"),
        ("nanos", "=u4"),
        ("captured", "=u4"),
        ("wire", "=u4"),
        ("status", "=u4"),
        ("link_at", "=u2"),
        ("network_at", "=u2"),
        ("hash", "=u4"),
        ("vlan", "=u4"),
        ("vlan_type", "=u2"),
        ("padding", "V10"),
        ("family", "=u2"),
        ("protocol", ">u2"),
        ("interface", "=i4"),
        ("hardware", "=u2"),
        ("direction", "u1"),
        ("address_bytes", "u1"),
        ("address", "V8"),
    ]
)
"""``struct tpacket3_hdr`` and the address (``struct sockaddr_ll``) that follows it."""
_ETHERNET, _LOOPBACK = 1, 772
"""Kinds of hardware whose frames are Ethernet's. Of others what IP is in the frame is taken."""

Named = Callable[[int], "str | None"]


def framed(block: bytes, name: Named) -> Framed:
    """The packets of a block; ``name`` tells an interface's name by its number."""
    found = Framed(names=[])
    count, first = struct.unpack_from("=II", block, 12)
    places: list[int] = []
    at = first
    next_at = struct.Struct("=I").unpack_from
    for _ in range(count):
        if at + PACKET.itemsize > len(block):
            break
        places.append(at)
        step = next_at(block, at)[0]
        if not step:
            break
        at += step
    if not places:
        return found
    found.places = np.array(places, np.int64)
    packets = runs(np.frombuffer(block, np.uint8), PACKET.itemsize)[found.places].view(PACKET)
    skipped = _begin(packets)
    begin = found.places + packets["link_at"] + skipped
    captured = np.maximum(packets["captured"].astype(np.int64) - skipped, 0)
    found.begins = begin.tolist()
    found.ends = np.minimum(begin + captured, len(block)).tolist()
    found.heads = _heads(packets, skipped)
    names = {number: name(number) for number in np.unique(packets["interface"]).tolist()}
    found.names = [names[number] for number in packets["interface"].tolist()]
    found.used = len(block)
    return found


def _begin(packets: NDArray[np.void]) -> NDArray[np.int64]:
    """So many bytes of link header are passed over."""
    header = packets["network_at"].astype(np.int64) - packets["link_at"]
    return np.where(_is_ethernet(packets), 0, np.maximum(header, 0))


def _is_ethernet(packets: NDArray[np.void]) -> NDArray[np.bool_]:
    kind = packets["hardware"]
    found: NDArray[np.bool_] = (kind == _ETHERNET) | (kind == _LOOPBACK)
    return found


def _heads(packets: NDArray[np.void], skipped: NDArray[np.int64]) -> NDArray[np.void]:
    heads = np.zeros(len(packets), HEAD)
    micros = packets["nanos"].astype(np.int64) // 1000
    heads["time"] = packets["seconds"].astype(np.int64) * 1_000_000 + micros
    ip = np.where(packets["protocol"] == IP6_TYPE, IPV6, BROKEN - 1)
    ip = np.where(packets["protocol"] == IP4_TYPE, IPV4, ip)
    heads["link"] = np.where(_is_ethernet(packets), ETHERNET, ip)
    heads["wire"] = np.maximum(packets["wire"].astype(np.int64) - skipped, 0)
    return heads
