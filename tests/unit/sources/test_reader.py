"""Records of a stream, however it is cut, against splitting the whole."""

import gc

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.sources.taking import lines

from tailrace.sources.buffers import LARGE_BYTES, Buffers
from tailrace.sources.identity import BEFORE_BYTES, HEAD_BYTES
from tailrace.sources.memory import MemoryStream
from tailrace.sources.reader import Reader

Record = tuple[int, bytes, bool]
CONTENT = st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"bc", b"longer than most", b"\0", b"\xff"]),
    max_size=40,
).map(b"".join) | st.binary(max_size=60)


def expected(data: bytes, max_bytes: int, *, keep_last: bool = True) -> list[Record]:
    """(position, bytes, too long) of each record."""
    records = []
    position = 0
    parts = data.split(b"\n")
    for number, part in enumerate(parts):
        line = part + b"\n" if number < len(parts) - 1 else part
        content = part.removesuffix(b"\r") if line.endswith(b"\n") else part
        if line and (line.endswith(b"\n") or keep_last):
            too_long = len(content) > max_bytes
            records.append((position, line[:max_bytes] if too_long else line, too_long))
        position += len(line)
    return records


def taken(reader: Reader, sizes: list[int], *, keep_last: bool = True) -> list[Record]:
    found: list[Record] = []
    turn = 0
    while not reader.done:
        records = reader.read(sizes[turn % len(sizes)], keep_last=keep_last)
        turn += 1
        flags = np.zeros(len(records), np.bool_) if records.oversize is None else records.oversize
        found += zip(records.positions.tolist(), lines(records), flags.tolist(), strict=True)
    return found


@given(CONTENT, st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(1, 20))
@example(b"12345\r\n", [6, 1], 5)
@example(b"12345\rx\n", [6, 1], 5)
@example(b"x" * 50 + b"\r", [7], 5)
@settings(max_examples=400)
def test_any_bytes_in_any_pieces(data: bytes, sizes: list[int], max_bytes: int) -> None:
    reader = Reader(MemoryStream(data, 0, final=True), max_bytes, Buffers())
    assert taken(reader, sizes) == expected(data, max_bytes)
    assert reader.position == len(data)
    assert reader.head == data[:HEAD_BYTES]
    assert reader.before == data[-BEFORE_BYTES:]


@given(CONTENT, st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_a_last_line_without_an_end_can_be_left(data: bytes, sizes: list[int]) -> None:
    reader = Reader(MemoryStream(data, 0, final=True), 9, Buffers())
    assert taken(reader, sizes, keep_last=False) == expected(data, 9, keep_last=False)
    assert reader.position == data.rfind(b"\n") + 1


@given(CONTENT, st.integers(1, 30), st.integers(1, 20))
def test_reading_begins_again_after_any_record(data: bytes, size: int, max_bytes: int) -> None:
    whole = expected(data, max_bytes)
    for count, (position, _bytes, _flag) in enumerate(whole):
        reader = Reader(MemoryStream(data, position, final=True), max_bytes, Buffers())
        assert taken(reader, [size]) == whole[count:]


def test_memory_is_bounded_however_long_a_line_is() -> None:
    data = b"a\n" + b"x" * 3_000_000 + b"\nb\n"
    reader = Reader(MemoryStream(data, 0, final=True), 1000, Buffers())
    found = []
    while not reader.done:
        records = reader.read(4096)
        found += lines(records)
        assert len(reader._unsplit) <= 4096 + 1001
    assert found == [b"a\n", b"x" * 1000, b"b\n"]


def test_buffers_come_back_when_nobody_holds_them() -> None:
    buffers = Buffers()
    view = buffers.take(LARGE_BYTES)
    address = view.ctypes.data
    part = view[5:9]
    arrow = pa.py_buffer(view[2:4])
    for holder in ("view", "part", "arrow"):
        gc.collect()
        assert buffers.take(LARGE_BYTES).ctypes.data != address, holder
        if holder == "view":
            del view
        elif holder == "part":
            del part
        else:
            del arrow
    gc.collect()
    assert address in {buffers.take(LARGE_BYTES).ctypes.data for _ in range(1)} | {
        owner.ctypes.data for owner in buffers._free
    }


def test_records_hold_their_buffer() -> None:
    line = b"x" * 99 + b"\n"
    data = line * 40_000
    reader = Reader(MemoryStream(data, 0, final=True), 1000, Buffers())
    kept = []
    while not reader.done:
        kept.append(reader.read(1 << 20))
    assert b"".join(memoryview(records.data)[: records.offsets[-1]] for records in kept) == data
