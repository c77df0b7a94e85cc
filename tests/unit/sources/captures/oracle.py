"""Capture files read packet by packet: slow and obvious, the measure for the reader."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction

LATEST_US = 253_402_300_800 * 1_000_000 - 1
MOST = 1 << 18


@dataclass(frozen=True)
class Found:
    """One record: ``broken`` names what it is if it is no packet."""

    position: int
    time_us: int | None = None
    link: int = 0
    data: bytes = b""
    wire: int = 0
    interface: str | None = None
    broken: str = ""


@dataclass
class Section:
    order: str
    interfaces: list[tuple[int, int, int, str | None]] = field(default_factory=list)


def read(file: bytes) -> list[Found]:
    """Every record of a file."""
    if not file:
        return []
    if len(file) >= 4:
        known = {
            b"\xd4\xc3\xb2\xa1": ("<", 1),
            b"\xa1\xb2\xc3\xd4": (">", 1),
            b"\x4d\x3c\xb2\xa1": ("<", 1000),
            b"\xa1\xb2\x3c\x4d": (">", 1000),
        }
        if file[:4] in known:
            return pcap(file, *known[file[:4]])
        if file[:4] == b"\x0a\x0d\x0d\x0a":
            return pcapng(file)
        return [Found(0, broken="neither")]
    return [Found(0, broken="ends")]


def pcap(file: bytes, order: str, parts: int) -> list[Found]:
    if len(file) < 24:
        return [Found(0, broken="ends")]
    link = min(struct.unpack_from(order + "I", file, 20)[0] & 0x03FFFFFF, 0xFFFE)
    found: list[Found] = []
    at = 24
    while at < len(file):
        if at + 16 > len(file):
            return [*found, Found(at, broken="ends")]
        seconds, fraction, captured, wire = struct.unpack_from(order + "IIII", file, at)
        if captured > MOST:
            return [*found, Found(at, broken="captured bytes")]
        if at + 16 + captured > len(file):
            return [*found, Found(at, broken="ends")]
        time = seconds * 1_000_000 + fraction // parts if fraction < 1_000_000 * parts else None
        found.append(Found(at, time, link, file[at + 16 : at + 16 + captured], wire))
        at += 16 + captured
    return found


def pcapng(file: bytes) -> list[Found]:  # noqa: C901, PLR0911, PLR0912 - one case after another
    found: list[Found] = []
    at, section = 0, None
    while at < len(file):
        if at + 12 > len(file):
            return [*found, Found(at, broken="ends")]
        if file[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            mark = file[at + 8 : at + 12]
            order = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(mark)
        else:
            assert section is not None
            order = section.order
        if order is None:
            return [*found, Found(at, broken="block" if section else "neither")]
        kind, length = struct.unpack_from(order + "II", file, at)
        if length < 12 or length > 1 << 24 or length % 4:
            return [*found, Found(at, broken="block")]
        if at + length > len(file):
            return [*found, Found(at, broken="ends")]
        if struct.unpack_from(order + "I", file, at + length - 4)[0] != length:
            return [*found, Found(at, broken="block")]
        body = file[at + 8 : at + length - 4]
        if kind == 0x0A0D0D0A:
            section = Section(order)
        assert section is not None
        if kind == 1:
            if len(section.interfaces) == 256:
                return [*found, Found(at, broken="interfaces")]
            section.interfaces.append(describe(body, order))
        elif kind in (2, 6):
            found.append(packet(at, body, section, "IIIII" if kind == 6 else "HHIIII"))
        elif kind == 3:
            found.append(simple(at, body, section))
        at += length
    return found


def describe(body: bytes, order: str) -> tuple[int, int, int, str | None]:
    link = struct.unpack_from(order + "H", body)[0] if len(body) >= 8 else 0xFFFE
    resolution, offset, name, at = 6, 0, None, 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == 2:
            name = value[:64].rstrip(b"\0").decode("utf-8", "replace")
        if code == 9 and length:
            resolution = value[0]
        if code == 14 and length >= 8:
            offset = struct.unpack_from(order + "q", value)[0]
        at += 4 + length + -length % 4
    return min(link, 0xFFFE), resolution, offset, name


def packet(at: int, body: bytes, section: Section, form: str) -> Found:
    if len(body) < 20:
        return Found(at, broken="captured bytes")
    values = struct.unpack_from(section.order + form, body)
    number, (high, low, captured, wire) = values[0], values[-4:]
    if captured > len(body) - 20:
        return Found(at, broken="captured bytes")
    if number >= len(section.interfaces):
        return Found(at, broken="of interface")
    link, resolution, offset, name = section.interfaces[number]
    unit = Fraction(1, 2 ** (resolution & 127) if resolution & 128 else 10**resolution)
    time = ((high << 32 | low) * unit * 1_000_000).__floor__() + offset * 1_000_000
    return Found(at, time, link, body[20 : 20 + captured], wire, name)


def simple(at: int, body: bytes, section: Section) -> Found:
    if len(body) < 4 or not section.interfaces:
        return Found(at, broken="of interface")
    wire = struct.unpack_from(section.order + "I", body)[0]
    link, _, _, name = section.interfaces[0]
    return Found(at, None, link, body[4 : 4 + wire], wire, name)
