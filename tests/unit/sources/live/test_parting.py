"""What a source tells when a run ends is told and counted: drops since they were last asked for."""

from __future__ import annotations

from tailrace.config import CaptureSource, loads
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.plan.compile import compile_pipeline
from tailrace.sources.live.source import PARTITION, CapturedPackets
from tailrace.sources.types import Note
from tailrace.store.store import MEMORY

PIPELINE = """
name: packets
source: {capture: {}}
time: {field: time}
fields: {source: text}
rules: [{alert: any, when: source is not null}]
"""
DROPPED = Note("packets_dropped", PARTITION, "7 packets were dropped", 7)


class Dropping(CapturedPackets):
    """Captures nothing; the kernel dropped some since it was asked last."""

    def parting(self) -> tuple[Note, ...]:
        return (DROPPED,)


def test_what_is_told_at_the_end() -> None:
    source = Dropping(CaptureSource(), captures=False)
    told: list[Note] = []
    session = open_session(
        compile_pipeline(loads(PIPELINE)), MEMORY, source=source, outputs={}, early_notices=False
    )
    try:
        Engine(session, make_decoder, listen=lambda _, notes: told.extend(notes)).run()
        assert told == [DROPPED]
        assert session.state.counts.notes == {"packets_dropped": 7}
    finally:
        session.close()
