"""pcapng files: blocks, of which some are packets and some describe the interfaces they are of.

A section begins with a header that tells the order of bytes; what its interfaces are is known from
the blocks before a packet. Blocks that hold neither are passed over.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeAlias, cast

import numpy as np

from tailrace.formats.packets.record import BROKEN, HEAD, NO_TIME, Breach
from tailrace.sources.captures.clock import Clock
from tailrace.sources.captures.framing import Broken, Framed

if TYPE_CHECKING:
    from tailrace.sources.types import Json

MAGIC = b"\x0a\x0d\x0d\x0a"
SECTION, INTERFACE, OLD_PACKET, SIMPLE, PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
LEAST_BLOCK, MOST_BLOCK = 12, 1 << 24
PACKET_BYTES = 20
"""Of a packet's block before the packet, after kind and length."""
_HEADS = {order: struct.Struct(f"{order}II") for order in "<>"}
_LENGTHS = {order: struct.Struct(f"{order}I") for order in "<>"}
_PACKETS = {order: struct.Struct(f"{order}IIIII") for order in "<>"}
_OLD_PACKETS = {order: struct.Struct(f"{order}HxxIIII") for order in "<>"}
MOST_INTERFACES = 256
"""They are stored with every position."""
_NAME, _RESOLUTION, _OFFSET = 2, 9, 14
_TIMED, _UNTIMED = -1, 0

_Row: TypeAlias = tuple[int, int, int, int, int, int, int]
"""Place, begin and end of the bytes captured; number of the interface, below 0 for what is no
packet; _TIMED, _UNTIMED or the Breach; bytes on the wire; time in ticks."""


@dataclass(frozen=True, slots=True)
class Interface:
    """What packets of one interface have in common."""

    link: int
    clock: Clock
    name: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """What a section's blocks have said so far; ``order`` of bytes, None before any section."""

    order: str | None = None
    interfaces: tuple[Interface, ...] = ()

    @classmethod
    def from_json(cls, stored: dict[str, Json]) -> Self:
        """A stored state."""
        rows = cast("list[list[Json]]", stored.get("interfaces", []))
        interfaces = [
            Interface(cast("int", link), Clock(cast("int", code), cast("int", offset)), name)
            for link, code, offset, name in cast("list[tuple[Json, Json, Json, str | None]]", rows)
        ]
        return cls(cast("str | None", stored.get("order")), tuple(interfaces))

    def to_json(self) -> dict[str, Json]:
        """What ``from_json`` takes."""
        rows: list[Json] = [
            [each.link, each.clock.code, each.clock.offset, each.name] for each in self.interfaces
        ]
        return {"order": self.order, "interfaces": rows}


class Pcapng:
    """A pcapng file at a place of it."""

    def __init__(self, section: Section) -> None:
        self._section = section

    @property
    def state(self) -> dict[str, Json]:
        """The section so far."""
        return self._section.to_json()

    def frame(self, data: bytes) -> Framed:
        """Find the packets at the begin of ``data``."""
        found = _Blocks(data, self._section)
        found.walk()
        self._section = found.section
        return found.framed()


class _Blocks:
    """One walk over blocks."""

    def __init__(self, data: bytes, section: Section) -> None:
        self.section = section
        self._data = data
        self._found = Framed()
        self._met = list(section.interfaces)
        """The interfaces of all sections met; those of this one from ``_first`` on."""
        self._first = 0
        self._rows: list[_Row] = []

    def walk(self) -> None:
        """Go from block to block to the first that isn't whole."""
        data, found, size = self._data, self._found, len(self._data)
        at = 0
        while at + LEAST_BLOCK <= size:
            order = self.section.order
            if data[at] == MAGIC[0] and data[at : at + 4] == MAGIC:
                order = _ORDERS.get(data[at + 8 : at + 12])
            if order is None:
                why = Breach.NO_CAPTURE if self.section.order is None else Breach.BLOCK
                found.broken = Broken(why)
                break
            kind, length = _HEADS[order].unpack_from(data, at)
            if length < LEAST_BLOCK or length > MOST_BLOCK or length % 4:
                found.broken = Broken(Breach.BLOCK, length)
                break
            end = at + length
            if end > size:
                found.missing = end - size
                break
            if _LENGTHS[order].unpack_from(data, end - 4)[0] != length:
                found.broken = Broken(Breach.BLOCK, length)
                break
            if kind == PACKET:
                self._packet(_PACKETS[order], at, length)
            elif not self._take(kind, order, at, length):
                break
            at = end
        else:
            found.missing = at + LEAST_BLOCK - size
        found.used = at

    def _take(self, kind: int, order: str, at: int, length: int) -> bool:
        """Take a block of another kind; False if it can't be."""
        if kind == SECTION:
            self.section = Section(order)
            self._first = len(self._met)
        elif kind == INTERFACE:
            if len(self.section.interfaces) >= MOST_INTERFACES:
                self._found.broken = Broken(Breach.INTERFACES, MOST_INTERFACES)
                return False
            self._describe(order, self._data[at + 8 : at + length - 4])
        elif kind == OLD_PACKET:
            self._packet(_OLD_PACKETS[order], at, length)
        elif kind == SIMPLE:
            self._simple(order, at, length)
        return True

    def _describe(self, order: str, body: bytes) -> None:
        link = struct.unpack_from(f"{order}H", body)[0] if len(body) >= 8 else BROKEN - 1
        clock, name = Clock(), None
        at = 8
        while at + 4 <= len(body):
            code, length = struct.unpack_from(f"{order}HH", body, at)
            value = body[at + 4 : at + 4 + length]
            if code == 0 or len(value) < length:
                break
            if code == _NAME:
                name = value[:64].rstrip(b"\0").decode("utf-8", "replace")
            elif code == _RESOLUTION and length >= 1:
                clock = replace(clock, code=value[0])
            elif code == _OFFSET and length >= 8:
                clock = replace(clock, offset=struct.unpack_from(f"{order}q", value)[0])
            at += 4 + -(-length // 4) * 4
        interface = Interface(min(link, BROKEN - 1), clock, name)
        self.section = replace(self.section, interfaces=(*self.section.interfaces, interface))
        self._met.append(interface)

    def _packet(self, form: struct.Struct, at: int, length: int) -> None:
        if length < LEAST_BLOCK + PACKET_BYTES:
            self._broken(Breach.LENGTH, length, at, length)
            return
        number, high, low, captured, wire = form.unpack_from(self._data, at + 8)
        if captured > length - LEAST_BLOCK - PACKET_BYTES:
            self._broken(Breach.LENGTH, captured, at, length)
        elif number >= len(self.section.interfaces):
            self._broken(Breach.INTERFACE, number, at, length)
        else:
            begin, interface = at + 8 + PACKET_BYTES, self._first + number
            row = (at, begin, begin + captured, interface, _TIMED, wire, high << 32 | low)
            self._rows.append(row)

    def _simple(self, order: str, at: int, length: int) -> None:
        if length < LEAST_BLOCK + 4 or not self.section.interfaces:
            self._broken(Breach.INTERFACE, 0, at, length)
            return
        wire = struct.unpack_from(f"{order}I", self._data, at + 8)[0]
        end = min(at + 12 + wire, at + length - 4)
        self._rows.append((at, at + 12, end, self._first, _UNTIMED, wire, 0))

    def _broken(self, breach: Breach, told: int, at: int, length: int) -> None:
        self._rows.append((at, at, at + length, -1, breach, told, 0))

    def framed(self) -> Framed:
        """What was found."""
        found = self._found
        found.heads = heads = np.zeros(len(self._rows), HEAD)
        found.names = []
        if not self._rows:
            return found
        places, begins, ends, interfaces, details, wires, ticks = zip(*self._rows, strict=True)
        found.places = np.array(places, np.int64)
        found.begins, found.ends = list(begins), list(ends)
        # The last one, which is also that of number -1, stands for what is no packet.
        met = [*self._met, Interface(BROKEN, Clock(), None)]
        names = [each.name for each in met]
        found.names = [names[number] for number in interfaces]
        numbers, detail = np.array(interfaces), np.array(details)
        heads["link"] = np.array([each.link for each in met])[numbers]
        heads["detail"], heads["wire"] = np.maximum(detail, 0), wires
        heads["time"] = NO_TIME
        counted = np.array(ticks, np.uint64)
        for number in np.unique(numbers[detail == _TIMED]).tolist():
            rows = np.flatnonzero((numbers == number) & (detail == _TIMED))
            heads["time"][rows] = met[number].clock.micros(counted[rows])
        return found
