"""Many walkers over a pcap file find the packets that one finds, wherever they were set down."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from tailrace.formats.packets.record import MOST_CAPTURED
from tailrace.sources.captures import walking
from tailrace.sources.captures.pcap import Pcap


def packet(content: bytes, at: int = 1_700_000_000, order: str = "<", wire: int = 0) -> bytes:
    head = struct.pack(order + "IIII", at, 17, len(content), max(wire, len(content)))
    return head + content


def small(rng: random.Random) -> bytes:
    return packet(rng.randbytes(rng.choice([0, 1, 26, 38])))


def large(rng: random.Random) -> bytes:
    return packet(rng.randbytes(rng.randrange(3000)))


def captures(rng: random.Random) -> bytes:
    """Packets that carry what looks like packets, shifted."""
    inner = b"".join(small(rng) for _ in range(rng.randrange(12)))
    return packet(rng.randbytes(rng.randrange(3)) + inner + rng.randbytes(rng.randrange(3)))


def zeros(rng: random.Random) -> bytes:
    """Nothing but zeros looks like empty packets of 1970."""
    return packet(bytes(rng.randrange(300)), at=0)


def mixed(rng: random.Random) -> bytes:
    return rng.choice([small, large, captures, zeros])(rng)


def one_by_one(data: bytes, order: str = "<") -> tuple[list[int], int]:
    """The places of whole packets, and where they end."""
    places, at = [], 0
    while at + 16 <= len(data):
        captured = struct.unpack_from(order + "I", data, at + 8)[0]
        if captured > MOST_CAPTURED or at + 16 + captured > len(data):
            break
        places.append(at)
        at += 16 + captured
    return places, at


@pytest.mark.parametrize("kind", [small, large, captures, zeros, mixed])
@pytest.mark.parametrize("end", ["whole", "cut", "broken"])
def test_all_that_one_finds(
    monkeypatch: pytest.MonkeyPatch, kind: Callable[[random.Random], bytes], end: str
) -> None:
    monkeypatch.setattr(walking, "LEAST_BYTES", 2000)
    rng = random.Random(f"{kind.__name__} {end}")
    walked = 0
    for _ in range(40):
        monkeypatch.setattr(walking, "APART", rng.choice([64, 200, 1000]))
        monkeypatch.setattr(walking, "WINDOW", rng.choice([16, 60, 512]))
        data = b"".join(kind(rng) for _ in range(rng.randrange(1, 200)))
        if end == "cut":
            data = data[: rng.randrange(len(data))]
        elif end == "broken":
            at = rng.randrange(len(data))
            data = data[:at] + b"\xff" * 16 + data[at:]
        places, last = one_by_one(data)
        found, stopped = walking.packets_in(data, 0, "<", 1)
        assert found.tolist() == places[: len(found)]
        assert stopped == (places[len(found)] if len(found) < len(places) else last)
        whole = Pcap("<", 1, 1).frame(data)
        assert whole.places.tolist() == places
        assert whole.used == last
        assert (whole.broken is not None) == (
            last + 16 <= len(data) and struct.unpack_from("<I", data, last + 8)[0] > MOST_CAPTURED
        )
        walked += len(found)
    assert walked > 100


@pytest.mark.parametrize("order", "<>")
def test_a_large_file_is_walked_side_by_side(order: str) -> None:
    rng = random.Random(order)
    data = b"x" * 24 + b"".join(
        packet(rng.randbytes(rng.choice([26, 38])), 1_700_000_000 + n // 100, order, 1500)
        for n in range(20_000)
    )
    guesses = walking._Walkers(data, order).guess(24, 256, 1)
    places, last = one_by_one(data[24:], order)
    wanted = {24 + place for place in places}
    assert len(wanted.intersection(guesses.tolist())) > 200
    found, stopped = walking.packets_in(data, 24, order, 1)
    assert set(found.tolist()) == wanted
    assert stopped == 24 + last == len(data)
