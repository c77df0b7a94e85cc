from pathlib import Path

import duckdb
import pytest
from tests.unit.engines.pipelines import lines, open_in, plan_in, run

from tailrace.engines.embedded.opening import make_decoder
from tailrace.engines.embedded.session import Session
from tailrace.engines.gathering import live_status, status_of_file, with_store
from tailrace.engines.status import ProcessStatus, Status
from tailrace.errors import StoreError
from tailrace.sources.types import Poll
from tailrace.store.reading import StoreInUseError, open_reader

PROCESS = ProcessStatus(1, 0, 1.0, 0.0, bounded=True, times={})


def turn(session: Session) -> Poll:
    """One poll as one epoch."""
    from tailrace.engines.epoch import Decision, DecisionKind

    poll = session.source.poll(1 << 20, {})
    decoder = make_decoder(session.plan)
    before = [Decision(DecisionKind.APPEARED, name) for name in poll.appeared]
    session.turn([(c, decoder.decode(c.records, c.slice.fields)) for c in poll.chunks], before)
    return poll


def live(session: Session) -> Status:
    reader = session.store.reader()
    try:
        return with_store(live_status(session, PROCESS), reader)
    finally:
        reader.close()


def test_the_same_is_told_live_and_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2, 11, 12, 13, 25]) + "\nnonsense\n")
    session = open_in(tmp_path, plan_in(tmp_path))
    turn(session)
    seen = live(session)
    session.close()
    kept = status_of_file(tmp_path / "store.duckdb")

    assert (seen.read, seen.events, seen.dead, seen.blank) == (9, 7, 1, 1)
    assert seen.adds_up
    assert (seen.watermark, seen.newest) == (25_000_000, 25_000_000)
    assert seen.dead_by_code == {"malformed_json": 1}
    assert [(r.name, r.accepted, r.firings, r.open_windows) for r in seen.rules] == [
        ("many", 7, 2, 1),
        ("sums", 7, 2, 1),
    ]
    (partition,) = seen.partitions
    assert (partition.liveness, partition.read, partition.position) == ("live", 9, 168)
    assert seen.incidents == 1
    (incident,) = seen.oldest_incidents
    assert (incident.rule, incident.key, incident.opened_at, incident.summary) == (
        "many",
        {"a": "k"},
        10_000_000,
        "k came 3 times",
    )
    assert [(o.name, o.kind, o.delivered) for o in seen.outputs] == [
        ("out", "file", 1),
        ("tab", "table sums", 0),
    ]
    tables = {"dead_letters": 1, "incidents": 1, "refused": 0, "sums": 2, "verdicts": 0}
    assert seen.tables == tables
    (group,) = seen.groups
    assert (group.rules, group.keys, group.rows) == (("many", "sums"), 1, 1)

    for name in ("read", "events", "partitions", "rules", "outputs", "oldest_incidents", "tables"):
        assert getattr(kept, name) == getattr(seen, name), name
    assert (kept.groups[0].rules, kept.groups[0].keys) == (("many", "sums"), 1)
    assert (kept.process, kept.finished) == (None, False)


def test_a_store_that_was_never_run_on(tmp_path: Path) -> None:
    open_in(tmp_path, plan_in(tmp_path, follow=True)).close()
    status = status_of_file(tmp_path / "store.duckdb")
    assert (status.pipeline, status.read, status.watermark) == ("small", 0, None)
    assert [rule.name for rule in status.rules] == ["many", "sums"]


def test_rows_that_no_output_has_taken(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2]))
    session = open_in(tmp_path, plan_in(tmp_path))
    (tmp_path / "out.ndjson").unlink()
    run(session)
    out = status_of_file(tmp_path / "store.duckdb").outputs[0]
    assert (out.name, out.delivered, out.waiting_rows) == ("out", 0, 2)
    assert out.waiting_bytes > 0


def test_a_store_in_use(tmp_path: Path) -> None:
    session = open_in(tmp_path, plan_in(tmp_path, follow=True))
    try:
        # DuckDB locks against other processes; within one it refuses another configuration.
        with pytest.raises(StoreError):
            open_reader(tmp_path / "store.duckdb")
    finally:
        session.close()
    assert issubclass(StoreInUseError, StoreError)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is no store at"), (b"", "can't be opened"), (b"x" * 5000, "can't be opened")],
)
def test_what_is_no_store(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "s.duckdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=message):
        status_of_file(path)


def test_a_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    duckdb.connect(str(path)).execute("create table t (a integer)").close()
    with pytest.raises(StoreError, match="is no Tailrace store"):
        status_of_file(path)
    duckdb.connect(str(path)).execute(
        "create table tailrace_meta as select 'format_version' as name, '99' as value"
    ).close()
    with pytest.raises(StoreError, match="has store format 99"):
        status_of_file(path)
