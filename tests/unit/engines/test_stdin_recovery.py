"""Standard input can't be read again: what a dead process had taken of it is lost, and counted."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tailrace.config import loads
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.running import Reloaded
from tailrace.errors import GoneError
from tailrace.plan.compile import compile_pipeline
from tailrace.sources.memory import MemorySource
from tailrace.sources.standard_input import StandardInput

if TYPE_CHECKING:
    from pathlib import Path

    from tailrace.engines.concluding import Result
    from tailrace.formats.records import Records
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Slice

PIPELINE = """
name: piped
source: {stdin: {}}
time: {field: t}
fields: {k: text}
rules:
  - record: seen
    by: k
    window: 10s
    select: {n: count(*)}
"""


class DiedError(Exception):
    """The process "dies" here."""


class Pipe(MemorySource):
    """Bytes that come once."""

    def reread(self, piece: Slice) -> Records:
        raise GoneError(f"{piece.partition} can't be read again")


def plan() -> Plan:
    return compile_pipeline(loads(PIPELINE, env={}))


def die(point: str) -> None:
    if point == "plan":
        raise DiedError


def test_an_epoch_that_was_begun_is_dropped_and_counted(tmp_path: Path) -> None:
    store = tmp_path / "store.duckdb"
    lines = b'{"t": 1, "k": "a"}\n{"t": 2, "k": "a"}\n'
    session = open_session(plan(), store, source=Pipe({"stdin": lines}), on_commit=die)
    poll = session.source.poll(1 << 20, {})
    decoder = make_decoder(session.plan)
    work = [(chunk, decoder.decode(chunk.records, {})) for chunk in poll.chunks]
    assert work
    with pytest.raises(DiedError):
        session.turn(work)
    session.store.close()

    again = open_session(plan(), store, source=Pipe({"stdin": lines}))
    assert again.state.counts.read == 0
    assert again.state.counts.notes == {"stdin_lost_bytes": len(lines)}
    again.close()


def test_a_reload_loses_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    read, write = os.pipe()
    source = StandardInput(read)
    session = open_session(plan(), tmp_path / "store.duckdb", source=source)
    lines = [f'{{"t": {second}, "k": "a"}}\n'.encode() for second in range(40)]
    rests = [b""]

    def listen(_result: Result | None, _notes: object) -> None:
        if lines:
            # Half a line is in the reader whenever the file is taken up.
            line = lines.pop(0)
            half, rest = rests.pop() + line[:9], line[9:]
            rests.append(rest)
            os.write(write, half)
            engine.reload(lambda: Reloaded(plan(), {}))
        elif rests:
            os.write(write, rests.pop())
        else:
            with suppress(OSError):
                os.close(write)

    engine = Engine(session, make_decoder, listen=listen)
    assert engine.run()
    counts = session.state.counts
    assert (counts.read, counts.dead, counts.notes) == (40, 0, {})
    session.close()
    os.close(read)
