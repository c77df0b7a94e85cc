"""Capture files through the source, cut anywhere, read again: as the oracle reads them."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.formats.packets.test_headers import spec
from tests.unit.sources.captures import oracle
from tests.unit.sources.captures.writing import (
    Packet,
    block,
    enhanced,
    ethernet,
    interface,
    old,
    pcap,
    pcapng,
    ports,
    section,
    v4,
    v6,
)

from tailrace.formats.decoder import Decoder
from tailrace.formats.packets.record import BROKEN, HEAD, HEAD_BYTES, NO_TIME, Breach
from tailrace.formats.records import Records
from tailrace.sources.captures.files import capture_files
from tailrace.sources.types import Chunk, Json, Slice

TIME_US = 1_700_000_000_123_456
WORDS = {
    Breach.ENDS: "ends",
    Breach.NO_CAPTURE: "neither",
    Breach.LENGTH: "captured bytes",
    Breach.BLOCK: "block",
    Breach.INTERFACE: "of interface",
    Breach.INTERFACES: "interfaces",
}


def taken(path: Path, size: int = 1 << 20) -> list[Chunk]:
    """Read all, ``size`` bytes a poll; each poll by a source that begins where the last was."""
    chunks: list[Chunk] = []
    positions: dict[str, dict[str, Json]] = {}
    for _ in range(100_000):
        source = capture_files([str(path)])
        source.open(positions)
        ended = False
        while not ended:
            poll = source.poll(size, {})
            ended = bool(poll.ended)
            chunks += poll.chunks
            if poll.chunks and size < 1 << 20:
                break
        for chunk in chunks:
            positions[chunk.slice.partition] = chunk.slice.resume
        source.close()
        if ended:
            return chunks
    raise AssertionError


def found(records: Records) -> list[oracle.Found]:
    """Records as the oracle writes them."""
    rows = []
    data = records.data.to_pybytes()
    names = records.beside["interface"].to_pylist() if records.beside else []
    for row, position in enumerate(records.positions.tolist()):
        whole = data[records.offsets[row] : records.offsets[row + 1]]
        head = np.frombuffer(whole, HEAD, 1)[0]
        time = int(head["time"])
        if head["link"] == BROKEN:
            rows.append(oracle.Found(position, broken=WORDS[Breach(int(head["detail"]))]))
            continue
        time_us = None if time == NO_TIME else time
        link, wire = int(head["link"]), int(head["wire"])
        rows.append(oracle.Found(position, time_us, link, whole[HEAD_BYTES:], wire, names[row]))
    return rows


def expected(file: bytes) -> list[oracle.Found]:
    """What the oracle finds; a time that can't be is none."""
    rows = []
    for each in oracle.read(file):
        time = each.time_us
        if time is not None and time > oracle.LATEST_US + 10**6 * 2**40:
            time = None
        rows.append(oracle.Found(**{**vars(each), "time_us": time}))
    return rows


def check(tmp_path: Path, file: bytes, size: int = 1 << 20) -> list[Chunk]:
    path = tmp_path / "x.pcap"
    path.write_bytes(file)
    chunks = taken(path, size)
    rows = [row for chunk in chunks for row in found(chunk.records)]
    for mine, theirs in zip(rows, expected(file), strict=True):
        if mine.time_us != theirs.time_us:  # far outside what a time may be, either way
            assert outside(mine.time_us)
            assert outside(theirs.time_us)
        assert {**vars(mine), "time_us": 0} == {**vars(theirs), "time_us": 0}
    decoder = Decoder(spec())
    for chunk in chunks:
        source = capture_files([str(path)])
        again = source.reread(Slice(**vars_of(chunk.slice)))
        source.close()
        assert found(again) == found(chunk.records)
        decoded = decoder.decode(again)
        assert decoded.blank == 0
        assert decoded.events.num_rows + len(decoded.dead.rows) == len(again)
    ends = [chunk.slice.end for chunk in chunks]
    assert [chunk.slice.start for chunk in chunks][1:] == ends[:-1] or size < 1 << 20
    return chunks


def outside(time_us: int | None) -> bool:
    return time_us is None or not -62_135_596_800 * 10**6 <= time_us <= oracle.LATEST_US


def vars_of(piece: Slice) -> dict[str, Any]:
    names = ("partition", "generation", "start", "end", "resume", "fields")
    return {name: getattr(piece, name) for name in names}


FRAMES = [
    ethernet(v4(payload=ports(1, 2, 16))),
    ethernet(v6(payload=ports(3, 4, 16)), 0x86DD),
    ethernet(v4(protocol=17, payload=ports(5, 6)), tags=[0x8100]),
    ethernet(b"", 0x0806),
    b"",
    ethernet(v4()[:11]),
]
PACKETS = [Packet(TIME_US + 1000 * row, data) for row, data in enumerate(FRAMES)]
TWO_SECTIONS = (
    section()
    + interface(1, name="eth0", resolution=9)
    + enhanced(PACKETS[0], ticks=TIME_US * 1000 + 999)
    + interface(101, name="tun\u00e9", resolution=0x80 | 20, offset=3600)
    + enhanced(Packet(0, v4(), interface=1), ticks=1_700_000_000 << 20 | 1 << 19)
    + block(4, b"names of hosts, passed over..")
    + block(0x0BAD, b"")
    + section(">")
    + interface(1, ">")
    + enhanced(PACKETS[1], ">")
    + old(PACKETS[2], ">")
    + block(3, struct.pack(">I", 14) + FRAMES[3] + b"\0\0", ">")
    + enhanced(Packet(TIME_US, v4(), interface=9), ">")
)
BAD_LENGTH = bytearray(pcap(PACKETS))
struct.pack_into("<I", BAD_LENGTH, 24 + 16 + len(FRAMES[0]) + 8, 0x7FFFFFFF)
FILES = {
    "little": pcap(PACKETS),
    "big": pcap(PACKETS, order=">"),
    "nano": pcap(PACKETS, nano=True),
    "nano-big": pcap(PACKETS, nano=True, order=">"),
    "raw": pcap([Packet(TIME_US, v4())], link=101),
    "fcs": pcap(PACKETS, link=0x14000001),
    "unknown-link": pcap(PACKETS, link=105),
    "header-only": pcap([]),
    "empty": b"",
    "ng": pcapng(PACKETS),
    "ng-big": pcapng(PACKETS, order=">"),
    "ng-header-only": section(),
    "two-sections": TWO_SECTIONS,
    "text": b'{"no": "capture"}\n' * 100,
    "short-magic": b"\xd4\xc3",
    "header-cut": pcap([])[:20],
    "truncated": pcap(PACKETS)[:-5],
    "truncated-head": pcap(PACKETS[:4])[: 24 + 16 + len(FRAMES[0]) + 9],
    "ng-truncated": pcapng(PACKETS)[:-3],
    "bad-length": bytes(BAD_LENGTH) + bytes(5000),
    "bad-micros": pcap(PACKETS[:1])[:28] + b"\xff" * 4 + pcap(PACKETS[:1])[32:],
    "ng-bad-order": section()[:8] + b"abcd" + section()[12:],
    "ng-trailer": pcapng(PACKETS)[:-4] + b"\1\0\0\0" + bytes(5000),
    "ng-many-interfaces": section() + interface() * 257 + enhanced(PACKETS[0]),
    "ng-no-interface": section() + enhanced(PACKETS[0]) + block(3, bytes(8)),
    "ng-far-times": section()
    + b"".join(interface(resolution=code, offset=-5) for code in (0, 3, 7, 19, 30, 127))
    + b"".join(interface(resolution=0x80 | code) for code in (0, 1, 44, 45, 63, 64, 127))
    + interface(offset=1 << 62)
    + b"".join(
        enhanced(Packet(0, v4(), interface=number), ticks=ticks)
        for number in range(14)
        for ticks in (0, 1, 1_700_000_000, 1 << 44, (1 << 63) + 12345, (1 << 64) - 1)
    ),
}


@pytest.mark.parametrize("size", [1 << 20, 100, 1])
@pytest.mark.parametrize("name", FILES)
def test_as_the_oracle_reads_it(tmp_path: Path, name: str, size: int) -> None:
    check(tmp_path, FILES[name], size)


def test_what_is_told_of_what_cant_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    for name, reason in (
        ("text", "the file is neither pcap nor pcapng: nothing of it can be read"),
        ("truncated", "the capture ends within a packet: 5 bytes more were to come"),
        ("bad-length", "a packet of 2147483647 captured bytes can't be: the rest of the file is"),
        ("ng-trailer", "does not end as it begins: the rest of the file is not readable"),
        ("ng-many-interfaces", "more than 256 interfaces"),
    ):
        path.write_bytes(FILES[name])
        [*_, last] = taken(path)
        decoded = Decoder(spec()).decode(last.records)
        assert reason in decoded.dead.reasons[-1]
        assert last.slice.end == len(FILES[name])


def test_compressed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "x.pcap", tmp_path / "x.pcap.gz"
    plain.write_bytes(TWO_SECTIONS)
    packed.write_bytes(gzip.compress(TWO_SECTIONS))
    rows = [row for chunk in taken(packed) for row in found(chunk.records)]
    assert rows == [row for chunk in taken(plain) for row in found(chunk.records)]


def test_several_files_are_partitions(tmp_path: Path) -> None:
    for name in ("a.pcap", "b.pcap"):
        (tmp_path / name).write_bytes(pcap(PACKETS))
    source = capture_files([str(tmp_path / "*.pcap")])
    source.open({})
    poll = source.poll(1 << 20, {})
    assert [Path(name).name for name in poll.appeared] == ["a.pcap", "b.pcap"]
    assert len(poll.chunks) == 2
    assert source.totals() == (2 * len(pcap(PACKETS)),) * 2
    source.close()


PACKET = st.builds(
    Packet,
    st.integers(0, (1 << 32) * 1_000_000 - 1),
    st.one_of(st.sampled_from(FRAMES), st.binary(max_size=80)),
    st.none() | st.integers(0, 1 << 31),
    st.integers(0, 2),
)
LINKS = st.sampled_from([0, 1, 12, 14, 101, 105, 108, 113, 228, 229, 276, 0xFFFF])
ORDERS = st.sampled_from("<>")


@st.composite
def ng_files(draw: st.DrawFn) -> bytes:
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        order = draw(ORDERS)
        parts.append(section(order))
        kinds = draw(st.lists(st.sampled_from("iieeeosn"), max_size=12))
        for kind in kinds:
            each = draw(PACKET)
            match kind:
                case "i":
                    resolution = draw(st.none() | st.integers(0, 255))
                    offset = draw(st.none() | st.integers(-(1 << 63), (1 << 63) - 1))
                    name = draw(st.none() | st.text(max_size=4))
                    link = draw(LINKS)
                    parts.append(
                        interface(link, order, name=name, resolution=resolution, offset=offset)
                    )
                case "e":
                    ticks = draw(st.integers(0, (1 << 64) - 1))
                    parts.append(enhanced(each, order, ticks=ticks))
                case "o":
                    parts.append(old(each, order))
                case "s":
                    data = struct.pack(order + "I", each.length) + each.data
                    parts.append(block(3, data + bytes(-len(data) % 4), order))
                case _:
                    parts.append(block(draw(st.integers(7, 1 << 31)), bytes(8), order))
    return b"".join(parts)


CAPTURES = st.one_of(
    st.builds(pcap, st.lists(PACKET, max_size=8), link=LINKS, order=ORDERS, nano=st.booleans()),
    ng_files(),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    file = bytearray(draw(CAPTURES))
    for _ in range(draw(st.integers(1, 6))):
        if not file:
            break
        at = draw(st.integers(0, len(file) - 1))
        match draw(st.sampled_from(["byte", "cut", "insert", "word", "repeat"])):
            case "byte":
                file[at] = draw(st.integers(0, 255))
            case "cut":
                del file[at:]
            case "insert":
                file[at:at] = draw(st.binary(max_size=8))
            case "word":
                file[at : at + 4] = draw(st.sampled_from([b"\xff" * 4, bytes(4), b"\0\0\0\1"]))
            case _:
                file += file[at:]
    return bytes(file)


FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@FUZZ
@given(file=CAPTURES, size=st.sampled_from([1 << 20, 64, 7]))
def test_captures(tmp_path: Path, file: bytes, size: int) -> None:
    check(tmp_path, file, size)


@settings(FUZZ, max_examples=400)
@given(file=mutated(), size=st.sampled_from([1 << 20, 64]))
def test_mutated_captures(tmp_path: Path, file: bytes, size: int) -> None:
    check(tmp_path, file, size)


MAGICS = [b"", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", section()[:16], section() + interface()]


@FUZZ
@given(magic=st.sampled_from(MAGICS), rest=st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, magic: bytes, rest: bytes) -> None:
    check(tmp_path, magic + rest)
