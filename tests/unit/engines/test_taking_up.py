"""Taking up where a process left: after a kill, after a change of the file, after the end."""

import json
from pathlib import Path

import pytest
from tests.unit.engines.pipelines import lines, open_in, plan_in, run

from tailrace.config import loads
from tailrace.engines.concluding import Result
from tailrace.engines.embedded import engine as engine_module
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, make_outputs, open_session
from tailrace.engines.embedded.session import Session
from tailrace.engines.gathering import status_of_file
from tailrace.engines.running import Reloaded
from tailrace.engines.status import Status
from tailrace.errors import OutputError, PipelineError, StoreError
from tailrace.plan.compile import compile_pipeline


class KilledError(BaseException):
    """The process "dies" here."""


def status(folder: Path) -> Status:
    return status_of_file(folder / "store.duckdb")


def revisions(path: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [(row["reason"], row["window"]["end"]) for row in rows]


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("point", ["plan", "commit", "delivered"])
def test_files_are_read_once_however_often_it_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follow: bool, point: str
) -> None:
    monkeypatch.setattr(engine_module, "BATCH_BYTES", 500)
    monkeypatch.setattr(engine_module, "EPOCH_BYTES", 500)
    (tmp_path / "in.ndjson").write_text(lines(range(100)))
    plan = plan_in(tmp_path, follow=follow)
    deaths = 0
    for death in (1, 2):
        passed = 0

        def die(name: str, death: int = death) -> None:
            nonlocal passed
            passed += name == point
            if passed == death:
                raise KilledError

        try:
            session = open_in(tmp_path, plan, die)
        except KilledError:
            deaths += 1
            continue
        try:
            Engine(session, make_decoder).run()
        except KilledError:
            deaths += 1
        for part in (session.store, session.source, session.delivery):
            part.close()
    assert deaths == 2
    assert run(open_in(tmp_path, plan))
    assert status(tmp_path).read == 100
    found = revisions(tmp_path / "out.ndjson")
    assert found == [("opened", "1970-01-01T00:00:10.000Z"), ("input_ended", found[-1][1])]


def test_an_input_that_has_ended_stays_ended(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2]))
    for _ in range(3):
        assert run(open_in(tmp_path, plan_in(tmp_path)))
    assert [reason for reason, _ in revisions(tmp_path / "out.ndjson")] == ["opened", "input_ended"]
    assert status(tmp_path).finished


@pytest.mark.parametrize("more", ["", lines([30])])
def test_more_of_an_input_that_has_ended_is_refused(tmp_path: Path, more: str) -> None:
    source = tmp_path / "in.ndjson"
    source.write_text(lines([0, 1, 2]))
    run(open_in(tmp_path, plan_in(tmp_path, follow=True)))
    source.write_text(source.read_text() + more)
    again = open_in(tmp_path, plan_in(tmp_path, follow=True))
    if more:
        with pytest.raises(StoreError, match="its windows are closed"):
            run(again)
    else:
        assert run(again)
    assert status(tmp_path).read == 3


def reload(folder: Path, load: object) -> Engine:
    """Run to the end with a reload before the first epoch."""
    session = open_in(folder, plan_in(folder))
    engine = Engine(session, make_decoder)
    engine.reload(load)  # type: ignore[arg-type]  # a case may raise
    try:
        engine.run()
    finally:
        session.close()
    return engine


def test_a_reload_adds_a_rule_and_its_output(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2]))
    more = f'  new: {{file: {{path: "{tmp_path}/new.ndjson"}}}}\n'
    more += "archive: {to: [new]}\n"
    plan = plan_in(tmp_path, extra=more)
    fresh = {name: output for name, output in make_outputs(plan, "").items() if name == "new"}
    engine = reload(tmp_path, lambda: Reloaded(plan, fresh))
    assert engine.reload_error is None
    assert len((tmp_path / "new.ndjson").read_text().splitlines()) == 3
    assert {o.name: o.delivered for o in status(tmp_path).outputs} == {"out": 2, "new": 3, "tab": 0}


def test_a_reload_takes_an_output_away(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2]))
    text = plan_in(tmp_path)
    kept = json.loads(text.text)["text"].replace("    to: [out]\n", "")
    kept = kept.replace(f'  out: {{file: {{path: "{tmp_path}/out.ndjson"}}}}\n', "")
    plan = compile_pipeline(loads(kept))
    assert reload(tmp_path, lambda: Reloaded(plan, {})).reload_error is None
    assert (tmp_path / "out.ndjson").read_text() == ""
    assert status(tmp_path).incidents == 1


def test_a_reload_that_fails_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2]))

    def wrong() -> Reloaded:
        raise PipelineError("no")

    engine = reload(tmp_path, wrong)
    assert isinstance(engine.reload_error, PipelineError)
    assert len(revisions(tmp_path / "out.ndjson")) == 2


def test_an_output_that_can_not_be_opened_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2]))
    (tmp_path / "new.ndjson").write_text("somebody else's")
    plan = plan_in(tmp_path, extra=f'  new: {{file: {{path: "{tmp_path}/new.ndjson"}}}}\n')
    fresh = {name: output for name, output in make_outputs(plan, "").items() if name == "new"}
    engine = reload(tmp_path, lambda: Reloaded(plan, fresh))
    assert isinstance(engine.reload_error, OutputError)
    assert (tmp_path / "new.ndjson").read_text() == "somebody else's"
    assert [o.name for o in status(tmp_path).outputs] == ["out", "tab"]


def test_a_reload_takes_away_the_output_that_holds_everything_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.ndjson").write_text(lines(range(50)))
    session = open_in(tmp_path, plan_in(tmp_path))
    monkeypatch.setattr(session.delivery, "_most_bytes", -1)
    plan = plan_in(tmp_path)
    reloads = 0

    def load() -> Reloaded:
        nonlocal reloads
        reloads += 1
        monkeypatch.setattr(session.delivery, "_most_bytes", 1 << 30)
        return Reloaded(plan, {})

    def ask(*_: object) -> None:
        if not reloads:
            engine.reload(load)

    engine = Engine(session, make_decoder, listen=ask)
    try:
        assert engine.run()
    finally:
        session.close()
    assert reloads == 1


def until_read(session: Session) -> None:
    """Run until an epoch has read something."""

    def listen(result: Result | None, _notes: object) -> None:
        if result is not None:
            engine.stop()

    engine = Engine(session, make_decoder, listen=listen)
    engine.run()
    session.close()


@pytest.mark.parametrize(("by", "duplicates"), [("a", 2), ("b", 1)])
def test_other_fields_of_dedup_begin_without_memory(
    tmp_path: Path, by: str, duplicates: int
) -> None:
    text = json.loads(plan_in(tmp_path, follow=True).text)["text"]
    text = text.replace("fields: {a: text", "fields: {b: text, a: text")
    once = '{"t": 1, "a": "x", "b": "y"}\n'
    with (tmp_path / "in.ndjson").open("a") as file:
        for fields, more in (("a", once + once), (by, '{"t": 2, "a": "x", "b": "x"}\n')):
            file.write(more)
            file.flush()
            dedup = f"dedup: {{by: {fields}, within: 1m}}\n"
            plan = compile_pipeline(loads(text + dedup, "small.yaml"))
            session = open_session(plan, tmp_path / "store.duckdb")
            until_read(session)
    assert status(tmp_path).duplicates == duplicates
