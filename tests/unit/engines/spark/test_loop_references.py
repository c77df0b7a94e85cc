"""References on the driver's loop: loaded before a file is taken up, between plans, counted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engines.references.live import until

from tailrace.config import loads
from tailrace.engines.delivery import Delivery
from tailrace.engines.references.keeper import FAILED, LOADED
from tailrace.engines.running import Reloaded
from tailrace.engines.spark.checkpoint import Begun
from tailrace.engines.spark.engine import SparkEngine
from tailrace.engines.spark.executors import Executors
from tailrace.engines.spark.inputs import PlannedInput
from tailrace.engines.spark.session import ClusterSession
from tailrace.errors import OutputError, TableError
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan
from tailrace.sources.memory import MemorySource
from tailrace.sources.types import Note
from tailrace.store.store import MEMORY, Store

TEXT = """
name: t
source: {stdin: {}}
time: {field: t, grace: 0s}
fields: {k: text}
references:
  users: {file: {path: FOLDER/users.csv}, key: k, columns: {k: text}, refresh: 50ms}
rules:
  - {alert: known, when: known(users)}
"""
OTHER = TEXT.replace("users", "others")


@dataclass
class Query:
    """One that runs, and has no batches."""

    isActive: bool = True  # noqa: N815 - Spark's name
    lastProgress: None = None  # noqa: N815 - as above

    def exception(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Cluster:
    """As far as the loop asks for it."""

    plans: Path
    wanted: Plan | None = None
    begun: Begun | None = None
    number: int = 0
    spark: None = None
    input: Any = field(default_factory=lambda: PlannedInput(MemorySource({}), carried=True))

    def start(self, *_: object, **__: object) -> Query:
        return Query()

    def look_again(self) -> None: ...


def plan(folder: Path, text: str = TEXT) -> Plan:
    return compile_pipeline(loads(text.replace("FOLDER", str(folder)), "p.yaml"))


@pytest.fixture
def told() -> list[Note]:
    return []


@pytest.fixture
def engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[Note]
) -> Iterator[SparkEngine]:
    monkeypatch.setattr(Executors, "__init__", lambda *_: None)
    monkeypatch.setattr(Executors, "note", lambda _: None)
    (tmp_path / "users.csv").write_text("k\na\n")
    session = ClusterSession(
        plan(tmp_path), Store.open(MEMORY, "t"), MemorySource({}), Delivery({}), previous=None
    )
    found = SparkEngine(
        session,
        Cluster(tmp_path / "plans.json"),  # type: ignore[arg-type]  # as far as it is used
        listen=lambda _, notes: told.extend(notes),
    )
    found._begin_references()
    yield found
    session.close()


def test_a_changed_file_is_not_taken_up_without_its_references(
    engine: SparkEngine, tmp_path: Path
) -> None:
    session = engine.session
    before = session.plan, session.state.to_json()
    engine._cluster.wanted = plan(tmp_path, OTHER)
    with pytest.raises(TableError, match=r"others.csv can't be read"):
        engine._finish_begun()
    assert (session.plan, session.state.to_json()) == before
    (tmp_path / "others.csv").write_text("k\nb\n")
    engine._finish_begun()
    assert list(session.state.references) == ["others"]
    assert session.store.query("select name from tailrace_references").to_pylist() == [
        {"name": "others"}
    ]


def test_a_reload_that_fails_at_the_outputs_loses_no_reference(
    engine: SparkEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "others.csv").write_text("k\nb\n")
    references = engine.session.references

    def names() -> list[str]:
        return [one.name for one in references.standings(engine.session.state.references)]

    def shut(*_: object) -> None:
        raise OutputError("shut")

    with monkeypatch.context() as patch:
        patch.setattr(engine.session, "take_up_outputs", shut)
        engine.reload(lambda: Reloaded(plan(tmp_path, OTHER), {}))
        engine._take_reload()
    assert isinstance(engine.reload_error, OutputError)
    assert names() == ["users"]
    (tmp_path / "users.csv").write_text("k\nc\n")
    until(lambda: references.waiting)
    engine.reload(lambda: Reloaded(plan(tmp_path, OTHER), {}))
    engine._take_reload()
    assert engine.reload_error is None
    assert names() == list(engine.session.state.references) == ["others"]


def test_a_backlog_does_not_hold_a_new_version_up(engine: SparkEngine, tmp_path: Path) -> None:
    session = engine.session
    before = session.state.references["users"]
    engine._offered = 1
    (tmp_path / "users.csv").write_text("k\nb\n")
    until(lambda: session.references.waiting)
    engine._take_references()
    assert session.state.references["users"] == before
    # The batch has come, and there is more to read.
    engine._offered = None
    engine._planner.count([Note("x", "", "")])
    engine._plan()
    assert engine._offered is None
    engine._take_references()
    assert session.state.references["users"] != before


def test_what_is_told_of_references_is_counted(
    engine: SparkEngine, tmp_path: Path, told: list[Note]
) -> None:
    engine._offered = 1
    (tmp_path / "users.csv").write_text("k,k\nb,b\n")

    def failed() -> bool:
        engine._take_references()
        return any(note.code == FAILED for note in told)

    until(failed)
    notes = engine._planner.plan().notes
    assert notes[LOADED] == 1
    assert notes[FAILED] >= 1
