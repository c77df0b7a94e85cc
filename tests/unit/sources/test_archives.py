"""gzip and zstd files read as what they stand for."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.unit.sources.taking import Taking, take_all

from tailrace.errors import SourceError
from tailrace.sources.files import FinishedFiles
from tailrace.sources.following import FollowedFiles

TEXT = b"".join(b"line %d of some\n" % number for number in range(20_000)) + b"end"
HALF = len(TEXT) // 2


def zstd(data: bytes) -> bytes:
    """Compress as the command does, with a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd}
ARCHIVES = {
    "gzip": gzip.compress(TEXT),
    "gzip of several members": gzip.compress(TEXT[:HALF]) + gzip.compress(TEXT[HALF:]),
    "gzip with an empty member": gzip.compress(b"") + gzip.compress(TEXT),
    "gzip with padding": gzip.compress(TEXT) + b"\0" * 40_000,
    "zstd": zstandard.compress(TEXT),
    "zstd of several frames": zstandard.compress(TEXT[:HALF]) + zstandard.compress(TEXT[HALF:]),
    "plain": TEXT,
}


@pytest.mark.parametrize("archive", ARCHIVES.values(), ids=ARCHIVES)
@pytest.mark.parametrize("max_bytes", [5_000, 1 << 26])
def test_an_archive_equals_its_contents(tmp_path: Path, archive: bytes, max_bytes: int) -> None:
    path = tmp_path / "log"
    path.write_bytes(archive)
    taking = take_all(FinishedFiles([str(path)]), max_bytes=max_bytes, rereads=max_bytes > 1 << 20)
    assert taking.all_lines == TEXT.splitlines(keepends=True)
    assert taking.places[str(path)][-1] == (0, len(TEXT) - 3)
    for piece in taking.slices[:: len(taking.slices) // 4 + 1]:
        rest = take_all(FinishedFiles([str(path)]), {str(path): piece.resume}, rereads=False)
        assert rest.all_lines == TEXT[piece.end :].splitlines(keepends=True)


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda archive: archive[:-1], "truncated"),
        (lambda archive: archive[: len(archive) * 2 // 3], "truncated"),
        (lambda archive: archive[:9], "truncated"),
        (lambda archive: archive + b"garbage", "damaged"),
        (lambda archive: archive[:2000] + b"\xff" * 500 + archive[2500:], "damaged"),
    ],
    ids=["last byte", "two thirds", "header", "garbage", "overwritten"],
)
def test_a_fault_comes_after_the_lines_before_it(
    tmp_path: Path, kind: str, damage: Callable[[bytes], bytes], message: str
) -> None:
    path = tmp_path / "log"
    path.write_bytes(damage(COMPRESS[kind](TEXT)))
    source = FinishedFiles([str(path)])
    taking = Taking(source, rereads=False)
    with pytest.raises(SourceError, match=message) as caught:
        taking.to_end(50_000)
    assert str(path) in str(caught.value)
    assert "decompressed" in str(caught.value)
    found = b"".join(taking.all_lines)
    if message == "truncated":
        assert TEXT.startswith(found)
    assert not found or found.endswith(b"\n") or found == TEXT
    if message == "truncated" and kind == "gzip" and len(path.read_bytes()) > 100:
        assert len(found) > len(TEXT) / 2
    with pytest.raises(SourceError, match=message):
        source.poll(1, {})


def test_an_archive_that_is_followed_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(TEXT))
    taking = take_all(FollowedFiles([str(path)]))
    assert taking.all_lines == TEXT.splitlines(keepends=True)


def test_an_archive_that_was_appended_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"a\n"))
    taking = take_all(FinishedFiles([str(path)]))
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    with pytest.raises(SourceError, match="has grown"):
        FinishedFiles([str(path)]).open(taking.resume)
