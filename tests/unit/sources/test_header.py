"""A file's first line is known with every piece of it, wherever reading begins."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.sources.taking import lines

from tailrace.formats.records import Records
from tailrace.sources.files import FinishedFiles
from tailrace.sources.identity import HEAD_BYTES
from tailrace.sources.memory import MemorySource
from tailrace.sources.types import Json, Slice, Source

HEADER = b"time,client_ip\r\n"
DATA = HEADER + b"".join(b"%d,10.0.0.1\n" % row for row in range(40))
SLICE = 64

Open = Callable[[bytes], Source]


@pytest.fixture(params=["memory", "file", "gzip"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    path = tmp_path / ("a.csv.gz" if request.param == "gzip" else "a.csv")

    def open_source(data: bytes) -> Source:
        if request.param == "memory":
            return MemorySource({"a": data}, cuts={"a": range(0, len(data), SLICE)})
        path.write_bytes(gzip.compress(data, mtime=0) if request.param == "gzip" else data)
        return FinishedFiles((str(path),), max_record_bytes=100)

    return open_source


def pieces(source: Source, positions: dict[str, dict[str, Json]]) -> list[tuple[Slice, Records]]:
    source.open(positions)
    found: list[tuple[Slice, Records]] = []
    while True:
        poll = source.poll(SLICE, {})
        found += [(chunk.slice, chunk.records) for chunk in poll.chunks]
        if poll.ended:
            return found


def test_header(opened: Open) -> None:
    source = opened(DATA)
    first = pieces(source, {})
    assert len(first) > 1
    for piece, records in first:
        assert records.header == HEADER
        assert source.reread(piece).header == HEADER
        later = pieces(opened(DATA), {piece.partition: piece.resume})
        assert all(records.header == HEADER for _, records in later)
    assert lines(first[0][1])[0] == HEADER


@pytest.mark.parametrize("data", [b"x" * 80, b"x" * HEAD_BYTES + b"\n1\n"], ids=["no end", "long"])
def test_no_header(opened: Open, data: bytes) -> None:
    assert [records.header for _, records in pieces(opened(data), {})][-1] is None
