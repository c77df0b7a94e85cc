"""Rows as fixed-width records of bytes: how columns become lines without a loop over rows.

Every field is padded with NUL; one pass over the memory removes all NULs and leaves the lines. What
the fields are is said in `json_rows` and `combined_rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tailrace.generate.draws import MAX_REQUEST_MS, Addresses
from tailrace.generate.options import SECOND_US
from tailrace.generate.requests import Requests

Records: TypeAlias = NDArray[np.void]
"""Structured array: one fixed-width bytes field a name."""
Texts: TypeAlias = NDArray[np.bytes_]
Part: TypeAlias = bytes | tuple[str, int]
"""Literal text, or a field's name and width in bytes."""
Change: TypeAlias = Mapping[str, bytes]
"""Values for some fields."""


class Layout(Protocol):
    """A line's fields, and what fills them."""

    template: tuple[Part, ...]
    """The last part is a literal that a complete line ends with, newline included."""
    wrong_values: tuple[Change, ...]
    """Each makes a line that no reader of the format can take for a good one."""

    hidden_kinds: frozenset[str]
    """Attacks that the fields can't show."""

    def fill(self, records: Records, requests: Requests) -> None:
        """Write the requests into the records' fields."""


class LineBuffer:
    """Room for a block of rows, used again for the next block."""

    def __init__(self, template: tuple[Part, ...], capacity: int) -> None:
        literals = {f"literal{place}": part for place, part in enumerate(template)}
        fields = [
            (name, f"S{len(part)}") if isinstance(part, bytes) else (part[0], f"S{part[1]}")
            for name, part in literals.items()
        ]
        self._blank = np.zeros(1, dtype=fields)
        for name, part in literals.items():
            if isinstance(part, bytes):
                self._blank[name] = part
        self.records: Records = np.repeat(self._blank, capacity)
        self.octets = self.records.view(np.uint8).reshape(capacity, -1)
        """The same memory as rows of single bytes; the last one of each is the newline."""
        self.last_part = self.octets.shape[1] - len(template[-1])
        """Where the literal begins that ends a line."""

    def lines(self, rows: int) -> bytes:
        """The first `rows` records as lines."""
        return self.octets[:rows].tobytes().translate(None, b"\0")

    def restore(self, rows: NDArray[np.int64]) -> None:
        """Give these rows their literals back."""
        self.records[rows] = self._blank


def texts(values: Iterable[object]) -> Texts:
    """A table of values as ASCII text."""
    return np.array([str(value).encode("ascii") for value in values])


THREE_DIGITS = texts(f"{number:03d}" for number in range(1000))
OCTETS = texts(range(256))
STATUSES = texts(range(600))
ADDRESS: tuple[Part, ...] = (("ip1", 3), b".", ("ip2", 3), b".", ("ip3", 3), b".", ("ip4", 3))


def fill_address(records: Records, client: Addresses) -> None:
    """Write the fields of ADDRESS."""
    for number, octet in enumerate(client.astype(">u4").view(np.uint8).reshape(-1, 4).T, start=1):
        records[f"ip{number}"] = OCTETS[octet]


def by_second(event_us: NDArray[np.int64], write: Callable[[NDArray[np.int64]], Texts]) -> Texts:
    """Text for each row's whole second, written once for each second that occurs."""
    seconds, places = np.unique(event_us // SECOND_US, return_inverse=True)
    return write(seconds)[places]


@lru_cache
def request_times(decimals: int) -> Texts:
    """Request times in seconds, by milliseconds."""
    return texts(f"{ms / 1000:.{decimals}f}" for ms in range(MAX_REQUEST_MS + 1))
