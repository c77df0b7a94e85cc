"""A pipeline file that changes what is looked up: loaded first, in force with it, or not at all."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.engines.references.live import Live, until

from tailrace.engines.embedded.opening import make_outputs, open_session
from tailrace.errors import OutputError, TableError
from tailrace.plan.compile import compile_file
from tailrace.store.store import Store

Change = Callable[[str], str]


@pytest.fixture
def live(tmp_path: Path) -> Live:
    found = Live(tmp_path)
    found.limits("host,most\na,10\n")
    return found


def other(text: str) -> str:
    """Another reference and another rule in place of all."""
    gone = "references:\n  gone: {file: {path: LIMITS}, key: host, columns: {host: text}}\n"
    rules = "rules:\n  - {alert: other, when: known(gone), to: [alerts]}\n"
    path = re.findall("path: (.*limits.csv)", text)[0].replace("limits.csv", "gone.csv")
    found = re.sub("references:.*(?=outputs:)", gone + rules, text, flags=re.DOTALL)
    return found.replace("LIMITS", path)


def without(text: str) -> str:
    """Nothing is looked up."""
    rules = "rules:\n  - {alert: all, when: n > 0, to: [alerts]}\n"
    return re.sub("references:.*(?=outputs:)", rules, text, flags=re.DOTALL)


def asked(live: Live, sql: str) -> list[dict[str, object]]:
    store = Store.open(live.folder / "s.duckdb", "live")
    try:
        rows: list[dict[str, object]] = store.query(sql).to_pylist()
    finally:
        store.close()
    return rows


def open_incident(live: Live) -> None:
    with live.running():
        live.event(1, "a", 15)
        live.event(11, "a", 15)  # [0s, 10s) closes
        until(lambda: len(live.told()) == 1)


def test_a_start_with_a_reference_that_cannot_be_loaded_changes_nothing(live: Live) -> None:
    open_incident(live)
    before = asked(live, "select epoch, kind from tailrace_decisions")
    live.pipeline(follow=True, change=other)
    plan = compile_file(live.folder / "p.yaml")
    for _ in range(2):
        with pytest.raises(TableError, match=r"gone.csv can't be read"):
            open_session(plan, live.folder / "s.duckdb")
        assert asked(live, "select state from incidents") == [{"state": "firing"}]
        assert asked(live, "select epoch, kind from tailrace_decisions") == before
    (live.folder / "gone.csv").write_text("host\na\n")
    live.forget()
    with live.running():
        until(lambda: live.standings and live.standings[0].version)
    assert asked(live, "select reason from incidents") == [{"reason": "rule_removed"}]
    late = "select kind, epoch from tailrace_decisions order by epoch desc, ordinal limit 2"
    kinds = asked(live, late)
    assert {row["kind"] for row in kinds} == {"reference", "rule_start"}
    assert len({row["epoch"] for row in kinds}) == 1
    assert [note for note in live.notes if "reference gone: version" in note]


def test_a_reload_that_fails_at_the_outputs_loses_no_reference(live: Live) -> None:
    (live.folder / "more.ndjson").write_text("somebody else's")

    def change(text: str) -> str:
        more = f"  more: {{file: {{path: {live.folder}/more.ndjson}}}}\n"
        return other(text).replace("outputs:\n", "outputs:\n" + more)

    (live.folder / "gone.csv").write_text("host\nx\n")
    with live.running():
        assert live.engine is not None
        until(lambda: live.standings)
        before = live.standings[0].version
        live.pipeline(follow=True, change=change)
        plan = compile_file(live.folder / "p.yaml")
        fresh = make_outputs(plan, "", names={"more"})
        live.reload(**fresh)
        until(lambda: live.engine is not None and live.engine.reload_error)
        assert isinstance(live.engine.reload_error, OutputError)
        live.limits("host,most\na,20\n")
        until(lambda: live.standings[0].version != before)
        assert live.standings[0].name == "limits"
        (live.folder / "more.ndjson").unlink()
        live.reload(**make_outputs(plan, "", names={"more"}))
        until(lambda: live.standings[0].name == "gone")
        assert live.standings[0].version is not None
        live.event(31, "x", 1)
        until(lambda: live.told()[-1:] and live.told()[-1]["rule"] == "other")


@pytest.mark.parametrize("running", [True, False])
def test_what_is_not_named_any_more_is_forgotten(live: Live, running: bool) -> None:
    open_incident(live)
    kept = "select name from tailrace_references"
    assert asked(live, kept) == [{"name": "limits"}]
    if running:
        with live.running():
            until(lambda: live.standings)
            live.pipeline(follow=True, change=without)
            live.reload()
            until(lambda: not live.standings)
    else:
        live.pipeline(follow=True, change=without)
        with live.running():
            live.event(21, "a", 1)
            until(lambda: live.told()[-1]["rule"] == "all")
    assert asked(live, kept) == []
    live.pipeline(follow=True)
    (live.folder / "limits.csv").unlink()
    with pytest.raises(TableError, match=r"limits.csv can't be read"):
        open_session(compile_file(live.folder / "p.yaml"), live.folder / "s.duckdb")
