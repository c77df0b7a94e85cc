"""What headers of packets say, one packet a case."""

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.sources.captures.writing import MACS, ethernet, ports, v4, v6

from tailrace.formats.decoder import Decoder
from tailrace.formats.packets.decoder import FIELDS
from tailrace.formats.packets.record import HEAD, PACKETS, Breach, broken
from tailrace.formats.records import Decoded, Records
from tailrace.formats.spec import DecodeSpec, FieldSpec, JsonFormat, TimeSpec

TIME_US = 1_700_000_000_123_456


def spec(**options: Any) -> DecodeSpec:
    fields = tuple(
        FieldSpec(name=name, type=type_, path=(name,), **options.get(name, {}))
        for name, type_ in FIELDS.items()
    )
    return DecodeSpec(JsonFormat(), fields, TimeSpec(name="time", path=("time",)))


def record(data: bytes, link: int = 1, time: int = TIME_US, wire: int | None = None) -> bytes:
    head = np.zeros(1, HEAD)
    head["time"], head["link"] = time, link
    head["wire"] = len(data) if wire is None else wire
    return head.tobytes() + data


def decode(*packets: bytes, **options: Any) -> Decoded:
    offsets = np.cumsum([0, *map(len, packets)]).astype(np.int32)
    positions = np.arange(len(packets), dtype=np.int64)
    records = Records(pa.py_buffer(b"".join(packets)), offsets, positions, header=PACKETS)
    return Decoder(spec(**options)).decode(records)


TCP = ports(1234, 443, 16)
V4 = v4(payload=TCP)
V6 = v6(payload=TCP)
END4 = {"source": "192.0.2.1", "destination": "198.51.100.2", "bytes": 40, "protocol": "tcp"}
END6 = {"source": "2001:db8::1", "destination": "2001:db8::2", "bytes": 60, "protocol": "tcp"}
PORTS = {"source_port": 1234, "destination_port": 443}
NO_PORTS = {"source_port": None, "destination_port": None}
NOT_IP = {"source": None, "destination": None, "bytes": None, **NO_PORTS}
SLL = struct.pack(">HHH8sH", 0, 1, 6, b"", 0x0800)
SLL2 = struct.pack(">HHIHBB8s", 0x86DD, 0, 3, 1, 0, 6, b"")
HOP = bytes([0]) + bytes(6)
AUTHENTICATION = bytes([1]) + bytes(10)


@pytest.mark.parametrize(
    ("link", "data", "expected"),
    [
        pytest.param(1, ethernet(V4), {**END4, **PORTS}, id="Ethernet, IPv4"),
        pytest.param(1, ethernet(V6, 0x86DD), {**END6, **PORTS}, id="Ethernet, IPv6"),
        pytest.param(1, ethernet(V4, tags=[0x8100]), {**END4, **PORTS}, id="a VLAN tag"),
        pytest.param(1, ethernet(V4, tags=[0x88A8, 0x8100]), {**END4, **PORTS}, id="two tags"),
        pytest.param(1, ethernet(b"", 0x0806), {"protocol": "arp", **NOT_IP}, id="ARP"),
        pytest.param(1, ethernet(b"", 0x88E5), {"protocol": "0x88e5", **NOT_IP}, id="a number"),
        pytest.param(1, ethernet(bytes(40), 38), {"protocol": "unknown", **NOT_IP}, id="802.3"),
        pytest.param(
            1,
            MACS + struct.pack(">H6sH", 48, b"\xaa\xaa\x03\0\0\0", 0x0800) + V4,
            {**END4, **PORTS},
            id="LLC and SNAP",
        ),
        pytest.param(101, V4, {**END4, **PORTS}, id="raw IPv4"),
        pytest.param(101, V6, {**END6, **PORTS}, id="raw IPv6"),
        pytest.param(12, V4, {**END4, **PORTS}, id="raw, an old number"),
        pytest.param(228, V4, {**END4, **PORTS}, id="IPv4 only"),
        pytest.param(229, V6, {**END6, **PORTS}, id="IPv6 only"),
        pytest.param(101, b"\x30abc", {"protocol": "unknown", **NOT_IP}, id="raw, neither"),
        pytest.param(0, b"\2\0\0\0" + V4, {**END4, **PORTS}, id="null, little-endian"),
        pytest.param(0, b"\0\0\0\2" + V4, {**END4, **PORTS}, id="null, big-endian"),
        pytest.param(0, b"\x1e\0\0\0" + V6, {**END6, **PORTS}, id="null, IPv6 of macOS"),
        pytest.param(108, b"\0\0\0\x18" + V6, {**END6, **PORTS}, id="loop, IPv6 of OpenBSD"),
        pytest.param(0, b"\7\0\0\0" + V4, {"protocol": "unknown", **NOT_IP}, id="null, other"),
        pytest.param(113, SLL + V4, {**END4, **PORTS}, id="Linux cooked"),
        pytest.param(276, SLL2 + V6, {**END6, **PORTS}, id="Linux cooked 2"),
        pytest.param(101, v4(protocol=17, payload=ports(53, 9)), {"protocol": "udp"}, id="UDP"),
        pytest.param(101, v4(protocol=1, payload=TCP), {"protocol": "icmp", **NO_PORTS}, id="ICMP"),
        pytest.param(101, v6(protocol=58), {"protocol": "icmpv6", **NO_PORTS}, id="ICMPv6"),
        pytest.param(101, v4(protocol=253), {"protocol": "253", **NO_PORTS}, id="no name"),
        pytest.param(101, v4(options=bytes(8), payload=TCP), {"bytes": 48, **PORTS}, id="options"),
        pytest.param(101, v4(fragment=0x2000, payload=TCP), PORTS, id="first fragment"),
        pytest.param(101, v4(fragment=5, payload=TCP), NO_PORTS, id="later fragment"),
        pytest.param(101, V4[:23], {**END4, **NO_PORTS}, id="cut in the ports"),
        pytest.param(101, V4[:24], {**END4, **PORTS}, id="cut after the ports"),
        pytest.param(
            101,
            v4(options=bytes(40), payload=TCP)[:30],
            {"bytes": 80, **NO_PORTS},
            id="cut options",
        ),
        pytest.param(101, v4(total=0, payload=TCP), {"bytes": 40}, id="no length: the wire's"),
        pytest.param(101, v6(length=0, payload=TCP), {"bytes": 60}, id="IPv6 without a length"),
        pytest.param(
            101,
            v6(payload=TCP, extensions=[(0, HOP), (60, HOP), (51, AUTHENTICATION)]),
            {"protocol": "tcp", "bytes": 88, **PORTS},
            id="extension headers",
        ),
        pytest.param(
            101,
            v6(payload=TCP, extensions=[(44, b"\0\0\1" + bytes(4))]),
            {"protocol": "tcp", **PORTS},
            id="IPv6, first fragment",
        ),
        pytest.param(
            101,
            v6(payload=TCP, extensions=[(44, b"\0\0\x08" + bytes(4))]),
            {"protocol": "tcp", **NO_PORTS},
            id="IPv6, later fragment",
        ),
        pytest.param(
            101,
            v6(payload=TCP, extensions=[(44, b"\0\0\x08" + bytes(4)), (0, HOP)]),
            {"protocol": "0", **NO_PORTS},
            id="IPv6, what a later fragment begins with is data",
        ),
        pytest.param(
            101, v6(extensions=[(0, HOP)])[:44], {"protocol": None, **NO_PORTS}, id="cut extension"
        ),
        pytest.param(101, v6(protocol=59), {"protocol": "none", **NO_PORTS}, id="no next header"),
        pytest.param(101, v6(protocol=50, payload=TCP), {"protocol": "esp", **NO_PORTS}, id="ESP"),
    ],
)
def test_fields(link: int, data: bytes, expected: dict[str, Any]) -> None:
    decoded = decode(record(data, link))
    assert decoded.dead.reasons == ()
    [event] = decoded.events.to_pylist()
    assert {name: event[name] for name in expected} == expected
    assert event["wire_bytes"] == len(data)
    assert decoded.time.tolist() == [TIME_US]
    # Among others, in any order, it is the same.
    other = record(ethernet(V6, 0x86DD)), record(ethernet(b"", 0x0806)), record(V4, 228)
    mixed = decode(other[0], record(data, link), *other[1:])
    assert mixed.events.to_pylist()[1] == event


@pytest.mark.parametrize(
    ("link", "data", "reason"),
    [
        (1, b"", "within the link header"),
        (1, MACS + b"\x08", "within the link header"),
        (1, ethernet(b"\0", 0x8100), "within the link header"),
        (113, SLL[:15], "within the link header"),
        (276, SLL2[:19], "within the link header"),
        (0, b"\2\0\0", "within the link header"),
        (101, b"", "within the link header"),
        (1, ethernet(V4[:19]), "within the IP header"),
        (1, ethernet(V6[:39], 0x86DD), "within the IP header"),
        (1, ethernet(V6), "not that of the frame"),
        (1, ethernet(V4 + bytes(20), 0x86DD), "not that of the frame"),
        (101, b"\x44" + V4[1:], "shorter than its least"),
        (101, v4(total=19), "shorter than its header"),
        (101, v6(extensions=[(0, HOP)] * 17), "more than 16 extension headers"),
    ],
)
def test_malformed(link: int, data: bytes, reason: str) -> None:
    decoded = decode(record(V4, 101), record(data, link))
    assert decoded.events.num_rows == 1
    assert decoded.dead.rows == (1,)
    assert decoded.dead.codes == ("malformed_packet",)
    assert reason in decoded.dead.reasons[0]


@pytest.mark.parametrize(
    ("packet", "code", "reason"),
    [
        (record(V4, 105), "unknown_link", "packets of link type 105 aren't read"),
        (record(V4, 101, time=-(1 << 63)), "bad_time", "the packet has no time"),
        (record(V4, 101, time=1 << 60), "bad_time", "outside the years"),
        (broken(Breach.ENDS, 7, b"abc"), "broken_capture", "7 bytes more were to come"),
        (broken(Breach.NO_CAPTURE, 0, b"abc"), "broken_capture", "neither pcap nor pcapng"),
        (record(b"", 0xFFFF), "broken_capture", "no packet"),
        (b"abc", "malformed_packet", "the record is no packet"),
        (b"", "malformed_packet", "the record is no packet"),
    ],
)
def test_no_packets(packet: bytes, code: str, reason: str) -> None:
    decoded = decode(packet)
    assert decoded.dead.codes == (code,)
    assert reason in decoded.dead.reasons[0]
    assert decoded.events.num_rows == 0


def test_what_fields_ask_for() -> None:
    arp = record(ethernet(b"", 0x0806))
    small = record(V4, 101)
    large = record(v4(total=1500), 101)
    decoded = decode(arp, small, large, source={"required": True}, bytes={"maximum": 100})
    assert decoded.dead.codes == ("missing_value", "out_of_range")
    assert decoded.dead.fields == ("source", "bytes")
    assert decoded.rows.tolist() == [1]


def test_nothing() -> None:
    assert decode().events.num_rows == 0
