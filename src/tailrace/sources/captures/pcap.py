"""pcap files: a header of 24 bytes, then packets, each with 16 bytes before it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tailrace.formats.packets.record import BROKEN, HEAD, MOST_CAPTURED, NO_TIME, Breach
from tailrace.formats.packets.view import runs
from tailrace.sources.captures.framing import Broken, Framed
from tailrace.sources.captures.walking import PACKET_BYTES, packets_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.sources.types import Json

HEADER_BYTES = 24
_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1),
    b"\xa1\xb2\xc3\xd4": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1000),
}
"""The first bytes; the order of bytes, and parts of a microsecond that times count."""
MAGICS = tuple(_MAGIC)
_LINK_BITS = 0x03FFFFFF
"""Above are the length of frame check sequences and a flag for it."""


@dataclass(frozen=True, slots=True)
class Pcap:
    """A pcap file's header, by which its packets are read."""

    order: str
    parts: int
    link: int

    @classmethod
    def of(cls, header: bytes) -> Self:
        """Read a header, of which the first bytes are known to be one's."""
        order, parts = _MAGIC[header[:4]]
        link = struct.unpack_from(f"{order}I", header, 20)[0] & _LINK_BITS
        return cls(order, parts, min(link, BROKEN - 1))

    @property
    def state(self) -> dict[str, Json]:
        """Nothing: the header stands at the begin of the file."""
        return {}

    def frame(self, data: bytes, begin: int = 0) -> Framed:
        """Find the packets in ``data`` from ``begin``, which is after the header."""
        found = Framed()
        length_at = struct.Struct(f"{self.order}I").unpack_from
        known, at = packets_in(data, begin, self.order, self.parts)
        places: list[int] = []
        size = len(data)
        while at + PACKET_BYTES <= size:
            captured = length_at(data, at + 8)[0]
            if captured > MOST_CAPTURED:
                found.broken = Broken(Breach.LENGTH, captured)
                break
            end = at + PACKET_BYTES + captured
            if end > size:
                found.missing = end - size
                break
            places.append(at)
            at = end
        else:
            found.missing = at + PACKET_BYTES - size
        found.used = at
        found.begins = None
        found.places = np.concatenate([known, np.array(places, np.int64)])
        found.heads = self._heads(data, found.places)
        return found

    def _heads(self, data: bytes, places: NDArray[np.int64]) -> NDArray[np.void]:
        heads = np.zeros(len(places), HEAD)
        if not len(places):
            return heads
        rows = runs(np.frombuffer(data, np.uint8), PACKET_BYTES)[places].view(np.uint8)
        words = rows.reshape(-1, PACKET_BYTES).view(f"{self.order}u4").astype(np.int64)
        fraction = words[:, 1]
        time = words[:, 0] * 1_000_000 + fraction // self.parts
        heads["time"] = np.where(fraction < 1_000_000 * self.parts, time, NO_TIME)
        heads["link"] = self.link
        heads["wire"] = words[:, 3]
        return heads
