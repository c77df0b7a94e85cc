"""A packet as a record: 16 bytes of what its capture says of it, then the bytes captured.

It stands by itself, whatever file or interface it came from: time, link type and length on the wire
are in it. ``Records.header`` tells such records from lines.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

PACKETS = b"packets"
"""``Records.header`` of packets."""

HEAD = np.dtype([("time", "<i8"), ("link", "<u2"), ("detail", "<u2"), ("wire", "<u4")])
"""Microseconds UTC or NO_TIME; link type or BROKEN; a Breach if BROKEN; bytes on the wire."""

HEAD_BYTES = HEAD.itemsize
NO_TIME = -(1 << 63)
BROKEN = 0xFFFF
"""The link type of what is no packet; its bytes are those at which reading failed."""

LARGEST_LENGTH = 0xFFFFFFFF
MOST_CAPTURED = 1 << 18
"""No capture has more bytes of a packet: a length beyond is no length."""


class Breach(IntEnum):
    """Why bytes of a capture are no packet; ``wire`` is the length that they told."""

    ENDS = 1
    NO_CAPTURE = 2
    LENGTH = 3
    BLOCK = 4
    INTERFACE = 5
    INTERFACES = 6

    def reason(self, length: int) -> str:
        """Say it."""
        match self:
            case Breach.ENDS:
                return f"the capture ends within a packet: {length} bytes more were to come"
            case Breach.NO_CAPTURE:
                return "the file is neither pcap nor pcapng: nothing of it can be read"
            case Breach.LENGTH:
                told = f"a packet of {length} captured bytes"
                return f"{told} can't be: the rest of the file is not readable"
            case Breach.BLOCK:
                told = f"a block of {length} bytes that does not end as it begins"
                return f"{told}: the rest of the file is not readable"
            case Breach.INTERFACE:
                return f"the packet is of interface {length}, which the capture doesn't describe"
            case _:
                return f"more than {length} interfaces: the rest of the file is not readable"


def told(number: int, length: int) -> str:
    """The reason of a breach by its number, whatever the number."""
    try:
        return Breach(number).reason(int(length))
    except ValueError:
        return "the record is no packet"


def broken(breach: Breach, length: int, content: bytes) -> bytes:
    """The record of bytes that are no packet."""
    head = np.zeros(1, HEAD)
    head["time"], head["link"], head["detail"] = NO_TIME, BROKEN, breach
    head["wire"] = min(max(length, 0), LARGEST_LENGTH)
    return head.tobytes() + content
