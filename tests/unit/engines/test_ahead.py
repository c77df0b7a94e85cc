"""Files are written before the transaction that makes their rows, and cut back without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet
from tests.unit.engines.pipelines import lines, open_in, run

from tailrace.config import loads
from tailrace.engines.embedded import engine as engine_module
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder
from tailrace.errors import StoreError
from tailrace.outputs import parquet as parquet_module
from tailrace.outputs.parquet import ParquetFolder
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan
from tailrace.store.commit import Commit
from tailrace.store.store import Store

TEXT = """
name: small
source: {{file: {{path: "{folder}/in.ndjson"}}}}
time: {{field: t, grace: 0s}}
fields: {{a: text, n: integer}}
rules:
  - record: sums
    by: a
    window: 10s
    select: {{total: sum(n)}}
    to: [windows, all]
archive: {{to: [all, folder, kept]}}
outputs:
  windows: {{file: {{path: "{folder}/windows.ndjson"}}}}
  all: {{file: {{path: "{folder}/all.ndjson"}}}}
  folder: {{file: {{path: "{folder}/events/"}}}}
  kept: {{table: {{name: kept}}}}
"""


class KilledError(BaseException):
    """The process "dies" here."""


def plan_in(folder: Path) -> Plan:
    return compile_pipeline(loads(TEXT.format(folder=folder), "small.yaml"))


def contents(folder: Path) -> dict[str, list[object]]:
    """The files' rows. What is in which epoch is open, and so how two contents alternate."""
    found: dict[str, list[object]] = {}
    for name in ("windows.ndjson", "all.ndjson"):
        found[name] = [*sorted((folder / name).read_text().splitlines(keepends=True))]
    tables = [parquet.read_table(each) for each in sorted((folder / "events").iterdir())]
    with duckdb.connect(str(folder / "store.duckdb"), read_only=True) as store:
        found["kept"] = [*store.execute("select t, a, n from kept order by all").fetchall()]
    return found | {"events": [row for table in tables for row in table.to_pylist()]}


@pytest.fixture(autouse=True, params=["ahead", "held", "in turns"])
def folders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parquet is written ahead as well, goes by way of the outbox, or now so, now so."""
    if request.param == "ahead":
        monkeypatch.setattr(parquet_module, "LARGE_BYTES", 0)
    elif request.param == "in turns":
        monkeypatch.setattr(ParquetFolder, "at_once", lambda _self, batch: batch.seq % 4 >= 2)


@pytest.fixture(name="undisturbed")
def whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[object]]:
    monkeypatch.setattr(engine_module, "BATCH_BYTES", 100)
    monkeypatch.setattr(engine_module, "EPOCH_BYTES", 1)
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    (folder / "in.ndjson").write_text(lines(range(100)))
    assert run(open_in(folder, plan_in(folder)))
    found = contents(folder)
    assert [len(rows) for rows in found.values()] == [10, 110, 100, 100]
    return found


@pytest.mark.parametrize("point", ["plan", "ahead", "commit", "delivered"])
def test_whoever_dies_anywhere_leaves_each_row_once(
    tmp_path: Path, undisturbed: dict[str, list[object]], point: str
) -> None:
    (tmp_path / "in.ndjson").write_text(lines(range(100)))
    for death in range(1, 4):
        passed = 0

        def die(name: str, death: int = death) -> None:
            nonlocal passed
            passed += name == point
            if passed == death:
                raise KilledError

        with pytest.raises(KilledError):
            dies(tmp_path, die)
    assert run(open_in(tmp_path, plan_in(tmp_path)))
    assert contents(tmp_path) == undisturbed


def dies(folder: Path, die: Callable[[str], None]) -> None:
    session = open_in(folder, plan_in(folder), die)
    try:
        Engine(session, make_decoder).run()
    finally:
        for part in (session.store, session.source, session.delivery):
            part.close()


@pytest.mark.parametrize("stored", [False, True])
def test_a_failed_transaction_is_undone_or_kept_as_the_store_knows(
    tmp_path: Path,
    undisturbed: dict[str, list[object]],
    monkeypatch: pytest.MonkeyPatch,
    stored: bool,
) -> None:
    """A full disk may also stop what the database does after the transaction is durable."""
    (tmp_path / "in.ndjson").write_text(lines(range(100)))
    commit = Store.commit
    sizes: list[int] = []

    def failing(
        store: Store, unsettled: Commit, settled: Callable[[Commit], Commit]
    ) -> tuple[int, ...]:
        given = settled(unsettled)
        size = (tmp_path / "all.ndjson").stat().st_size
        if len(sizes) == 3:
            assert size > sizes[-1]
            if stored:
                commit(store, given)
            raise StoreError("the disk is full")
        sizes.append(size)
        return commit(store, given)

    monkeypatch.setattr(Store, "commit", failing)
    with pytest.raises(StoreError, match="disk is full"):
        run(open_in(tmp_path, plan_in(tmp_path)))
    monkeypatch.undo()
    assert run(open_in(tmp_path, plan_in(tmp_path)))
    assert contents(tmp_path) == undisturbed


def test_what_a_file_does_not_take_waits_in_the_outbox(
    tmp_path: Path, undisturbed: dict[str, list[object]]
) -> None:
    (tmp_path / "in.ndjson").write_text(lines(range(100)))
    there, away = tmp_path / "all.ndjson", tmp_path / "away"
    commits = 0

    def hide(name: str) -> None:
        """Move a file away for some epochs."""
        nonlocal commits
        commits += name == "commit"
        if name == "commit" and commits == 2:
            there.rename(away)
        elif away.exists() and commits == 4:
            waits = session.delivery.standings()["all"]
            assert waits.waiting_rows > 0
            assert waits.error is not None
            away.rename(there)

    session = open_in(tmp_path, plan_in(tmp_path), hide)
    run(session)
    assert not away.exists()
    assert run(open_in(tmp_path, plan_in(tmp_path)))
    assert contents(tmp_path) == undisturbed
