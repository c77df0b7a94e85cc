"""Link headers: which protocol a frame carries, and where it begins.

The numbers of link types are those of the LINKTYPE registry that pcap and pcapng share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tailrace.formats.packets.view import Ints, View

NULL, ETHERNET, LOOP, SLL, SLL2 = 0, 1, 108, 113, 276
RAW, RAW_IP, RAW_OPENBSD, IPV4, IPV6 = 101, 12, 14, 228, 229
IP4_TYPE, IP6_TYPE = 0x0800, 0x86DD
VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
MOST_TAGS = 8
UNKNOWN, CUT = -1, -2
"""Types of what is no type: a family that isn't known; a header that ends too early."""

_FAMILIES = {2: IP4_TYPE, 10: IP6_TYPE, 24: IP6_TYPE, 28: IP6_TYPE, 30: IP6_TYPE}
"""AF_INET is 2 everywhere, AF_INET6 isn't."""
_LLC_BELOW = 0x0600
"""A smaller number is a length, and LLC follows."""


@dataclass(frozen=True, slots=True)
class Carried:
    """For each frame the EtherType of what it carries (or UNKNOWN, CUT), and where that begins."""

    type: Ints
    at: Ints


def carried(view: View, link: int) -> Carried | None:
    """Read the link headers of frames of one link type; None if it is none of those known."""
    read = _READERS.get(link)
    return None if read is None else read(view)


def _ethernet(view: View) -> Carried:
    short = view.short(12)
    kind = np.where(view.has(0, 14), short, CUT)
    return _untagged(view, _without_llc(view, Carried(kind, np.full(len(kind), 14))))


def _without_llc(view: View, frames: Carried) -> Carried:
    rows = np.flatnonzero((frames.type >= 0) & (frames.type < _LLC_BELOW))
    if not len(rows):
        return frames
    some = view.rows(rows)
    snap = some.has(14, 8) & (some.word(14) == 0xAAAA0300) & (some.short(18) == 0)
    kind, at = frames.type.copy(), frames.at.copy()
    kind[rows] = np.where(snap, some.short(20), UNKNOWN)
    at[rows] = 22
    return Carried(kind, at)


def _untagged(view: View, frames: Carried) -> Carried:
    """Step over VLAN tags."""
    kind, at = frames.type, frames.at
    for _ in range(MOST_TAGS):
        rows = np.flatnonzero(np.isin(kind, VLAN_TYPES))
        if not len(rows):
            break
        some, places = view.rows(rows), at[rows]
        kind, at = kind.copy(), at.copy()
        kind[rows] = np.where(some.has(places, 4), some.short(places + 2), CUT)
        at[rows] = places + 4
    return Carried(kind, at)


def _cooked(type_at: int, length: int) -> Callable[[View], Carried]:
    def read(view: View) -> Carried:
        kind = np.where(view.has(0, length), view.short(type_at), CUT)
        # Below are Linux's own numbers, such as 1 for 802.3.
        kind = np.where((kind >= 0) & (kind < _LLC_BELOW), UNKNOWN, kind)
        return _untagged(view, Carried(kind, np.full(len(kind), length)))

    return read


def _null(view: View) -> Carried:
    # In the byte order of the machine that captured: a family is a small number either way.
    family = view.word(0)
    low = family & 0xFFFF
    family = np.where(low == 0, view.byte(0), np.where(family >> 16 == 0, low, -1))
    kind = np.full(len(family), UNKNOWN)
    for number, type_ in _FAMILIES.items():
        kind[family == number] = type_
    return Carried(np.where(view.has(0, 4), kind, CUT), np.full(len(kind), 4))


def _raw(view: View) -> Carried:
    version = view.byte(0) >> 4
    kind = np.where(version == 4, IP4_TYPE, np.where(version == 6, IP6_TYPE, UNKNOWN))
    return Carried(np.where(view.has(0, 1), kind, CUT), np.zeros(len(kind), np.int64))


def _only(type_: int) -> Callable[[View], Carried]:
    def read(view: View) -> Carried:
        length = len(view.size)
        return Carried(np.full(length, type_), np.zeros(length, np.int64))

    return read


_READERS: Mapping[int, Callable[[View], Carried]] = {
    NULL: _null,
    LOOP: _null,
    ETHERNET: _ethernet,
    SLL: _cooked(14, 16),
    SLL2: _cooked(0, 20),
    RAW: _raw,
    RAW_IP: _raw,
    RAW_OPENBSD: _raw,
    IPV4: _only(IP4_TYPE),
    IPV6: _only(IP6_TYPE),
}
LINK_TYPES = tuple(_READERS)
