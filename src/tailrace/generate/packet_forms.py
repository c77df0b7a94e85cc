"""Forms of generated packets: capture file, JSON lines, key and value of a topic."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np

from tailrace.generate.draws import Codes
from tailrace.generate.frames import PCAP_HEADER, frames
from tailrace.generate.options import SECOND_US
from tailrace.generate.rows import THREE_DIGITS, LineBuffer, Part, Texts, by_second, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_HOST = int(IPv4Address("10.0.0.1"))
FIRST_OTHER = int(IPv4Address("198.18.0.1"))
FIRST_HOST_V6 = int(IPv6Address("2001:db8::1"))
FIRST_OTHER_V6 = int(IPv6Address("2001:db8:ffff::1"))

_ESCAPED = np.array([f"\\0x{octet:02x}".encode() for octet in range(256)])
_NAMES = {6: "tcp", 17: "udp", 1: "icmp"}


@dataclass(frozen=True, slots=True)
class Packets:
    """Columns, one row a packet: `host` and `other` are numbers of the two ends.

    `length` is IP's total length: of IPv6, the payload's and 40.
    """

    time_us: NDArray[np.int64]
    host: Codes
    other: Codes
    outgoing: NDArray[np.bool_]
    ipv6: NDArray[np.bool_]
    protocol: Codes
    host_port: Codes
    other_port: Codes
    length: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Packets:
        """These rows, in this order."""
        return Packets(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    def ends(self) -> tuple[Codes, Codes]:
        """Ports of source and destination."""
        there = np.where(self.outgoing, self.other_port, self.host_port)
        return np.where(self.outgoing, self.host_port, self.other_port), there


class Form(Protocol):
    """What bytes packets become."""

    head: bytes
    ipv6: ClassVar[bool]

    def __init__(self, hosts: int, others: int) -> None:
        """Prepare for so many addresses."""

    def write(self, packets: Packets) -> bytes:
        """The packets' bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Addresses:
    """The octets of all addresses; hosts, then others; those of IPv4 and those of IPv6."""

    v4: NDArray[np.uint8]
    v6: NDArray[np.uint8]
    hosts: int

    @classmethod
    def of(cls, hosts: int, others: int) -> Self:
        """So many of each."""
        v4 = [*range(FIRST_HOST, FIRST_HOST + hosts), *range(FIRST_OTHER, FIRST_OTHER + others)]
        v6 = [FIRST_HOST_V6 + number for number in range(hosts)]
        v6 += [FIRST_OTHER_V6 + number for number in range(others)]
        packed = b"".join(number.to_bytes(16, "big") for number in v6)
        return cls(
            np.array(v4, ">u4").view(np.uint8).reshape(-1, 4),
            np.frombuffer(packed, np.uint8).reshape(-1, 16),
            hosts,
        )

    def ends(self, packets: Packets) -> tuple[Codes, Codes]:
        """Numbers of the source's and the destination's addresses."""
        other = packets.other + self.hosts
        out = packets.outgoing
        return np.where(out, packets.host, other), np.where(out, other, packets.host)

    def texts(self) -> Texts:
        """Their texts: those of IPv4, then those of IPv6."""
        v4 = [IPv4Address(octets.tobytes()) for octets in self.v4]
        return texts([*v4, *(IPv6Address(octets.tobytes()) for octets in self.v6)])


class PcapForm:
    """A capture file of Ethernet frames, cut after their headers."""

    head = PCAP_HEADER
    ipv6: ClassVar[bool] = True

    def __init__(self, hosts: int, others: int) -> None:
        self._addresses = Addresses.of(hosts, others)

    def write(self, packets: Packets) -> bytes:
        """Records of the file."""
        source, destination = self._addresses.ends(packets)
        ports = packets.ends()
        v4, v6 = self._addresses.v4, self._addresses.v6
        return frames(packets, (v4[source], v4[destination]), (v6[source], v6[destination]), ports)


class JsonForm:
    """JSON lines of packets."""

    head = b""
    ipv6: ClassVar[bool] = True

    def __init__(self, hosts: int, others: int) -> None:
        self._addresses = Addresses.of(hosts, others)
        self._texts = self._addresses.texts()
        width = self._texts.itemsize
        template: tuple[Part, ...] = (
            b'{"time": "',
            ("seconds", 12),
            b".",
            ("millis", 3),
            ("micros", 3),
            b'", "source": "',
            ("source", width),
            b'", "destination": "',
            ("destination", width),
            b'", "source_port": ',
            ("source_port", 5),
            b', "destination_port": ',
            ("destination_port", 5),
            b', "protocol": "',
            ("protocol", 6),
            b'", "bytes": ',
            ("bytes", 5),
            b"}\n",
        )
        self._template = template
        self._protocols = texts(_NAMES.get(number, "") for number in range(256))
        self._numbers = texts(range(1 << 16))

    def write(self, packets: Packets) -> bytes:
        """Lines."""
        rows = len(packets.time_us)
        buffer = LineBuffer(self._template, rows)
        records = buffer.records
        v6 = packets.ipv6 * len(self._addresses.v4)
        icmp = packets.protocol == 1
        micros = packets.time_us % SECOND_US
        records["seconds"] = by_second(packets.time_us, lambda seconds: seconds.astype("S12"))
        records["millis"] = THREE_DIGITS[micros // 1000]
        records["micros"] = THREE_DIGITS[micros % 1000]
        numbers = zip(("source", "destination"), self._addresses.ends(packets), strict=True)
        for name, number in numbers:
            records[name] = self._texts[number + v6]
        ports = zip(("source_port", "destination_port"), packets.ends(), strict=True)
        for name, port in ports:
            records[name] = np.where(icmp, b"null", self._numbers[port])
        names = self._protocols[packets.protocol]
        records["protocol"] = np.where(icmp & packets.ipv6, b"icmpv6", names)
        records["bytes"] = self._numbers[packets.length]
        return buffer.lines(rows)


class TopicForm:
    r"""Lines of key, value and time (ms) with tabs between: ``\0x0a\0x00...``, bytes, ms."""

    head = b""
    ipv6: ClassVar[bool] = False

    def __init__(self, hosts: int, others: int) -> None:
        self._addresses = Addresses.of(hosts, others)
        octets = self._addresses.v4
        self._keys = _ESCAPED[octets].view(f"S{_ESCAPED.itemsize * 4}").ravel()
        width = self._keys.itemsize
        self._template: tuple[Part, ...] = (
            ("source", width),
            ("destination", width),
            b"\t",
            ("bytes", 5),
            b"\t",
            ("millis", 15),
            b"\n",
        )

    def write(self, packets: Packets) -> bytes:
        """Lines."""
        rows = len(packets.time_us)
        buffer = LineBuffer(self._template, rows)
        source, destination = self._addresses.ends(packets)
        buffer.records["source"] = self._keys[source]
        buffer.records["destination"] = self._keys[destination]
        buffer.records["bytes"] = packets.length.astype("S5")
        buffer.records["millis"] = (packets.time_us // 1000).astype("S15")
        return buffer.lines(rows)


FORMS: dict[str, type[Form]] = {"pcap": PcapForm, "json": JsonForm, "topic": TopicForm}
