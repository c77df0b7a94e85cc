"""The source read again for one rule and key, in memory, up to the close of its windows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailrace.config import CaptureSource, HttpSource, KafkaSource, StdinSource
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.liveness import LivenessClock
from tailrace.errors import SourceError, TailraceError
from tailrace.expr.nodes import Binary, Literal, Type
from tailrace.formats.records import UNTIMED
from tailrace.sources.opening import open_source
from tailrace.store.store import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailrace.engines.embedded.session import Session
    from tailrace.engines.explain.references import VersionsThen
    from tailrace.expr.nodes import Node
    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Plan, Rule
    from tailrace.reference.snapshot import Snapshot
    from tailrace.sources.types import Source

BATCH_BYTES = 16 << 20

_EVER = 2**61
"""Longer than all of time, to keep every pane."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """The session that read, its rule, and the least event time that it read (None: no events)."""

    session: Session
    rule: Rule
    earliest: int | None


@contextmanager
def read_again(
    plan: Plan,
    rule: Rule,
    key: tuple[Scalar, ...],
    until: int,
    versions: VersionsThen,
    source: Source | None = None,
) -> Iterator[ReadAgain]:
    """Run one rule over the source, events of one key only, until ``until`` has closed.

    Events are matched with the versions of references that were in force at ``until``.
    TailraceError if the source can't be read again or can't be read now.
    """
    if source is None:
        source = _source(plan)
    narrow = replace(rule, where=_of_key(rule, key), to=())
    alone = replace(plan, rules=(narrow,), event_rules=(), archive=(), explain_retain=_EVER)
    try:
        session = open_session(alone, MEMORY, source=source, outputs={}, early_notices=False)
    except SourceError as error:
        raise _unreadable(error) from error
    try:
        snapshots = versions.snapshots(rule, until)
        yield ReadAgain(session, narrow, _run(session, until, snapshots))
    except SourceError as error:
        raise _unreadable(error) from error
    finally:
        session.close()


def _source(plan: Plan) -> Source:
    config = plan.config
    if isinstance(config.source, StdinSource):
        raise TailraceError(
            "what the window held is not kept, and standard input can't be read again",
            hint="explain.retain: 1h would keep it, or write the input to a file",
        )
    if isinstance(config.source, CaptureSource):
        raise TailraceError(
            "what the window held is not kept, and packets can't be captured again",
            hint="explain.retain: 1h would keep it for an hour of event time",
        )
    if isinstance(config.source, HttpSource):
        raise TailraceError(
            "what the window held is not kept, and what was sent can't be asked for again",
            hint="explain.retain: 1h would keep it for an hour of event time",
        )
    if isinstance(config.source, KafkaSource) and config.source.start == "latest":
        raise TailraceError(
            "what the window held is not kept, and where reading of the topics began isn't, either",
            hint="explain.retain: 1h would keep it for an hour of event time",
        )
    return open_source(config, until_end=True)


def _unreadable(error: SourceError) -> TailraceError:
    return TailraceError(
        "what the window held is not kept, and the source can't be read again",
        hint="explain.retain: 1h would keep it for an hour of event time",
        problems=error.problems,
    )


def _of_key(rule: Rule, key: tuple[Scalar, ...]) -> Node | None:
    where = rule.where
    for part, value in zip(rule.keys, key, strict=True):
        literal = Literal(type=part.node.type, value=value)
        equal = Binary(type=Type.BOOLEAN, op="=", left=part.node, right=literal)
        where = (
            equal if where is None else Binary(type=Type.BOOLEAN, op="and", left=where, right=equal)
        )
    return where


def _run(session: Session, until: int, snapshots: Mapping[str, Snapshot]) -> int | None:
    decoder = make_decoder(session.plan)
    liveness = LivenessClock(session.plan.idle_after, session.plan.grace)
    state, source = session.state, session.source
    earliest: int | None = None
    open_: set[str] = set()
    if snapshots:
        session.turn([], snapshots=snapshots)
    while state.frontier < until:
        maxima = {name: p.maximum for name, p in state.partitions.items()}
        poll = source.poll(BATCH_BYTES, maxima)
        open_ = (open_ | set(poll.appeared)) - set(poll.ended)
        work = [(c, decoder.decode(c.records, c.slice.fields)) for c in poll.chunks]
        for _, decoded in work:
            known = decoded.time[decoded.time > UNTIMED]
            if len(known):
                least = int(known.min())
                earliest = least if earliest is None else min(earliest, least)
        after = [Decision(DecisionKind.ENDED, name) for name in poll.ended]
        before = liveness.before(poll, state)
        if work or before or after:
            session.turn(work, before, after)
        if not open_:
            session.finish_input()
            break
        if not poll.chunks:
            source.wait(0.05)
    return earliest
