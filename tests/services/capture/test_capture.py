"""Packets of the loopback interface, captured by the kernel: needs the right to do that."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.formats.packets.test_headers import spec

from tailrace.config import CaptureSource
from tailrace.errors import GoneError, SourceError
from tailrace.formats.decoder import Decoder
from tailrace.sources.live.source import CapturedPackets
from tailrace.sources.types import Note

pytestmark = [pytest.mark.services, pytest.mark.rights]
PORT = 40_731
Event = dict[str, Any]


def source(**options: Any) -> CapturedPackets:
    given = {"interfaces": ("lo",), **options}
    found = CapturedPackets(CaptureSource(**given), captures=True)
    try:
        found.open({})
    except SourceError as error:
        if "may not capture" in str(error):
            pytest.skip(str(error))
        raise
    return found


def send(to: str, number: int = 1, *, size: int = 100, sender: str | None = None) -> None:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as out,
        socket.socket(family, socket.SOCK_DGRAM) as to_,
    ):
        to_.bind((to, PORT))
        if sender is not None:
            out.bind((sender, 0))
        for _ in range(number):
            out.sendto(bytes(size), (to, PORT))


def taken(found: CapturedPackets, number: int) -> tuple[list[Event], list[Note]]:
    """Packets to the test's port, until there are so many and then nothing for a while."""
    decoder = Decoder(spec())
    events: list[Event] = []
    notes: list[Note] = []
    quiet = 0
    deadline = time.monotonic() + 120
    while quiet < 4 and time.monotonic() < deadline:
        found.wait(0.1)
        poll = found.poll(1 << 20, {})
        before = len(events)
        for chunk in poll.chunks:
            rows = decoder.decode(chunk.records).events.to_pylist()
            events += [row for row in rows if row["destination_port"] == PORT]
        notes += poll.notes
        quiet = quiet + 1 if before == len(events) >= number else 0
    return events, notes


@pytest.fixture
def closing() -> Iterator[list[CapturedPackets]]:
    opened: list[CapturedPackets] = []
    yield opened
    for each in opened:
        each.close()


def test_each_packet_once(closing: list[CapturedPackets]) -> None:
    found = source()
    closing.append(found)
    before = time.time()
    send("127.0.0.1", 500, size=200)
    send("::1", 10)
    events, notes = taken(found, 510)
    assert len(events) == 510
    assert notes == []
    four, six = events[0], events[-1]
    assert (four["source"], four["destination"]) == ("127.0.0.1", "127.0.0.1")
    assert (four["bytes"], four["wire_bytes"], four["protocol"]) == (228, 242, "udp")
    assert four["interface"] == "lo"
    assert abs(four["time"].timestamp() - before) < 5
    assert (six["source"], six["bytes"]) == ("::1", 148)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"destination": "127.0.0.1"}, [("127.0.0.2", "127.0.0.1")]),
        ({"source": "127.0.0.3"}, [("127.0.0.3", "127.0.0.2")]),
        (
            {"either": "127.0.0.2"},
            [("127.0.0.2", "127.0.0.1"), ("127.0.0.3", "127.0.0.2")],
        ),
        ({"source": "127.0.0.2", "destination": "127.0.0.1"}, [("127.0.0.2", "127.0.0.1")]),
        ({"source": "127.0.0.1", "destination": "127.0.0.1"}, []),
        ({"destination": "::1"}, [("::1", "::1")]),
        ({"source": "::2"}, []),
        (
            {"interfaces": ("all",)},
            [("127.0.0.2", "127.0.0.1"), ("127.0.0.3", "127.0.0.2"), ("::1", "::1")],
        ),
    ],
)
def test_filters(
    closing: list[CapturedPackets], options: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = source(**options)
    closing.append(found)
    send("127.0.0.1", sender="127.0.0.2")
    send("127.0.0.2", sender="127.0.0.3")
    send("::1")
    events, _ = taken(found, len(expected))
    assert [(event["source"], event["destination"]) for event in events] == expected


def test_several_interfaces_by_name(closing: list[CapturedPackets]) -> None:
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    if not others:
        pytest.skip("this machine has one interface")
    alone, both = source(interfaces=(others[0],)), source(interfaces=(others[0], "lo"))
    closing += [alone, both]
    send("127.0.0.1", 3)
    assert len(taken(both, 3)[0]) == 3
    assert taken(alone, 0)[0] == []


def test_headers_are_enough(closing: list[CapturedPackets]) -> None:
    found = source(snaplen_bytes=64)
    closing.append(found)
    send("127.0.0.1", size=9000)
    [event], _ = taken(found, 1)
    assert event["bytes"] == 9028


def test_what_the_kernel_drops_is_counted(closing: list[CapturedPackets]) -> None:
    found = source(buffer_bytes=2 << 20, snaplen_bytes=4096)
    closing.append(found)
    found.poll(1, {})
    send("127.0.0.1", 4000, size=2000)
    time.sleep(1.1)
    events, notes = taken(found, 1)
    [note] = notes
    assert note.code == "packets_dropped"
    assert note.count >= 4000 - len(events) > 0


def test_they_cant_be_captured_again(closing: list[CapturedPackets]) -> None:
    found = source()
    closing.append(found)
    send("127.0.0.1", 2)
    found.wait(1)
    [chunk, *_] = found.poll(1 << 20, {}).chunks
    with pytest.raises(GoneError, match="can't be captured again"):
        found.reread(chunk.slice)
    later = CapturedPackets(CaptureSource(interfaces=("lo",)), captures=False)
    later.open({chunk.slice.partition: chunk.slice.resume})
    poll = later.poll(1, {})
    assert (poll.appeared, poll.ended) == (("capture",), ("capture",))


def test_an_interface_that_there_is_not() -> None:
    with pytest.raises(SourceError, match="there is no interface 'lo0'") as error:
        source(interfaces=("lo0",))
    assert "did you mean" in error.value.render()
