"""A pipeline with references in a folder, for tests to run, change and reload."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.running import Reloaded
from tailrace.engines.status import ReferenceStatus
from tailrace.outputs import Output
from tailrace.plan.compile import compile_file

PATIENCE_SECONDS = 120.0
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

    def reload(self, **outputs: Output) -> None:
        assert self.engine is not None
        plan = compile_file(self.folder / "p.yaml")
        self.engine.reload(lambda: Reloaded(plan, outputs))

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


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
