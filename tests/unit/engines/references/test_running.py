"""A pipeline that runs while its reference changes, fails, goes and comes back."""

from pathlib import Path

import pytest
from tests.unit.engines.references.live import Live, until

from tailrace.engines.gathering import status_of_file
from tailrace.errors import TableError


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tmp_path)


def test_a_changed_file_is_taken_up_and_versions_are_told(live: Live) -> None:
    live.limits("host,most\na,10\n")
    with live.running():
        live.event(1, "a", 15)
        live.event(11, "a", 15)  # [0s, 10s) closes
        until(lambda: len(live.told()) == 1)
        before = live.standings[0].version
        live.limits("host,most\na,20\nb,5\n")
        until(lambda: live.standings[0].version != before)
        live.event(21, "b", 7)  # [10s, 20s) closes: 15 is no more than 20
        live.event(31, "b", 1)  # [20s, 30s) closes: 7 is more than 5
        until(lambda: len(live.told("rows")) == 2)
    first, last = live.told("rows")
    assert first["references"] == {"limits": before}
    assert (last["host"], last["limits_most"]) == ("b", 5)
    assert last["references"] == {"limits": live.standings[0].version}
    assert live.told()[0]["references"] == {"limits": before}
    assert live.standings[0].rows == 2
    kept = status_of_file(live.folder / "s.duckdb")
    assert [one.version for one in kept.references] == [live.standings[0].version]
    assert kept.notes["reference_loaded"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("host,most\n", "there are no rows"),
        ("host,most\na,1\na,2\n", "with different values (line 2 and line 3)"),
        ("host,most\na,x\n", "line 2: most: 'x' is not an integer"),
    ],
)
def test_a_load_that_fails_changes_nothing(live: Live, text: str, message: str) -> None:
    live.limits("host,most\na,10\n")
    with live.running():
        until(lambda: live.standings)
        version = live.standings[0].version
        live.limits(text)
        until(lambda: live.standings[0].error)
        live.event(1, "a", 15)
        live.event(11, "a", 1)
        until(lambda: len(live.told()) == 1)
        assert live.standings[0].version == version
        live.limits("host,most\na,11\n")
        until(lambda: live.standings[0].error is None)
    failed = [note for note in live.notes if "stays in force" in note]
    assert len(failed) == 1
    assert message in failed[0]


def test_it_goes_on_with_what_it_had_when_the_file_is_gone(live: Live) -> None:
    live.limits("host,most\na,10\n")
    live.event(1, "a", 15)
    with live.running():
        until(lambda: live.standings and live.standings[0].version)
    (live.folder / "limits.csv").unlink()
    live.forget()
    with live.running():
        until(lambda: live.standings)
        assert live.standings[0].error is not None
        live.event(11, "a", 1)
        until(lambda: live.told("rows"))
    assert [row["host"] for row in live.told("rows")] == ["a"]


def test_without_any_version_it_does_not_start(live: Live) -> None:
    live.pipeline(follow=False)
    live.event(1, "a", 15)
    with pytest.raises(TableError, match=r"limits.csv can't be read"):
        live.run()
    assert live.told() == []


def test_a_reload_that_changes_the_key(live: Live) -> None:
    live.limits("host,most,name\na,10,A\n")
    with live.running():
        until(lambda: live.standings)
        live.event(1, "A", 1)
        until(lambda: len(live.told()) == 1)  # no host is called A

        def change(text: str) -> str:
            text = text.replace("key: host", "key: name\n    match: {name: host}")
            return text.replace("columns: {host: text,", "columns: {host: text, name: text,")

        before = live.standings[0].version
        live.pipeline(follow=True, change=change)
        live.reload()
        until(lambda: live.standings[0].version != before)
        live.event(2, "a", 1)  # no name is a
        until(lambda: len(live.told()) == 2)
        live.event(3, "A", 1)
        live.event(4, "b", 1)
        until(lambda: len(live.told()) == 3)
    hosts = [row["fields"]["host"] for row in live.told()]  # type: ignore[index]
    assert hosts == ["A", "a", "b"]
