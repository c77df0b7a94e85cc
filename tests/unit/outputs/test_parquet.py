from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.outputs.samples import rows_of

from tailrace.errors import OutputError
from tailrace.outputs import Content, Form, OutboxBatch
from tailrace.outputs.parquet import ParquetFolder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_named_after_their_batch(tmp_path: Path) -> None:
    output = ParquetFolder(tmp_path / "out")
    output.open(None)
    for seq in (3, 12):
        output.deliver(OutboxBatch(seq, rows_of(Content.WINDOWS, Form.TYPED)))
    assert names(tmp_path / "out") == ["rows-000000000003.parquet", "rows-000000000012.parquet"]


def test_only_files_of_unconfirmed_batches_and_unfinished_ones_are_removed(tmp_path: Path) -> None:
    mine = ("rows-000000000003.parquet", "rows-000000000004.parquet")
    unfinished = ".rows-000000000005.parquet.unfinished"
    others = ("rows-4.parquet", "rows-000000000009.parquet.bak", "notes.txt")
    for name in (*mine, unfinished, *others):
        (tmp_path / name).write_text("")
    ParquetFolder(tmp_path).open({"path": str(tmp_path), "seq": 3})
    assert names(tmp_path) == sorted((mine[0], *others))


@pytest.mark.parametrize("content", Content)
def test_columns_come_back_typed(content: Content, tmp_path: Path) -> None:
    table = rows_of(content, Form.TYPED)
    output = ParquetFolder(tmp_path, clock=lambda: 7)
    output.open(None)
    output.deliver(OutboxBatch(0, table))
    found = pq.read_table(tmp_path / "rows-000000000000.parquet")
    if content.told:
        sent = found.column("sent_at")
        assert sent.cast(pa.int64()).to_pylist() == [7] * table.num_rows
        found = found.drop_columns(["sent_at"])
    assert found.equals(table.replace_schema_metadata(None))


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="out is a file; a folder is needed"):
        ParquetFolder(tmp_path / "out").open(None)


def test_a_failed_write_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    output = ParquetFolder(tmp_path)
    output.open(None)
    in_the_way = tmp_path / "rows-000000000000.parquet"
    in_the_way.mkdir()
    batch = OutboxBatch(0, rows_of(Content.WINDOWS, Form.TYPED))
    with pytest.raises(OutputError, match=r"rows-000000000000.parquet can't be written"):
        output.deliver(batch)
    assert names(tmp_path) == ["rows-000000000000.parquet"]
    in_the_way.rmdir()
    output.deliver(batch)
    assert pq.read_table(in_the_way).num_rows == 3
