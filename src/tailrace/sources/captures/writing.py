"""Packets' records as a pcapng file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.packets.record import BROKEN, HEAD_BYTES
from tailrace.formats.packets.view import View
from tailrace.sources.captures.pcapng import INTERFACE, PACKET, SECTION

if TYPE_CHECKING:
    from tailrace.formats.records import Records

_NAME, _END = 2, 0
_EPB = struct.Struct("<IIIIIII")


class PcapngWriter:
    """Makes a pcapng file's bytes, block by block; what is no packet is left out.

    An interface is described before its first packet.
    """

    def __init__(self) -> None:
        self._interfaces: dict[tuple[int, str | None], int] = {}

    def begin(self) -> bytes:
        """The file's header."""
        return _block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))

    def write(self, records: Records) -> bytes:
        """The blocks of some packets."""
        start = records.offsets[:-1].astype(np.int64)
        octets = np.frombuffer(records.data, np.uint8)
        if not len(start):
            return b""
        heads = View(octets, start, start).run(0, HEAD_BYTES)
        times = heads[:, :8].copy().view("<i8").ravel().tolist()
        links = heads[:, 8:10].copy().view("<u2").ravel().tolist()
        wires = heads[:, 12:16].copy().view("<u4").ravel().tolist()
        names: list[str | None] = [None] * len(links)
        if records.beside is not None:
            names = records.beside["interface"].to_pylist()
        data = memoryview(records.data)
        ends = records.offsets.tolist()
        parts: list[bytes | memoryview] = []
        for row, (time, link, wire, name) in enumerate(
            zip(times, links, wires, names, strict=True)
        ):
            if link == BROKEN or time < 0:
                continue
            number = self._interfaces.get((link, name))
            if number is None:
                number = self._interfaces[link, name] = len(self._interfaces)
                parts.append(_described(link, name))
            content = data[ends[row] + HEAD_BYTES : ends[row + 1]]
            captured = len(content)
            padding = -captured % 4
            length = 32 + captured + padding
            parts.append(
                _EPB.pack(PACKET, length, number, time >> 32, time & 0xFFFFFFFF, captured, wire)
            )
            parts.append(content)
            parts.append(bytes(padding) + length.to_bytes(4, "little"))
        return b"".join(parts)


def _described(link: int, name: str | None) -> bytes:
    body = struct.pack("<HHI", link, 0, 0)
    if name is not None:
        text = name.encode()
        body += struct.pack("<HH", _NAME, len(text)) + text + bytes(-len(text) % 4)
        body += struct.pack("<HH", _END, 0)
    return _block(INTERFACE, body)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + length.to_bytes(4, "little")
