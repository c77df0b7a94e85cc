"""Blocks of the ring, laid out by hand as the kernel's documentation describes them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.formats.packets.test_headers import spec
from tests.unit.sources.captures.writing import ethernet, ports, v4, v6

from tailrace.formats.decoder import Decoder
from tailrace.sources.live.blocks import BLOCK, PACKET
from tailrace.sources.live.source import records_of

NAMES = {1: "lo", 2: "eth0", 3: "tun0"}
HEADER = 48


@dataclass(frozen=True)
class Seen:
    """A packet as the kernel sees it."""

    data: bytes
    link_bytes: int = 14
    seconds: int = 1_700_000_000
    nanos: int = 123_456_789
    wire: int | None = None
    protocol: int = 0x0800
    interface: int = 2
    hardware: int = 1
    room: int = 82
    """Where the link header begins, after the packet's own."""


def packet(seen: Seen, *, last: bool) -> bytes:
    size = seen.room + len(seen.data)
    size += -size % 8
    head = struct.pack(
        "=IIIIIIHHIIHH8x",
        0 if last else size,
        seen.seconds,
        seen.nanos,
        len(seen.data),
        len(seen.data) if seen.wire is None else seen.wire,
        1,
        seen.room,
        seen.room + seen.link_bytes,
        0,
        0,
        0,
        0,
    )
    address = struct.pack("=H", 17) + struct.pack(">H", seen.protocol)
    address += struct.pack("=iHBB8s", seen.interface, seen.hardware, 0, 6, b"\1" * 8)
    assert len(head) == HEADER
    assert len(head + address) == PACKET.itemsize
    return ((head + address).ljust(seen.room, b"\xee") + seen.data).ljust(size, b"\0")


def block(*packets: Seen, private: int = 0) -> bytes:
    content = b"".join(packet(seen, last=seen is packets[-1]) for seen in packets)
    first = BLOCK.size + private
    head = BLOCK.pack(1, 48, 1, len(packets), first, first + len(content), 7, 0, 0, 0, 0)
    return head + bytes(private) + content


FRAME = ethernet(v4(payload=ports(1, 2, 16)))


def rows(data: bytes, start: int = 0) -> list[dict[str, object]]:
    records = records_of(data, NAMES.get, start)
    decoded = Decoder(spec()).decode(records)
    assert decoded.events.num_rows + len(decoded.dead.rows) == len(records)
    assert records.positions.tolist() == list(range(start, start + len(records)))
    return [
        {**row, "time": time}
        for row, time in zip(decoded.events.to_pylist(), decoded.time.tolist(), strict=True)
    ]


@pytest.mark.parametrize("private", [0, 16])
def test_packets_of_a_block(private: int) -> None:
    found = rows(
        block(
            Seen(FRAME, wire=1514),
            Seen(ethernet(v6(payload=ports(3, 4, 16)), 0x86DD), interface=1, hardware=772, nanos=0),
            Seen(b"", room=90),
            Seen(FRAME, interface=9),
            private=private,
        ),
        start=40,
    )
    assert [row["interface"] for row in found] == ["eth0", "lo", None]
    assert [row["time"] for row in found] == [
        1_700_000_000_123_456,
        1_700_000_000_000_000,
        1_700_000_000_123_456,
    ]
    assert [row["wire_bytes"] for row in found] == [1514, 74, 54]
    assert [row["source_port"] for row in found] == [1, 3, 1]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Seen(v4(), 0, hardware=65534), "192.0.2.1"),
        (Seen(v6(), 0, hardware=65534, protocol=0x86DD), "2001:db8::1"),
        (Seen(bytes(30) + v4(), 30, hardware=803), "192.0.2.1"),
    ],
)
def test_links_other_than_ethernet(seen: Seen, expected: str) -> None:
    [row] = rows(block(seen))
    assert row["source"] == expected
    assert row["wire_bytes"] == len(seen.data) - seen.link_bytes


def test_what_no_link_type_describes_is_a_dead_letter() -> None:
    seen = Seen(b"abcdef", 0, hardware=803, protocol=0x0019)
    decoded = Decoder(spec()).decode(records_of(block(seen), NAMES.get, 0))
    assert decoded.dead.codes == ("unknown_link",)


def test_an_empty_block() -> None:
    assert rows(block()) == []


@given(data=st.binary(max_size=400), at=st.integers(0, 300), other=st.integers(0, 1 << 32))
def test_no_block_breaks_it(data: bytes, at: int, other: int) -> None:
    rows(data.ljust(BLOCK.size, b"\0"))
    whole = bytearray(block(Seen(FRAME), Seen(FRAME)))
    struct.pack_into("=I", whole, at % (len(whole) - 4), other % (1 << 32))
    rows(bytes(whole))
