"""A watcher goes on whatever a load raises, and says nothing that isn't ours."""

import time
from pathlib import Path

import pytest
from tests.unit.engines.references.live import until

from tailrace.config.references import Reference
from tailrace.engines.references import reading
from tailrace.engines.references.keeper import Keeper
from tailrace.engines.references.watching import Watcher
from tailrace.errors import TableError

USERS = {"key": "id", "columns": {"id": "integer"}, "refresh": "100ms"}


def users(path: Path) -> Reference:
    return Reference.model_validate({"file": {"path": str(path)}, **USERS})


def broken(*_: object) -> None:
    raise KeyError("hunter22")


def test_any_error_is_told_by_its_kind_and_the_next_load_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "users.csv"
    path.write_text("id\n1\n")
    watcher = Watcher("users", users(path))
    assert watcher.load() is not None
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_read", broken)
        watcher.start()
        until(lambda: watcher.error)
    assert str(watcher.error) == "reference 'users': it can't be loaded (KeyError)"
    until(lambda: watcher.waiting)
    watcher.stop()
    assert watcher.error is None


def test_at_the_start_it_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_read", broken)
    keeper = Keeper()
    with pytest.raises(TableError, match="KeyError") as raised:
        keeper.begin({"users": users(tmp_path / "users.csv")}, {})
    assert raised.value.__cause__ is None
    assert "hunter22" not in str(raised.value)


def test_what_listens_listens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def listen(*_: object) -> None:
        asked.append(time.monotonic())
        raise RuntimeError("hunter22")

    monkeypatch.setattr("tailrace.engines.references.sql.listen", listen)
    monkeypatch.setattr("tailrace.engines.references.watching.AGAIN_SECONDS", 0.01)
    sql = {"url": "postgresql://localhost/x", "table": "users", "channel": "changed"}
    given = {**USERS, "sql": sql, "refresh": "off"}
    watcher = Watcher("users", Reference.model_validate(given))
    watcher.start()
    until(lambda: len(asked) > 1)
    watcher.stop()
    assert "RuntimeError" in str(watcher.error)
    assert "hunter22" not in str(watcher.error)
