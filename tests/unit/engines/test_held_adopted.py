"""Archived events that wait when the pipeline changes: judged by what is known, none is left."""

import json
from pathlib import Path

import pytest
from tests.unit.engines.pipelines import lines, open_in

from tailrace.config import loads
from tailrace.engines.concluding import Result
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder
from tailrace.engines.embedded.session import Session
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan

TEXT = """
name: marked
source: {{file: {{path: "{folder}/in.ndjson", follow: true}}}}
time: {{field: t, grace: 0s}}
fields: {{a: text, n: integer}}
rules:
  - alert: many
    by: a
    window: 10s sliding
    when: count(*) >= 2
verdicts:
  bots: {{from: [many], for: 1h}}
archive: {{to: [all], verdicts: {{is_bot: bots}}}}
outputs:
  all: {{file: {{path: "{folder}/all.ndjson"}}}}
"""

MARKS = ", verdicts: {is_bot: bots}"
CHANGES = [
    ("no marks", lambda text: text.replace(MARKS, "")),
    ("no lists", lambda text: text.replace(MARKS, "").replace("  bots: {", "  others: {")),
    ("another type", lambda text: text.replace("n: integer", "n: text")),
]


def plan_of(text: str) -> Plan:
    return compile_pipeline(loads(text, "marked.yaml"))


def until_read(session: Session) -> None:
    """Run until an epoch has read something."""

    def listen(result: Result | None, _notes: object) -> None:
        if result is not None and result.events:
            engine.stop()

    engine = Engine(session, make_decoder, listen=listen)
    try:
        engine.run()
    finally:
        session.close()


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_none_is_left(tmp_path: Path, name: str, change: object) -> None:
    text = TEXT.format(folder=tmp_path)
    source = tmp_path / "in.ndjson"
    for first in ([0, 1, 2], [109]):
        with source.open("a") as file:
            file.write(lines(first))
        until_read(open_in(tmp_path, plan_of(text)))
    # What waits isn't there yet: the rule may still fire at its instant.
    archived = tmp_path / "all.ndjson"
    assert len(archived.read_text().splitlines()) < 4
    other = plan_of(change(text))  # type: ignore[operator]  # a row of the table
    open_in(tmp_path, other).close()
    found = [json.loads(line) for line in archived.read_text().splitlines()]
    assert [(each["n"], each["is_bot"]) for each in found] == [
        (1, False),
        (1, True),
        (1, True),
        (1, True),
    ]
    for at in (110, 200):
        with source.open("a") as file:
            file.write(f'{{"t":{at},"a":"k","n":"1"}}\n' if "type" in name else lines([at]))
        until_read(open_in(tmp_path, other))
    # The fields are of the types that they have by then, and nothing waits in vain.
    late = [json.loads(line) for line in archived.read_text().splitlines()[4:]]
    assert [each["n"] for each in late] == ["1" if "type" in name else 1] * len(late)
    session = open_in(tmp_path, other)
    waits = session.store.held_after(None)[0]
    session.close()
    assert len(late) + waits == 2
