"""IPv4 and IPv6 headers of many packets: lengths, addresses, protocol, and where that begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.packets.view import Ints, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

V4_BYTES, V6_BYTES = 20, 40
MOST_EXTENSIONS = 16
FRAGMENT, AUTHENTICATION = 44, 51
EXTENSIONS = (0, 43, 60, 135, 139, 140)
"""Headers that say their length in units of eight bytes after the first eight."""
NOT_KNOWN = -1


@dataclass(frozen=True, slots=True)
class Headers:
    """What IP headers say, one row a packet.

    ``fault``: the number of a text in FAULTS, 0 where there is none. ``length``: total bytes.
    ``protocol``: of what IP carries, NOT_KNOWN where the capture ends before. ``at``: where that
    begins, NOT_KNOWN where its header isn't in this packet or wasn't captured.
    """

    fault: Ints
    length: Ints
    protocol: Ints
    at: Ints


FAULTS = (
    "",
    "the capture ends within the IP header",
    "the IP version is not that of the frame",
    "the IP header is shorter than its least",
    "the IP packet is shorter than its header",
    f"more than {MOST_EXTENSIONS} extension headers",
)
_CUT, _VERSION, _HEADER, _SHORT, _CHAIN = range(1, 6)


def version4(view: View, at: Ints, wire: Ints) -> Headers:
    """IPv4 headers; ``wire`` is each packet's length on the wire."""
    first = view.byte(at)
    header = (first & 0xF) * 4
    length = view.short(at + 2)
    # Cards that cut large packets themselves are given them without a length.
    length = np.where(length == 0, np.maximum(wire - at, 0), length)
    checks = (
        (_CUT, ~view.has(at, V4_BYTES)),
        (_VERSION, first >> 4 != 4),
        (_HEADER, header < V4_BYTES),
        (_SHORT, length < header),
    )
    first_fragment = view.short(at + 6) & 0x1FFF == 0
    after = np.where(first_fragment, at + header, NOT_KNOWN)
    return Headers(_first(checks), length, view.byte(at + 9), after)


def version6(view: View, at: Ints, wire: Ints) -> Headers:
    """IPv6 headers and their extensions."""
    payload = view.short(at + 4)
    length = np.where(payload == 0, np.maximum(wire - at, V6_BYTES), payload + V6_BYTES)
    fault = _first(((_CUT, ~view.has(at, V6_BYTES)), (_VERSION, view.byte(at) >> 4 != 6)))
    protocol, after = view.byte(at + 6), at + V6_BYTES
    rows = np.flatnonzero((fault == 0) & _extends(protocol))
    for _ in range(MOST_EXTENSIONS):
        if not len(rows):
            break
        protocol[rows], after[rows] = _step(view.rows(rows), protocol[rows], after[rows])
        rows = rows[_extends(protocol[rows]) & (after[rows] != NOT_KNOWN)]
    fault[rows] = _CHAIN
    return Headers(fault, length, protocol, after)


def _extends(protocol: Ints) -> NDArray[np.bool_]:
    return np.isin(protocol, (*EXTENSIONS, FRAGMENT, AUTHENTICATION))


def _step(view: View, kind: Ints, at: Ints) -> tuple[Ints, Ints]:
    """The header that follows an extension, and where."""
    units = view.byte(at + 1)
    size = np.where(kind == AUTHENTICATION, (units + 2) * 4, (units + 1) * 8)
    size = np.where(kind == FRAGMENT, 8, size)
    there = view.has(at, 8)
    later = (kind == FRAGMENT) & (view.short(at + 2) >> 3 != 0)
    following = np.where(there, view.byte(at), NOT_KNOWN)
    # Extensions in a later fragment are data.
    return following, np.where(there & ~later, at + size, NOT_KNOWN)


def _first(checks: tuple[tuple[int, NDArray[np.bool_]], ...]) -> Ints:
    """The number of the first check that each row fails, 0 for none."""
    found = np.zeros(len(checks[0][1]), np.int64)
    for number, failed in reversed(checks):
        found[failed] = number
    return found
