"""Lines in a buffer."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sources.taking import lines

from tailrace.formats.records import Records
from tailrace.sources.split import BLOCK_BYTES, content_length, cut, joined, line_ends, too_long


def array(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(bytearray(data), np.uint8)


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (b"", []),
        (b"a", []),
        (b"\n", [1]),
        (b"a\nbc\n", [2, 5]),
        (b"a\r\n\nb", [3, 4]),
        (b"\n" * 5, [1, 2, 3, 4, 5]),
        (b"x" * BLOCK_BYTES + b"\n" + b"y" * (BLOCK_BYTES - 2) + b"\nz\n", None),
        (b"\n" * (BLOCK_BYTES * 2 + 3), None),
    ],
)
def test_line_ends(data: bytes, ends: list[int] | None) -> None:
    found = line_ends(array(data))
    assert found.dtype == np.int32
    if ends is None:
        ends = [place + 1 for place, byte in enumerate(data) if byte == 10]
    assert found.tolist() == ends


@pytest.mark.parametrize(
    ("line", "length"),
    [(b"", 0), (b"\n", 0), (b"\r\n", 0), (b"ab\n", 2), (b"ab\r\r\n", 3), (b"ab\r", 3), (b"ab", 2)],
)
def test_content_length(line: bytes, length: int) -> None:
    assert content_length(array(line)) == length


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"") + b"\n")))
def test_cut_keeps_the_first_bytes_of_what_is_too_long(parts: list[bytes]) -> None:
    data = array(b"".join(parts))
    offsets = np.cumsum([0, *map(len, parts)]).astype(np.int32)
    rows = too_long(data, offsets, 5)
    moved = cut(data, offsets, rows, 5) if len(rows) else offsets
    found = [data[start:end].tobytes() for start, end in pairwise(moved)]
    expected = [part[:5] if content_length(array(part)) > 5 else part for part in parts]
    assert found == expected


def test_joined() -> None:
    one = Records(pa.py_buffer(b"a\nb\n"), np.array([0, 2, 4], np.int32), np.array([7, 9]))
    two = Records(
        pa.py_buffer(b"cc"), np.array([0, 2], np.int32), np.array([11]), oversize=np.array([True])
    )
    both = joined([one, two])
    assert lines(both) == [b"a\n", b"b\n", b"cc"]
    assert both.positions.tolist() == [7, 9, 11]
    assert both.oversize is not None
    assert both.oversize.tolist() == [False, False, True]
