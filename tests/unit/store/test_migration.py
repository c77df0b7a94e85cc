from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tailrace.errors import StoreError
from tailrace.store.commit import Commit
from tailrace.store.store import Store


def test_that_of_another_pipeline_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    Store.open(path, "p").close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table refused")
        connection.execute("update tailrace_meta set value = '1' where name = 'format_version'")
    with pytest.raises(StoreError, match="belongs to pipeline 'p'"):
        Store.open(path, "q")
    with duckdb.connect(str(path)) as connection:
        found = connection.execute(
            "select value from tailrace_meta where name = 'format_version'"
        ).fetchall()
    assert found == [("1",)]


def test_a_store_of_the_version_before_is_taken_up(tmp_path: Path) -> None:
    """Rows that wait are still there, with their sizes; tables that it lacked are there."""
    path = tmp_path / "s.duckdb"
    store = Store.open(path, "p")
    (size,) = store.commit(Commit(0, {}, outbox=((0, "o", pa.table({"json": ["{}"]})),)))
    store.close()
    with duckdb.connect(str(path)) as connection:
        for table in ("refused", "verdicts", "tailrace_references"):
            connection.execute(f"drop table {table}")
        connection.execute("alter table tailrace_outbox drop column size")
        connection.execute("update tailrace_meta set value = '1' where name = 'format_version'")
    for _ in range(2):
        store = Store.open(path, "p")
        backlog = store.backlogs()["o"]
        assert (backlog.rows, backlog.bytes, backlog.newest) == (1, size, 0)
        reader = store.outbox()
        (waiting,) = reader.after("o", -1, 1000)
        reader.close()
        assert waiting.rows.to_pylist() == [{"json": "{}"}]
        for table in ("refused", "verdicts", "tailrace_references"):
            assert store.query(f"select * from {table}").num_rows == 0
        store.close()
