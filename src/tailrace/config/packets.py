"""Packets as a source: of capture files, or live from interfaces; and what a packet has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.kinds import Kind
from tailrace.config.scalars import Filled, Flag, size_at_least
from tailrace.config.several import Paths, Several
from tailrace.config.suggestions import suggestion
from tailrace.config.values import shown

PACKET_FIELDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "time": (("time",), "when the packet was captured"),
    "source": (("text",), "address of the sender, IPv4 or IPv6; null for what isn't IP"),
    "destination": (("text",), "address of the receiver"),
    "source_port": (
        ("integer", "double"),
        "port of the sender; null without one, in later fragments, and where the capture is cut",
    ),
    "destination_port": (("integer", "double"), "port of the receiver, null likewise"),
    "protocol": (
        ("text",),
        "of IP `tcp`, `udp`, `icmp`, ... or a number; else `arp`, ... or an EtherType (`0x88e5`)",
    ),
    "bytes": (
        ("integer", "double"),
        "IP's total length: header and content (IPv6: payload length + 40); null for what isn't IP",
    ),
    "wire_bytes": (("integer", "double"), "length of the frame on the wire"),
    "interface": (("text",), "the interface's name, where the capture knows it"),
}
"""What a packet has: the types in which fields may take it, and what it is."""


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise refusal(f"{shown(text)} is not an IP address", "for example 192.0.2.7") from None


IpAddress = Annotated[Filled, AfterValidator(_address), Kind("IP address")]


class PcapSource(Model):
    """Packets of capture files, pcap or pcapng: of tcpdump, Wireshark, `tailrace capture`.

    Each path is a partition, read once to its end; `.gz` and `.zst` too. A packet's time is its
    event time: `time: {field: time}`.
    """

    kind: ClassVar[str] = "pcap"

    path: Paths = Field(
        description="A file, or a list of them; `*`, `?`, `[...]` and `**` match as in a shell.",
        examples=["traffic.pcap", "captures/*.pcapng"],
    )

    elsewhere: ClassVar[Mapping[str, str]] = {
        "follow": "a capture file is read once it is complete; live packets: source: {capture: {}}",
        "interfaces": "live packets: source: {capture: {interfaces: [eth0]}}",
    }

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths and patterns, one or more."""
        return (self.path,) if isinstance(self.path, str) else self.path


class CaptureSource(Model):
    """Packets live from interfaces of this machine (Linux; needs the capability CAP_NET_RAW).

    Packets can't be read again: events are processed at most once. What the kernel had to drop is
    counted. On the loopback interface, where each packet passes twice, it is taken once.
    """

    kind: ClassVar[str] = "capture"

    interfaces: Several = Field(
        default=("all",),
        description="Names of interfaces, or `all`, those that come later too.",
        examples=[["eth0", "lo"]],
    )
    source: IpAddress | None = Field(
        default=None, description="Only packets from this address.", examples=["192.0.2.7"]
    )
    destination: IpAddress | None = Field(default=None, description="Only packets to this address.")
    either: IpAddress | None = Field(
        default=None, description="Only packets from or to this address."
    )
    promiscuous: Flag = Field(
        default=False,
        description="Whether named interfaces also take packets that are for other machines.",
    )
    snaplen_bytes: Annotated[int, *size_at_least(64)] = Field(
        default=128, description="So much of each packet is captured; headers are what is needed."
    )
    buffer_bytes: Annotated[int, *size_at_least(1 << 20)] = Field(
        default=64 << 20,
        description="Room for packets that wait to be read, shared with the kernel.",
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Addresses that no packet can have."""
        if given.get("either") is not None and given.get("source") and given.get("destination"):
            message = "'either' beside both 'source' and 'destination' means no more than these"
            yield Complaint(("either",), message, "remove it", at_key=True)


PacketSource = PcapSource | CaptureSource


def packet_complaints(given: Given) -> Iterator[Complaint]:
    """Yield fields that packets don't have, or not in that type; and what goes with lines only."""
    form = given.get("format")
    if form not in (None, "json") and getattr(form, "kind", None) != "json":
        yield Complaint(("format",), "packets have no format", "remove 'format'", at_key=True)
    time = _options(given.get("time"))
    if time.get("field") not in (None, "time"):
        message = f"a packet has no time {shown(str(time['field']))}"
        yield Complaint(("time", "field"), message, "write field: time")
    if time.get("arrival") is not None:
        message = "a packet's time is its arrival in any case"
        yield Complaint(("time", "arrival"), message, "remove 'arrival'", at_key=True)
    fields = given.get("fields")
    for name, field in fields.items() if isinstance(fields, Mapping) else ():
        yield from _field(str(name), field)


def _field(name: str, field: object) -> Iterator[Complaint]:
    options = _options(field)
    from_ = options.get("from", options.get("from_"))
    key = name if from_ is None else from_
    type_ = field if isinstance(field, str) else options.get("type")
    known = PACKET_FIELDS.get(key) if isinstance(key, str) else None
    if known is None:
        hint = suggestion(str(key), tuple(PACKET_FIELDS), "parts of a packet")
        path = ("fields", name) if from_ is None else ("fields", name, "from")
        yield Complaint(path, f"a packet has no {shown(str(key))}", hint, at_key=from_ is None)
    elif type_ in ("text", "integer", "double", "boolean", "time") and type_ not in known[0]:
        path = ("fields", name) if isinstance(field, str) else ("fields", name, "type")
        yield Complaint(path, f"{key} is {' or '.join(known[0])}, not {type_}")


def _options(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
