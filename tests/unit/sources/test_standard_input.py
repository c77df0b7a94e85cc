"""Standard input, through a real pipe."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sources.taking import Taking

from tailrace.errors import SourceError
from tailrace.sources.standard_input import AHEAD_BYTES, StandardInput


class Pipe:
    def __init__(self) -> None:
        self.out, self.into = os.pipe()

    def write(self, data: bytes) -> None:
        os.write(self.into, data)

    def end(self) -> None:
        if self.into >= 0:
            os.close(self.into)
            self.into = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.end()


def test_lines_come_as_they_are_written(pipe: Pipe) -> None:
    source = StandardInput(pipe.out)
    taking = Taking(source, rereads=False)
    assert taking.poll().chunks == ()
    assert taking.appeared == ["stdin"]
    for text, count in [(b"one\ntw", 1), (b"o\n\nthree", 3), (b"\n", 4), (b"end", 4)]:
        pipe.write(text)
        while len(taking.all_lines) < count:
            source.wait(10)
            assert taking.poll().at_end == ()
    pipe.end()
    while not taking.ended:
        source.wait(10)
        taking.poll()
    assert taking.all_lines == [b"one\n", b"two\n", b"\n", b"three\n", b"end"]
    assert source.bounded
    assert source.poll(1, {}).chunks == ()
    taking.close()


@pytest.mark.parametrize("max_bytes", [1, 5, 1 << 20])
def test_small_polls_and_long_lines(pipe: Pipe, max_bytes: int) -> None:
    pipe.write(b"a\n" + b"x" * 500 + b"\nb\n")
    pipe.end()
    source = StandardInput(pipe.out, max_record_bytes=10)
    taking = Taking(source, rereads=False)
    while not taking.ended:
        source.wait(10)
        taking.poll(max_bytes)
    assert taking.all_lines == [b"a\n", b"x" * 10, b"b\n"]


def test_more_than_is_read_ahead(tmp_path: Path) -> None:
    path = tmp_path / "input"
    line = b"y" * 999 + b"\n"
    count = AHEAD_BYTES // len(line) + 5000
    path.write_bytes(line * count)
    descriptor = os.open(path, os.O_RDONLY)
    source = StandardInput(descriptor)
    taking = Taking(source, rereads=False)
    while not taking.ended:
        source.wait(10)
        taking.poll()
    assert len(taking.all_lines) == count
    os.close(descriptor)


def test_positions_go_on_after_a_restart(pipe: Pipe) -> None:
    pipe.write(b"one\ntwo\n")
    pipe.end()
    source = StandardInput(pipe.out)
    taking = Taking(source, {"stdin": {"position": 100}}, rereads=False)
    while not taking.ended:
        source.wait(10)
        taking.poll()
    assert taking.places["stdin"] == [(0, 100), (0, 104)]
    assert taking.resume["stdin"] == {"position": 108}
    with pytest.raises(SourceError, match="can't be read again"):
        source.reread(taking.slices[0])
    with pytest.raises(SourceError, match="is not that of standard input"):
        StandardInput(pipe.out).open({"stdin": {"position": "x"}})


def test_a_descriptor_that_can_not_be_read(pipe: Pipe) -> None:
    source = StandardInput(pipe.into)
    source.open({})
    source.wait(10)
    with pytest.raises(SourceError, match="standard input can't be read"):
        source.poll(1, {})


def test_closing_ends_a_wait(pipe: Pipe) -> None:
    source = StandardInput(pipe.out)
    source.open({})
    source.close()
    source.wait(3600)
