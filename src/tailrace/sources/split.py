"""Lines found in a buffer of bytes: where each begins, and the cut of those that are too long.

What lives here knows neither files nor chunks that follow each other; see ``reader``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tailrace.formats.records import Records

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]

NEWLINE = 10
RETURN = 13
BLOCK_BYTES = 1 << 18
"""Searched at a time, so that the scratch array stays in the cache: 20 ms for 64 MB, not 30."""
USUAL_LINE_BYTES = 64
"""The shortest mean length for which the first guess of an array's size is enough."""


def line_ends(data: Bytes) -> Offsets:
    r"""Return the offset just after each ``\n``, int32 ascending; ``data`` is under 2 GiB."""
    found = np.empty(len(data) // USUAL_LINE_BYTES + 1024, np.int32)
    hits = np.empty(min(BLOCK_BYTES, len(data)), np.bool_)
    count = 0
    for begin in range(0, len(data), BLOCK_BYTES):
        block = data[begin : begin + BLOCK_BYTES]
        hit = hits[: len(block)]
        np.equal(block, NEWLINE, out=hit)
        places = hit.nonzero()[0]
        if count + len(places) > len(found):
            larger = np.empty(max(2 * len(found), count + len(places)), np.int32)
            larger[:count] = found[:count]
            found = larger
        np.add(places, begin + 1, out=found[count : count + len(places)], casting="unsafe")
        count += len(places)
    return found[:count]


def too_long(data: Bytes, offsets: Offsets, max_bytes: int) -> NDArray[np.intp]:
    """Return the rows whose content, without its line end, is longer than ``max_bytes``."""
    lengths = np.diff(offsets)
    rows = np.flatnonzero(lengths > max_bytes)
    kept = [
        row
        for row in rows.tolist()
        if content_length(data[offsets[row] : offsets[row + 1]]) > max_bytes
    ]
    return np.array(kept, np.intp)


def content_length(line: Bytes) -> int:
    r"""Return the length of a line without its ``\n`` and one ``\r`` before that."""
    length = len(line)
    if length and line[-1] == NEWLINE:
        length -= 1
        if length and line[length - 1] == RETURN:
            length -= 1
    return length


def cut(data: Bytes, offsets: Offsets, rows: NDArray[np.intp], max_bytes: int) -> Offsets:
    """Shorten ``rows`` to ``max_bytes`` by moving what follows them down within ``data``.

    Return the new offsets.
    """
    lengths = np.diff(offsets)
    lengths[rows] = max_bytes
    moved = np.empty_like(offsets)
    moved[0] = offsets[0]
    np.cumsum(lengths, dtype=np.int32, out=moved[1:])
    moved[1:] += offsets[0]
    for row, following in zip(rows, [*rows[1:], len(offsets) - 1], strict=True):
        target = moved[row + 1]
        size = offsets[following] - offsets[row + 1]
        if following < len(offsets) - 1:
            size += max_bytes
        data[target : target + size] = data[offsets[row + 1] : offsets[row + 1] + size]
    return moved


def joined(parts: Sequence[Records]) -> Records:
    """Return several runs of records as one; costs a copy."""
    sizes = np.cumsum([0, *(int(part.offsets[-1]) for part in parts)])
    offsets = [part.offsets[1:] + size for part, size in zip(parts, sizes[:-1], strict=True)]
    flags = [
        np.zeros(len(part), np.bool_) if part.oversize is None else part.oversize for part in parts
    ]
    arrivals = [part.arrival for part in parts if part.arrival is not None]
    beside = parts[0].beside
    return Records(
        pa.py_buffer(b"".join(memoryview(part.data)[: part.offsets[-1]] for part in parts)),
        np.concatenate([np.zeros(1, np.int32), *offsets]).astype(np.int32),
        np.concatenate([part.positions for part in parts]),
        arrival=np.concatenate(arrivals) if len(arrivals) == len(parts) else None,
        oversize=np.concatenate(flags) if any(flag.any() for flag in flags) else None,
        header=parts[0].header,
        beside=None
        if beside is None
        else {
            name: pa.concat_arrays([part.beside[name] for part in parts if part.beside is not None])
            for name in beside
        },
    )
