"""Ethernet frames of made-up packets as records of a pcap file, without a loop over packets.

A frame ends after its transport header: what it carried is only in its lengths.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.generate.packet_forms import Packets

    Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
    Ports = tuple[NDArray[np.int64], NDArray[np.int64]]

SNAPLEN = 128
ETHERNET = 1
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, ETHERNET)
_RECORD, _LINK, _V4, _V6 = 16, 14, 20, 40
_TRANSPORT = {6: 20, 17: 8, 1: 8}
_WIDTH = _RECORD + _LINK + _V6 + 20
_HERE, _THERE = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"


def frames(packets: Packets, v4: Pair, v6: Pair, ports: Ports) -> bytes:
    """The packets as records of a pcap file (little-endian, microseconds, Ethernet).

    `v4`, `v6`: octets of source and destination, one row a packet; `ports`: theirs.
    """
    rows = len(packets.time_us)
    octets = np.zeros((rows, _WIDTH), np.uint8)
    ip = np.where(packets.ipv6, _V6, _V4)
    transport = np.array([_TRANSPORT.get(number, 0) for number in range(256)])[packets.protocol]
    captured = _LINK + ip + transport
    _record(octets, packets, captured)
    out = packets.outgoing[:, None]
    here, there = np.frombuffer(_HERE, np.uint8), np.frombuffer(_THERE, np.uint8)
    octets[:, 16:22] = np.where(out, there, here)
    octets[:, 22:28] = np.where(out, here, there)
    octets[:, 28:30] = np.where(packets.ipv6[:, None], [0x86, 0xDD], [0x08, 0x00])
    is_v4 = np.flatnonzero(~packets.ipv6)
    is_v6 = np.flatnonzero(packets.ipv6)
    _fill(octets, is_v4, 30, _v4(packets, is_v4, v4))
    _fill(octets, is_v6, 30, _v6(packets, is_v6, v6))
    _fill(octets, is_v4, 50, _transport(packets, is_v4, ports))
    _fill(octets, is_v6, 70, _transport(packets, is_v6, ports))
    kept: NDArray[np.uint8] = octets[np.arange(_WIDTH) < (_RECORD + captured)[:, None]]
    return kept.tobytes()


def _record(octets: NDArray[np.uint8], packets: Packets, captured: NDArray[np.int64]) -> None:
    head = np.empty((len(octets), 4), "<u4")
    head[:, 0] = packets.time_us // 1_000_000
    head[:, 1] = packets.time_us % 1_000_000
    head[:, 2] = captured
    head[:, 3] = packets.length + _LINK
    octets[:, :_RECORD] = head.view(np.uint8)


def _fill(
    octets: NDArray[np.uint8], rows: NDArray[np.int64], at: int, part: NDArray[np.uint8]
) -> None:
    octets[rows, at : at + part.shape[1]] = part


def _v4(packets: Packets, rows: NDArray[np.int64], ends: Pair) -> NDArray[np.uint8]:
    head = np.zeros((len(rows), 10), ">u2")
    head[:, 0] = 0x4500
    head[:, 1] = packets.length[rows]
    head[:, 3] = 0x4000
    head[:, 4] = 0x4000 | packets.protocol[rows]
    head[:, 6:8] = ends[0][rows].view(">u2")
    head[:, 8:10] = ends[1][rows].view(">u2")
    total = head.sum(axis=1, dtype=np.int64)
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    head[:, 5] = 0xFFFF - total
    return head.view(np.uint8)


def _v6(packets: Packets, rows: NDArray[np.int64], ends: Pair) -> NDArray[np.uint8]:
    head = np.zeros((len(rows), 4), ">u2")
    protocol = packets.protocol[rows]
    head[:, 0] = 0x6000
    head[:, 2] = packets.length[rows] - _V6
    head[:, 3] = np.where(protocol == 1, 58, protocol) << 8 | 64
    return np.hstack([head.view(np.uint8), ends[0][rows], ends[1][rows]])


def _transport(packets: Packets, rows: NDArray[np.int64], ports: Ports) -> NDArray[np.uint8]:
    head = np.zeros((len(rows), 10), ">u2")
    protocol = packets.protocol[rows]
    v6 = packets.ipv6[rows]
    icmp = protocol == 1
    echo = np.where(v6, 0x8000, 0x0800)
    head[:, 0] = np.where(icmp, echo, ports[0][rows])
    head[:, 1] = np.where(icmp, 0, ports[1][rows])
    tcp = protocol == 6
    head[tcp, 6] = 0x5010
    head[tcp, 7] = 0xFFFF
    udp = protocol == 17
    after_ip = packets.length[rows] - np.where(v6, _V6, _V4)
    head[udp, 2] = after_ip[udp]
    return head.view(np.uint8)
