"""A run that reads other files than the one before: what isn't read any more holds nothing up."""

from pathlib import Path

import pytest
from tests.unit.engines.pipelines import TEXT, lines

from tailrace.config import loads
from tailrace.engines.concluding import Result
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.liveness import DROPPED
from tailrace.engines.spark.inputs import PlannedInput
from tailrace.engines.state import EngineState
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan
from tailrace.sources.memory import MemorySource
from tailrace.sources.types import Note, Poll

pytestmark = pytest.mark.timeout(100)


def reading(folder: Path, name: str) -> Plan:
    text = TEXT.format(folder=folder, follow="true").replace("in.ndjson", name)
    return compile_pipeline(loads(text, "small.yaml"))


def test_the_end_of_the_others_is_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(lines([1, 2, 3]))
    (tmp_path / "b.ndjson").write_text(lines([14]))

    def listen(result: Result | None, _notes: object) -> None:
        if result is not None and result.events:
            engine.stop()

    session = open_session(reading(tmp_path, "a.ndjson"), tmp_path / "store.duckdb")
    engine = Engine(session, make_decoder, listen=listen)
    assert not engine.run()
    session.close()

    other = reading(tmp_path, "b.ndjson")
    session = open_session(other, tmp_path / "store.duckdb", until_end=True)
    assert Engine(session, make_decoder).run()
    sums = session.store.query("select total from sums order by window_start").to_pylist()
    session.close()
    assert [row["total"] for row in sums] == [3, 1]


class Source(MemorySource):
    """Gives out polls that a test has written."""

    def __init__(self, polls: list[Poll]) -> None:
        super().__init__({})
        self.polls = polls

    def poll(self, max_bytes: int, watermarks: object) -> Poll:
        del max_bytes, watermarks
        return self.polls.pop(0)


@pytest.mark.parametrize(
    "poll", [Poll(ended=("a",)), Poll(notes=(Note(DROPPED, "a", "a is no longer read"),))]
)
def test_the_same_on_spark(poll: Poll) -> None:
    source = Source([Poll(appeared=("b",)), poll, Poll(ended=("b",))])
    wanted = PlannedInput(source, carried=False)
    wanted.open({}, {"a"})
    ended = []
    for _ in range(3):
        wanted.look(EngineState())
        ended.append(wanted.ended)
    assert ended == [False, False, True]
