from __future__ import annotations

from pathlib import Path

import pytest

from tailrace.errors import StoreError
from tailrace.store.reading import StoreInUseError
from tailrace.store.store import MEMORY, Store


def test_a_store_is_open_once_in_a_process(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    store = Store.open(tmp_path / "s.duckdb", "p")
    for path in (tmp_path / "s.duckdb", tmp_path / "link" / "s.duckdb"):
        with pytest.raises(StoreInUseError, match="open in this process already"):
            Store.open(path, "p")
    store.close()
    store.close()
    Store.open(tmp_path / "s.duckdb", "p").close()


def test_what_can_not_be_opened_is_not_in_use(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    path.write_text("no store" * 1000)
    for _ in range(2):
        with pytest.raises(StoreError, match="can't be opened"):
            Store.open(path, "p")
    path.unlink()
    Store.open(path, "p").close()
    with pytest.raises(StoreError, match="belongs to pipeline 'p'"):
        Store.open(path, "q")
    Store.open(path, "p").close()


def test_stores_in_memory_are_each_ones_own() -> None:
    one, other = Store.open(MEMORY, "p"), Store.open(MEMORY, "p")
    assert one.identity != other.identity
    one.close()
    other.close()
