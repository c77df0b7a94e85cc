from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.outputs.samples import rows_of

from tailrace.errors import OutputError
from tailrace.outputs import Content, Form, OutboxBatch
from tailrace.outputs.batches import batch_table
from tailrace.outputs.parquet import LARGE_BYTES, ParquetFolder


def written_at_once(path: Path, **more: Any) -> ParquetFolder:
    return ParquetFolder(path, roll_bytes=0, roll_seconds=60, **more)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_named_after_their_batch(tmp_path: Path) -> None:
    output = written_at_once(tmp_path / "out")
    output.open(None)
    for seq in (3, 12):
        output.deliver(OutboxBatch(seq, rows_of(Content.WINDOWS, Form.TYPED)))
    assert names(tmp_path / "out") == [f"rows-{n:012}-{n:012}.parquet" for n in (3, 12)]


def test_only_files_of_unconfirmed_batches_and_unfinished_ones_are_removed(tmp_path: Path) -> None:
    mine = ("rows-000000000002-000000000003.parquet", "rows-000000000004-000000000004.parquet")
    unfinished = ".rows-000000000005-000000000006.parquet.unfinished"
    others = ("rows-4.parquet", "rows-000000000009-000000000009.parquet.bak", "notes.txt")
    for name in (*mine, unfinished, *others):
        (tmp_path / name).write_text("")
    written_at_once(tmp_path).open({"path": str(tmp_path), "seq": 3})
    assert names(tmp_path) == sorted((mine[0], *others))


@pytest.mark.parametrize("content", Content)
def test_columns_come_back_typed(content: Content, tmp_path: Path) -> None:
    table = rows_of(content, Form.TYPED)
    output = written_at_once(tmp_path, wall=lambda: 7)
    output.open(None)
    output.deliver(OutboxBatch(0, table))
    found = pq.read_table(tmp_path / "rows-000000000000-000000000000.parquet")
    if content.told:
        sent = found.column("sent_at")
        assert sent.cast(pa.int64()).to_pylist() == [7] * table.num_rows
        found = found.drop_columns(["sent_at"])
    assert found.equals(table.replace_schema_metadata(None))


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="out is a file; a folder is needed"):
        written_at_once(tmp_path / "out").open(None)


def test_a_failed_write_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    output = written_at_once(tmp_path)
    output.open(None)
    in_the_way = tmp_path / "rows-000000000000-000000000000.parquet"
    in_the_way.mkdir()
    batch = OutboxBatch(0, rows_of(Content.WINDOWS, Form.TYPED))
    with pytest.raises(
        OutputError, match=r"rows-000000000000-000000000000.parquet can't be written"
    ):
        output.deliver(batch)
    assert names(tmp_path) == ["rows-000000000000-000000000000.parquet"]
    in_the_way.rmdir()
    output.deliver(batch)
    assert pq.read_table(in_the_way).num_rows == 3


def many(count: int) -> pa.Table:
    return batch_table({"n": pa.array(range(count), pa.int64())}, Form.TYPED, Content.ARCHIVE)


def test_small_batches_are_held_until_it_is_time_or_a_large_one_comes(tmp_path: Path) -> None:
    now = [0.0]
    output = ParquetFolder(tmp_path, roll_bytes=1 << 30, roll_seconds=60, clock=lambda: now[0])
    output.open(None)
    large = many(LARGE_BYTES // 8)
    assert not output.at_once(OutboxBatch(0, many(2)))
    assert output.deliver(OutboxBatch(0, many(2))).held
    assert output.deliver(OutboxBatch(1, many(3))).held
    now[0] = 59.0
    assert output.flush(now=False) is None
    assert names(tmp_path) == []
    now[0] = 60.0
    receipt = output.flush(now=False)
    assert receipt is not None
    assert receipt.state["seq"] == 1
    assert output.deliver(OutboxBatch(2, many(4))).held
    assert output.at_once(OutboxBatch(3, large))
    assert not output.deliver(OutboxBatch(3, large)).held
    found = [pq.read_table(tmp_path / name).num_rows for name in names(tmp_path)]
    assert found == [5, 4 + large.num_rows]
    assert names(tmp_path)[1] == "rows-000000000002-000000000003.parquet"


def test_what_was_held_at_a_crash_comes_again(tmp_path: Path) -> None:
    output = ParquetFolder(tmp_path, roll_bytes=1 << 30, roll_seconds=60)
    output.open(None)
    first = output.deliver(OutboxBatch(0, many(1)))
    again = ParquetFolder(tmp_path, roll_bytes=1 << 30, roll_seconds=60)
    again.open(first.state)
    for seq in (0, 1):
        again.deliver(OutboxBatch(seq, many(1)))
    again.flush(now=True)
    assert names(tmp_path) == ["rows-000000000000-000000000001.parquet"]


def test_values_keep_their_types_whatever_is_held_with_them(tmp_path: Path) -> None:
    output = ParquetFolder(tmp_path, roll_bytes=1 << 30, roll_seconds=60)
    output.open(None)
    values = [pa.array([2**53 + 1]), pa.array([None], pa.null()), pa.array([1.5])]
    for seq, value in enumerate(values):
        rows = batch_table({"v": value}, Form.TYPED, Content.ARCHIVE)
        assert output.deliver(OutboxBatch(seq, rows)).held
    output.flush(now=True)
    found = [pq.read_table(tmp_path / name)["v"] for name in names(tmp_path)]
    assert [column.type for column in found] == [pa.int64(), pa.float64()]
    assert [column.to_pylist() for column in found] == [[2**53 + 1, None], [1.5]]


def test_files_in_folders_by_time_are_undone_too(tmp_path: Path) -> None:
    folder = tmp_path / "date=2026-01-31"
    folder.mkdir()
    for seq in (3, 4):
        (folder / f"rows-{seq:012}-{seq:012}.parquet").touch()
    written_at_once(tmp_path).open({"path": str(tmp_path), "seq": 3})
    assert names(folder) == ["rows-000000000003-000000000003.parquet"]
