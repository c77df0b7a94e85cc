"""What is sent by HTTP, on disk and waiting: cut off, released, remembered, bounded."""

from __future__ import annotations

import os
from concurrent.futures import Future
from pathlib import Path

import pytest

from tailrace.config import HttpSource
from tailrace.errors import SourceError
from tailrace.sources.http import keys as key_module
from tailrace.sources.http import spool as spool_module
from tailrace.sources.http.inbox import Body, Inbox, KeyClashError, Outcome
from tailrace.sources.http.keys import KEPT_SECONDS, KeyFile, Known
from tailrace.sources.http.source import PARTITION, HttpRecords
from tailrace.sources.http.spool import Spool
from tailrace.sources.types import Slice


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def test_spool_reads_over_files_and_releases_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "FILE_BYTES", 10)
    spool = Spool(str(tmp_path / "s"))
    spool.begin(100)
    for number in range(6):
        assert spool.append(b"%d234567\n" % number) == 100 + 8 * (number + 1)
    assert spool.read(100, spool.position) == b"".join(b"%d234567\n" % n for n in range(6))
    assert spool.read(110, 125) == (b"".join(b"%d234567\n" % n for n in range(6)))[10:25]
    assert len(files(tmp_path / "s")) == 3
    spool.release(132)
    assert len(files(tmp_path / "s")) == 1
    with pytest.raises(SourceError, match="no longer in"):
        spool.read(100, 110)
    spool.finish(spool.position - 1)
    assert len(files(tmp_path / "s")) == 1
    spool.begin(spool.position)
    spool.finish(spool.position)
    assert files(tmp_path / "s") == {}


@pytest.mark.parametrize("committed", [0, 3, 16, 17, 24])
def test_what_no_epoch_has_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: int
) -> None:
    monkeypatch.setattr(spool_module, "FILE_BYTES", 16)
    spool = Spool(str(tmp_path))
    spool.begin(0)
    for _ in range(3):
        spool.append(b"1234567\n")
    spool.close()
    again = Spool(str(tmp_path))
    again.begin(committed)
    assert again.append(b"abc\n") == committed + 4
    assert again.read(committed, committed + 4) == b"abc\n"
    assert again.read(0, committed) == (b"1234567\n" * 3)[:committed]


def test_a_store_that_is_newer_than_its_files(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    spool.begin(0)
    spool.append(b"1234567\n")
    spool.begin(1000)
    assert spool.append(b"x\n") == 1002
    assert spool.read(1000, 1002) == b"x\n"
    assert len(files(tmp_path)) == 1


def test_nothing_is_there_if_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(str(tmp_path))
    spool.begin(0)
    spool.append(b"first\n")
    real = os.pwrite

    def half(file: int, data: bytes, at: int) -> int:
        if len(data) > 3:
            return real(file, bytes(data)[:3], at)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="No space"):
        spool.append(b"second\n")
    monkeypatch.setattr(os, "pwrite", real)
    assert sum(files(tmp_path).values()) == 6
    assert spool.append(b"third\n") == 12
    assert spool.read(0, 12) == b"first\nthird\n"


def test_keys_count_once_committed(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    now = 1_000_000.0
    file = KeyFile(str(path), lambda: now)
    assert file.load(5) == []
    old = Known("old", "d", 1, now - KEPT_SECONDS - 1)
    kept = [Known("a", "d1", 10, now), Known("ü\n", "d2", 20, now)]
    file.append([old, *kept])
    file.append([Known("never", "d", 30, now), Known("a", "d3", 18, now)])
    with path.open("a") as broken:
        broken.write('{"key": "half')
    assert KeyFile(str(path), lambda: now).load(25) == [kept[1], Known("a", "d3", 18, now)]
    assert len(path.read_text().splitlines()) == 2


def test_keys_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_module, "MOST", 3)
    file = KeyFile(str(tmp_path / "keys"), lambda: 0.0)
    for number in range(7):
        file.append([Known(str(number), "d", number, 0.0)])
    assert file.long
    assert [known.key for known in file.load(100)] == ["4", "5", "6"]
    assert not file.long


def outcome(body: Body) -> Outcome | None:
    done: Future[Outcome] = body.done
    return done.result() if done.done() else None


def sent(inbox: Inbox, data: bytes, key: str | None = None) -> Body:
    assert inbox.reserve(len(data))
    return inbox.put(data, key)


def test_inbox_ways_of_a_body() -> None:
    inbox = Inbox(10)
    first, second, third = sent(inbox, b"abc"), sent(inbox, b"de", "k"), sent(inbox, b"fghij")
    assert not inbox.reserve(1)
    # The same key waits for the same body; another body is told so. Neither takes room.
    assert inbox.withdraw(third)
    assert outcome(third) is Outcome.DROPPED
    assert sent(inbox, b"de", "k") is second
    assert inbox.reserve(2)
    with pytest.raises(KeyClashError):
        inbox.put(b"xx", "k")
    assert inbox.take(100) == [first, second]
    assert not inbox.withdraw(first)
    first.end, second.end = 3, 5
    inbox.committed(4)
    assert (outcome(first), outcome(second)) == (Outcome.COMMITTED, None)
    inbox.close()
    assert outcome(second) is Outcome.UNKNOWN
    assert not inbox.reserve(1)


def test_inbox_a_body_that_could_not_be_kept_may_come_again() -> None:
    inbox = Inbox(10)
    first = sent(inbox, b"abc", "k")
    assert inbox.take(1) == [first]
    inbox.refuse([first])
    assert outcome(first) is Outcome.DROPPED
    assert sent(inbox, b"abc", "k") is not first
    assert sent(inbox, b"1234567") is not first


def source(folder: Path, *, listens: bool) -> HttpRecords:
    config = HttpSource(listen="127.0.0.1:0")
    return HttpRecords(config, str(folder / "received"), listens=listens, max_record_bytes=100)


def test_the_same_records_are_read_again(tmp_path: Path) -> None:
    one = source(tmp_path, listens=True)
    one.open({PARTITION: {"position": 7}})
    try:
        assert one.poll(1000, {}).at_end == (PARTITION,)
        body = b"a\n\r\n" + b"x" * 300 + b"\nlast\n"
        assert one._inbox.reserve(len(body))
        one._inbox.put(body, None)
        (chunk,) = one.poll(1000, {}).chunks
    finally:
        one.close()
    assert chunk.slice == Slice(PARTITION, 0, 7, 7 + len(body), {"position": 7 + len(body)})
    assert chunk.records.positions.tolist() == [7, 9, 11, 312]
    again = source(tmp_path, listens=False)
    again.open({PARTITION: {"position": 7}})
    records = again.reread(chunk.slice)
    assert records.positions.tolist() == chunk.records.positions.tolist()
    assert records.data.to_pybytes() == chunk.records.data.to_pybytes()
    assert again.poll(1000, {}).ended == (PARTITION,)
    again.close()


def test_an_address_in_use(tmp_path: Path) -> None:
    one = source(tmp_path, listens=True)
    one.open({})
    assert one._server is not None
    taken = HttpSource(listen=f"127.0.0.1:{one._server.port}")
    two = HttpRecords(taken, str(tmp_path / "two"), listens=True, max_record_bytes=100)
    with pytest.raises(SourceError, match="in use"):
        two.open({})
    one.close()
