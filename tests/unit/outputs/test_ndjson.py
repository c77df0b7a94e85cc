from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from tests.unit.outputs.samples import rows_of

from tailrace.errors import OutputError
from tailrace.outputs import Content, Form, OutboxBatch
from tailrace.outputs.batches import batch_table
from tailrace.outputs.ndjson import NdjsonFile


def batch(seq: int, *texts: str, content: Content = Content.WINDOWS) -> OutboxBatch:
    return OutboxBatch(seq, batch_table({"json": pa.array(texts, pa.string())}, Form.ROWS, content))


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writing beyond ``size`` fails, as on a full disk: the part before it is written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "rows.ndjson"
    output = NdjsonFile(path)
    output.open(None)
    state = output.deliver(batch(0, '{"a":"é"}', '{"a":2}')).state
    assert path.read_bytes() == '{"a":"é"}\n{"a":2}\n'.encode()
    assert state["length"] == path.stat().st_size
    output.close()


def test_another_path_is_another_file(tmp_path: Path) -> None:
    one, other, foreign = (tmp_path / name for name in ("one", "other", "foreign"))
    output = NdjsonFile(one)
    output.open(None)
    state = output.deliver(batch(0, "{}")).state
    output.close()
    foreign.write_text("x" * 1000)
    with pytest.raises(OutputError, match="holds 1000 bytes that this store didn't write"):
        NdjsonFile(foreign).open(state)
    assert foreign.read_text() == "x" * 1000
    moved = NdjsonFile(other)
    moved.open(state)
    moved.deliver(batch(0, "{}"))
    moved.deliver(batch(1, '{"a":1}'))
    moved.close()
    assert (one.read_text(), other.read_text()) == ("{}\n", '{"a":1}\n')


def test_news_say_when_they_were_sent(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    output = NdjsonFile(path, ZoneInfo("Europe/Berlin"), clock=lambda: 1_659_509_500_123_000)
    output.open(None)
    for seq, content in enumerate(Content):
        output.deliver(OutboxBatch(seq, rows_of(content, Form.ROWS)))
    output.close()
    sent = [json.loads(line).get("sent_at") for line in path.read_text().split("\n")[:-1]]
    assert sent == [None] * 3 + ["2022-08-03T08:51:40.123+02:00"] * 7 + [None] * 4


def test_a_full_disk_leaves_whole_batches_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    output = NdjsonFile(path)
    output.open(None)
    output.deliver(batch(0, "{}"))
    with largest_file(1000), pytest.raises(OutputError, match="can't be written: File too large"):
        output.deliver(batch(1, *['{"n":1}'] * 1000))
    assert path.read_text() == "{}\n"
    output.deliver(batch(1, '{"n":1}'))
    assert path.read_text() == '{}\n{"n":1}\n'
    output.close()


def test_a_file_that_lost_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    output = NdjsonFile(path)
    output.open(None)
    saved = output.deliver(batch(0, "{}", "{}")).state
    output.close()
    path.write_text("{}\n")
    with pytest.raises(OutputError, match="has 3 bytes, but 6 were written"):
        NdjsonFile(path).open(saved)
    path.unlink()
    with pytest.raises(OutputError, match="has 0 bytes, but 6 were written"):
        NdjsonFile(path).open(saved)


@pytest.mark.parametrize(
    ("meddle", "message"),
    [
        (lambda path: path.rename(path.with_suffix(".1")), "was moved or replaced"),
        (lambda path: path.write_text(""), "has 0 bytes, but 3 were written"),
        (lambda path: path.write_text("{}\nmine\n"), "has 8 bytes, but 3 were written"),
    ],
)
def test_meddling_is_noticed_while_running(meddle: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    output = NdjsonFile(path)
    output.open(None)
    output.deliver(batch(0, "{}"))
    assert callable(meddle)
    meddle(path)
    with pytest.raises(OutputError, match=message):
        output.deliver(batch(1, "{}"))
    output.close()


def test_two_outputs_do_not_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    first = NdjsonFile(path)
    first.open(None)
    with pytest.raises(OutputError, match="in use by another"):
        NdjsonFile(path).open(None)
    first.close()
    NdjsonFile(path).open(None)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: (folder / "out").write_text(""), "is a file; a folder is needed"),
        (lambda folder: (folder / "out" / "rows.ndjson").mkdir(parents=True), "Is a directory"),
    ],
)
def test_a_path_that_can_not_be(prepare: object, message: str, tmp_path: Path) -> None:
    assert callable(prepare)
    prepare(tmp_path)
    with pytest.raises(OutputError, match=message):
        NdjsonFile(tmp_path / "out" / "rows.ndjson").open(None)
