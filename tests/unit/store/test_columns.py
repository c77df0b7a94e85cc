"""Tables of rows with long texts and ids: their columns, types and values are as without."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from tailrace.store.commit import Commit
from tailrace.store.store import Store

LONG = "a text that is as long as records, addresses of pages and messages are: {}"
ROWS = pa.table(
    {
        "id": pa.array(range(3000), pa.int64()),
        'say "long"': pa.array([LONG.format(n) if n % 3 else None for n in range(3000)]),
        "digest": pa.array([f"{n:032x}" for n in range(3000)]),
        "place": pa.array([f"a text of some length, {n % 7}" for n in range(3000)]),
        "short": pa.array([f"x{n % 7}" for n in range(3000)]),
        "nothing": pa.nulls(3000, pa.string()),
        "at": pa.array(range(3000), pa.timestamp("us", "UTC")),
        "names": pa.array([["a", "b"]] * 3000, pa.list_(pa.string())),
    }
)


def test_long_texts_are_stored_smaller_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    store = Store.open(path, "p")
    for epoch in (1, 2):
        store.commit(Commit(epoch, {}, tables=(("t", ROWS),)))
    kinds = ["BIGINT", *["VARCHAR"] * 5, "TIMESTAMP WITH TIME ZONE", "VARCHAR[]"]
    assert list(store.column_types("t").items()) == list(zip(ROWS.column_names, kinds, strict=True))
    store.close()
    again = Store.open(path, "p")
    try:
        assert again.query('select * from "t"').to_pylist() == 2 * ROWS.to_pylist()
    finally:
        again.close()
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "select column_name, list(distinct compression) from pragma_storage_info('t')"
            " where segment_type = 'VARCHAR' group by all"
        ).fetchall()
    used = {name: kinds for name, kinds in found if name in ROWS.column_names}
    assert used['say "long"'] == used["digest"] == ["ZSTD"]
    assert "ZSTD" not in used["place"]
    assert "ZSTD" not in used["short"]
