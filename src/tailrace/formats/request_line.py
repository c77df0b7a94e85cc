"""The parts of nginx's ``$request``: method, target and protocol, each a variable of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.line_search import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.formats.line_search import Places

PARTS = ("request_method", "request_uri", "server_protocol")
REQUEST = re.compile(rb"([^ ]+) (.*) (HTTP/[^ ]+)", re.DOTALL)
"""What a request line is; anything else that a client sent has none of the parts."""

BLANK = ord(" ")
PROTOCOL = int.from_bytes(b" HTTP/", "little")
PROTOCOL_BYTES = np.uint64(2**48 - 1)
TAIL = len(" HTTP/1.1")


def part_places(
    text: Text, starts: Places, ends: Places, valid: NDArray[np.bool_], part: str
) -> tuple[Places, Places, NDArray[np.bool_]]:
    """First and last places of one of ``PARTS`` in each request, and which requests have it.

    Requests that end with `` HTTP/`` and three bytes are split at once, others by ``REQUEST``.
    """
    first, last = text.next_near(starts, BLANK), np.maximum(ends - TAIL, 0)
    tail = text.words(last)
    usual = valid & (tail & PROTOCOL_BYTES == PROTOCOL) & (first > starts) & (first < last)
    usual &= (tail >> np.uint64(48)) & np.uint64(0xFF) != BLANK
    usual &= (tail >> np.uint64(56) != BLANK) & (text.data[ends - 1] != BLANK)
    places = {
        "request_method": (starts, first),
        "request_uri": (first + 1, last),
        "server_protocol": (last + 1, ends),
    }
    begins, finishes = (place.copy() for place in places[part])
    for row in np.flatnonzero(valid & ~usual).tolist():
        match = REQUEST.fullmatch(text.data[starts[row] : ends[row]].tobytes())
        if match:
            usual[row] = True
            span = match.span(1 + PARTS.index(part))
            begins[row], finishes[row] = starts[row] + span[0], starts[row] + span[1]
    return begins, finishes, usual
