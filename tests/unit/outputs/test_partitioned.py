from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tailrace.errors import OutputError
from tailrace.outputs.addressing import addressed
from tailrace.outputs.batches import Content, Form, OutboxBatch, batch_table
from tailrace.outputs.output import Holder
from tailrace.outputs.parquet import ParquetFolder

HOUR = 3_600_000_000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def batch(seq: int, *hours: float | None) -> OutboxBatch:
    """A row for each event time, given in hours since the epoch."""
    times = pa.array([None if h is None else int(h * HOUR) for h in hours], pa.int64())
    rows = batch_table(
        {"n": pa.array([f"{seq}.{i}" for i in range(len(hours))])}, Form.TYPED, Content.ARCHIVE
    )
    return OutboxBatch(seq, addressed(rows, rows["n"].combine_chunks(), times, {}, {}))


def output(path: Path, clock: Clock, roll_bytes: int = 1 << 20) -> ParquetFolder:
    return ParquetFolder(path, by="hour", roll_bytes=roll_bytes, roll_seconds=60, clock=clock)


def files(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*.parquet*"))


def read(path: Path) -> list[tuple[str, str, str]]:
    """All rows as DuckDB reads such folders: date, hour, n."""
    return (
        duckdb.connect()
        .execute(
            f"select date::varchar, hour::varchar, n from read_parquet('{path}/**/*.parquet',"
            " hive_partitioning = true, hive_types_autocast = false) order by n"
        )
        .fetchall()
        if files(path)
        else []
    )


def test_rows_lie_in_the_folders_of_their_times(tmp_path: Path) -> None:
    made = output(tmp_path / "out", Clock())
    assert isinstance(made, Holder)
    made.open(None)
    assert made.deliver(batch(0, 0, 1.5, 25)).held
    assert made.deliver(batch(1, 0.5, -1)).held
    assert files(tmp_path / "out") == []
    receipt = made.flush(now=True)
    assert receipt is not None
    assert (receipt.held, receipt.state["seq"]) == (False, 1)
    assert read(tmp_path / "out") == [
        ("1970-01-01", "00", "0.0"),
        ("1970-01-01", "01", "0.1"),
        ("1970-01-02", "01", "0.2"),
        ("1970-01-01", "00", "1.0"),
        ("1969-12-31", "23", "1.1"),
    ]
    assert made.flush(now=True) is None


def test_a_file_is_written_when_there_is_enough_or_it_is_time(tmp_path: Path) -> None:
    clock = Clock()
    made = output(tmp_path, clock, roll_bytes=2 * batch(0, 1).rows.nbytes)
    made.open(None)
    assert made.deliver(batch(0, 1)).held
    assert not made.deliver(batch(1, 1)).held
    assert files(tmp_path) == ["date=1970-01-01/hour=01/rows-000000000000-000000000001.parquet"]
    assert made.deliver(batch(2, 1)).held
    clock.now = 59
    assert made.flush(now=False) is None
    clock.now = 61
    assert made.flush(now=False) is not None
    assert len(files(tmp_path)) == 2


def test_what_was_not_confirmed_is_written_once(tmp_path: Path) -> None:
    first = output(tmp_path, Clock())
    saved = first.open(None)
    first.deliver(batch(0, 1))
    receipt = first.flush(now=True)
    assert receipt is not None
    first.deliver(batch(1, 1, 2))
    first.flush(now=True)
    first.deliver(batch(2, 3))
    (tmp_path / "date=1970-01-01/.rows-000000000003-000000000003.parquet.unfinished").touch()
    for state, after in ((receipt.state, 0), (saved, -1)):
        again = output(tmp_path, Clock())
        again.open(state)
        assert [n for _, _, n in read(tmp_path)] == [f"{n}.0" for n in range(after + 1)]
        for one in (batch(0, 1), batch(1, 1, 2), batch(2, 3)):
            again.deliver(one)
        again.flush(now=True)
        assert [n for _, _, n in read(tmp_path)] == ["0.0", "1.0", "1.1", "2.0"]


def test_rows_without_a_time(tmp_path: Path) -> None:
    made = output(tmp_path, Clock())
    made.open(None)
    made.deliver(batch(0, None, 1))
    made.flush(now=True)
    assert [name.split("/")[0] for name in files(tmp_path)] == [
        "date=1970-01-01",
        "date=__HIVE_DEFAULT_PARTITION__",
    ]


def test_files_of_others_are_not_touched(tmp_path: Path) -> None:
    made = output(tmp_path, Clock())
    made.open(None)
    made.deliver(batch(0, 1))
    made.flush(now=True)
    with pytest.raises(OutputError, match="didn't write"):
        output(tmp_path, Clock()).open(None)


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    made = output(tmp_path, Clock())
    made.open(None)
    made.deliver(batch(0, 1))
    (tmp_path / "date=1970-01-01").write_text("in the way")
    with pytest.raises(OutputError):
        made.flush(now=True)
    (tmp_path / "date=1970-01-01").unlink()
    assert made.flush(now=True) is not None
    assert [n for _, _, n in read(tmp_path)] == ["0.0"]


def test_files_begun_before_an_error_are_finished_before_more_is_held(tmp_path: Path) -> None:
    clock = Clock()
    made = output(tmp_path, clock)
    made.open(None)
    made.deliver(batch(0, 1, 2))
    # A file is where the second folder has to be.
    (tmp_path / "date=1970-01-01").mkdir()
    (tmp_path / "date=1970-01-01" / "hour=02").touch()
    clock.now = 61
    for _ in range(2):
        with pytest.raises(OutputError):
            made.flush(now=False)
        with pytest.raises(OutputError):
            made.deliver(batch(1, 1, 2))
    (tmp_path / "date=1970-01-01" / "hour=02").unlink()
    assert made.deliver(batch(1, 1, 2)).held
    receipt = made.flush(now=True)
    assert receipt is not None
    assert (receipt.held, receipt.state["seq"]) == (False, 1)
    assert [row[2] for row in read(tmp_path)] == ["0.0", "0.1", "1.0", "1.1"]


def test_columns_of_types_that_do_not_go_together_are_in_files_of_their_own(tmp_path: Path) -> None:
    made = output(tmp_path, Clock())
    made.open(None)
    number = batch_table({"n": pa.array([1])}, Form.TYPED, Content.ARCHIVE)
    instants = pa.array([HOUR], pa.int64())
    other = OutboxBatch(2, addressed(number, pa.array(["i"]), instants, {}, {}))
    receipts = [made.deliver(one) for one in (batch(0, 1), batch(1, 1), other, batch(3, 1))]
    assert [receipt.held for receipt in receipts] == [True] * 4
    made.flush(now=True)
    folder = "date=1970-01-01/hour=01"
    assert files(tmp_path) == [
        f"{folder}/rows-000000000000-000000000001.parquet",
        f"{folder}/rows-000000000002-000000000002.parquet",
        f"{folder}/rows-000000000003-000000000003.parquet",
    ]
