"""Records from memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sources.taking import Taking, lines, take_all

from tailrace.errors import SourceError
from tailrace.sources.memory import MemorySource, Step
from tailrace.sources.types import Note


@given(st.binary(max_size=80), st.lists(st.integers(0, 90)), st.integers(1, 90))
def test_cut_anywhere(data: bytes, cuts: list[int], max_bytes: int) -> None:
    taking = take_all(MemorySource({"a": data}, cuts={"a": cuts}), max_bytes=max_bytes)
    assert b"".join(taking.all_lines) == data
    assert taking.ended == ["a"]
    for cut in cuts:
        inside = [piece for piece in taking.slices if piece.start < cut < piece.end]
        assert all(b"\n" not in data[piece.start : cut] for piece in inside)
    for count, piece in enumerate(taking.slices, 1):
        rest = take_all(MemorySource({"a": data}), {"a": piece.resume})
        assert rest.all_lines == [
            line
            for later in taking.slices[count:]
            for line in lines_of(data, later.start, later.end)
        ]


def lines_of(data: bytes, start: int, end: int) -> list[bytes]:
    *ended, last = data[start:end].split(b"\n")
    return [line + b"\n" for line in ended] + ([last] if last else [])


def test_chunks_of_partitions() -> None:
    pairs = [("a", b"one\n"), ("b", b"two\n"), ("a", b"three\n")]
    taking = take_all(MemorySource(pairs))
    assert taking.lines == {"a": [b"one\n", b"three\n"], "b": [b"two\n"]}
    assert sorted(taking.ended) == ["a", "b"]


@pytest.mark.parametrize("bounded", [False, True])
def test_a_script(*, bounded: bool) -> None:
    note = Note("a_note", "a", "something")
    script = [
        Step(read={"a": 5}),  # one line of two bytes and one and a half
        Step(at_end=("a",), notes=(note,)),
        Step(read={"b": 2, "a": 6}),
        Step(),
        Step(at_end=("a", "b")),
    ]
    source = MemorySource({"a": b"1\n2\n3\n4", "b": b"x\ny\n"}, script=script, bounded=bounded)
    source.open({})
    said = []
    for _ in range(8):
        found = source.poll(1, {})
        said.append(
            (
                [line.decode() for chunk in found.chunks for line in lines(chunk.records)],
                found.appeared,
                found.at_end,
                found.notes,
            )
        )
    assert said[:5] == [
        (["1\n", "2\n"], ("a",), (), ()),
        ([], (), ("a",), (note,)),
        (["x\n", "3\n"], ("b",), (), ()),
        ([], (), (), ()),
        ([], (), ("a", "b"), ()),
    ]
    rest = [line for step in said[5:] for line in step[0]]
    assert sorted(rest) == (["4", "y\n"] if bounded else [])


def test_a_last_line_without_an_end_is_a_record_only_when_bounded() -> None:
    script = [Step(read={"a": 9})]
    for bounded, expected in [(True, [b"1\n", b"2"]), (False, [b"1\n"])]:
        source = MemorySource({"a": b"1\n2"}, script=script, bounded=bounded)
        taking = Taking(source)
        for _ in range(3):
            taking.poll()
        assert taking.all_lines == expected
        assert taking.ended == (["a"] if bounded else [])


def test_empty_partitions_appear_and_end() -> None:
    taking = take_all(MemorySource({"a": b"", "b": b""}))
    assert (taking.appeared, taking.ended, taking.all_lines) == (["a", "b"], ["a", "b"], [])


def test_a_position_beyond_the_end_is_refused() -> None:
    with pytest.raises(SourceError, match="has 2 bytes; 3 were read"):
        MemorySource({"a": b"x\n"}).open({"a": {"position": 3}})


def test_totals() -> None:
    source = MemorySource({"a": b"12\n", "b": b"3\n"})
    taking = Taking(source)
    assert source.totals() == (0, 5)
    taking.to_end()
    assert source.totals() == (5, 5)
    assert MemorySource({}, bounded=False).totals() is None
