"""A pipeline that runs while its reference changes, fails, goes and comes back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.gathering import status_of_file
from tailrace.engines.running import Reloaded
from tailrace.engines.status import ReferenceStatus
from tailrace.errors import TableError
from tailrace.plan.compile import compile_file

PATIENCE_SECONDS = 20.0
PIPELINE = """
name: live
source: {file: {path: IN, follow: FOLLOW}}
time: {field: t, grace: 0s}
fields: {host: text, n: integer}
references:
  limits:
    file: {path: LIMITS}
    key: host
    columns: {host: text, most: integer}
rules:
  - alert: much
    by: host
    window: 10s
    when: sum(n) > limits.most
    to: [alerts, rows]
  - alert: unknown
    when: not known(limits)
    to: [alerts]
outputs:
  alerts: {file: {path: ALERTS}}
  rows: {file: {path: ROWS}, rows: windows}
store: {path: STORE}
"""


class Live:
    """A pipeline in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self.standings: tuple[ReferenceStatus, ...] = ()
        self.engine: Engine | None = None
        self.pipeline(follow=True)
        self.events("")

    def pipeline(self, *, follow: bool, change: Callable[[str], str] = lambda text: text) -> None:
        text = PIPELINE.replace("FOLLOW", str(follow).lower())
        for word in ("IN", "LIMITS", "ALERTS", "ROWS", "STORE"):
            text = text.replace(f": {word}", f": {self.folder / self.name(word)}")
        (self.folder / "p.yaml").write_text(change(text))

    @staticmethod
    def name(word: str) -> str:
        return {"IN": "in.ndjson", "LIMITS": "limits.csv", "STORE": "s.duckdb"}.get(
            word, f"{word.lower()}.ndjson"
        )

    def limits(self, text: str) -> None:
        """Replace the file as one should."""
        fresh = self.folder / "limits.new"
        fresh.write_text(text)
        fresh.rename(self.folder / "limits.csv")

    def events(self, text: str) -> None:
        with (self.folder / "in.ndjson").open("a") as file:
            file.write(text)

    def event(self, second: int, host: str, n: int) -> None:
        self.events(json.dumps({"t": second, "host": host, "n": n}) + "\n")

    def told(self, output: str = "alerts") -> list[dict[str, object]]:
        path = self.folder / f"{output}.ndjson"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def run(self) -> None:
        """To the end of the input."""
        plan = compile_file(self.folder / "p.yaml")
        session = open_session(plan, plan.config.store.path or "")
        try:
            Engine(session, make_decoder, listen=lambda _, n: self._note(n)).run()
        finally:
            session.close()

    def _note(self, notes: tuple[object, ...]) -> None:
        self.notes += [str(getattr(note, "text", "")) for note in notes]

    def forget(self) -> None:
        self.standings = ()

    def reload(self) -> None:
        assert self.engine is not None
        plan = compile_file(self.folder / "p.yaml")
        self.engine.reload(lambda: Reloaded(plan, {}))

    @contextmanager
    def running(self) -> Iterator[None]:
        plan = compile_file(self.folder / "p.yaml")
        session = open_session(plan, plan.config.store.path or "")

        def listen(_: object, notes: tuple[object, ...]) -> None:
            self._note(notes)
            self.standings = session.references.standings(session.state.references)

        engine = Engine(session, make_decoder, listen=listen)
        self.engine = engine
        thread = threading.Thread(target=engine.run)
        thread.start()
        try:
            yield
        finally:
            engine.stop()
            thread.join()
            session.close()


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tmp_path)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


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
