"""Gathering a status: from a session at work, from the store it leaves, and what both share.

The engine's thread makes ``live_status`` between two epochs; ``with_store`` adds, in any thread,
what only the store knows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.engines.state import EngineState
from tailrace.engines.status import (
    REMOVED,
    GroupStatus,
    IncidentStatus,
    ListStatus,
    OutputStatus,
    PartitionStatus,
    ProcessStatus,
    ReferenceStatus,
    RuleStatus,
    Status,
)
from tailrace.errors import TailraceError
from tailrace.kernel.time import NEVER, last_end, next_end
from tailrace.kernel.types import RuleCounts
from tailrace.plan.compile import compile_text
from tailrace.plan.grouping import group_rules
from tailrace.reference.snapshot import Snapshot
from tailrace.sources.types import Troubled
from tailrace.store.reading import StoreReader, open_reader

if TYPE_CHECKING:
    from tailrace.engines.session import BaseSession
    from tailrace.plan.model import Group, Plan, Window

INCIDENTS = 20
"""So many open incidents are named; all are counted."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as DuckDB gives its timestamps
Held = Mapping[str, tuple[int, int] | None]
"""By group: the least and the greatest pane of which something is held."""


def live_status(session: BaseSession, process: ProcessStatus) -> Status:
    """The status of a session between two epochs, without what only its store knows."""
    processor, plan = session.processor, session.plan
    holdings = processor.holdings()
    held = {identity: holding.panes for identity, holding in holdings.items()}
    groups = tuple(
        GroupStatus(tuple(rule.name for rule in group.rules), mine.keys, mine.rows, mine.bytes)
        for group in processor.groups
        for mine in [holdings[group.identity]]
    )
    kinds = _output_kinds(plan)
    outputs = tuple(
        OutputStatus(
            name,
            kinds.get(name, ""),
            standing.delivered_rows + session.state.written.get(name, 0),
            standing.waiting_rows,
            standing.waiting_bytes,
            standing.error,
            standing.waiting_seconds,
            standing.refused_rows,
        )
        for name, standing in session.delivery.standings().items()
    )
    status = _of_state(session.state, plan.name, session.store.path)
    source = session.source
    trouble = source.trouble() if isinstance(source, Troubled) else None
    return replace(
        status,
        process=process,
        watermark=session.watermark,
        source_error=None if trouble is None else trouble.reason,
        source_away_since=None if trouble is None else trouble.since,
        rules=_rules(session.state, plan, processor.groups, held),
        groups=groups,
        outputs=(*outputs, *_tables(plan)),
        references=session.references.standings(session.state.references),
        verdicts=_lists(plan),
        held_rows=processor.conclusion.held.rows,
        held_bytes=processor.conclusion.held.nbytes,
    )


def with_store(status: Status, reader: StoreReader) -> Status:
    """Add open incidents, the rows of tables, the size of the file, and removed outputs' rows."""
    number, oldest = reader.open_incidents(INCIDENTS)
    incidents = tuple(
        IncidentStatus(
            incident.rule,
            incident.key,
            _micros(incident.opened_at),
            _micros(incident.last_firing_at),
            incident.summary,
        )
        for incident in oldest
    )
    listed = reader.listed()
    known = {output.name for output in status.outputs}
    gone = tuple(
        OutputStatus(name, REMOVED, reader.delivered().get(name, 0), wait.rows, wait.bytes)
        for name, wait in reader.outbox().items()
        if name not in known
    )
    return replace(
        status,
        outputs=(*status.outputs, *gone),
        incidents=number,
        oldest_incidents=incidents,
        verdicts=tuple(replace(o, listed=listed.get(o.name, 0)) for o in status.verdicts),
        tables=dict(reader.tables()),
        store_bytes=_size(Path(reader.path)),
    )


def stored_status(reader: StoreReader) -> Status:
    """The status that a store tells when nobody runs its pipeline."""
    meta = reader.meta()
    body = reader.state()
    state = EngineState.from_json(body) if body is not None else EngineState()
    plan = _plan(meta.get("pipeline_text"))
    groups: tuple[Group, ...] = ()
    if plan is not None:
        known = {identity: rule.start for identity, rule in state.rules.items()}
        groups = group_rules(plan.rules, known)
    kept = {group.identity: reader.group(group.identity) for group in groups}
    held = {name: (g.first_pane, g.last_pane) if g else None for name, g in kept.items()}
    status = _of_state(state, meta["pipeline"], reader.path)
    status = replace(
        status,
        rules=_rules(state, plan, groups, held),
        groups=tuple(
            GroupStatus(
                tuple(rule.name for rule in group.rules),
                rows.keys if rows else 0,
                rows.rows if rows else 0,
                rows.bytes if rows else 0,
            )
            for group in groups
            for rows in [kept[group.identity]]
        ),
        outputs=tuple(_stored_outputs(reader, plan, state.written)),
        references=tuple(_stored_references(reader, plan, state)),
        verdicts=_lists(plan),
        held_rows=reader.held(),
    )
    return with_store(status, reader)


def status_of_file(path: Path) -> Status:
    """The status of a store that no process uses; StoreError if it can't be read."""
    reader = open_reader(path)
    try:
        return stored_status(reader)
    finally:
        reader.close()


def clock() -> int:
    """Microseconds since the epoch, by the clock on the wall."""
    return time.time_ns() // 1000


def _of_state(state: EngineState, pipeline: str, store: str) -> Status:
    counts = state.counts
    return Status(
        pipeline=pipeline,
        store=store,
        at=clock(),
        epoch=state.epoch,
        finished=state.finished,
        watermark=_known(state.frontier),
        read=counts.read,
        bytes=counts.bytes,
        events=counts.events,
        dead=counts.dead,
        blank=counts.blank,
        duplicates=counts.duplicates,
        dead_by_code=dict(counts.dead_by_code),
        derive_errors=dict(counts.derive_errors),
        notes=dict(counts.notes),
        partitions=tuple(
            PartitionStatus(
                name, p.liveness.value, p.generation, p.position, p.read, _known(p.maximum)
            )
            for name, p in sorted(state.partitions.items())
        ),
    )


def _rules(
    state: EngineState, plan: Plan | None, groups: Iterable[Group], held: Held
) -> tuple[RuleStatus, ...]:
    windows: dict[str, int] = {}
    for group in groups:
        for rule in group.rules if group.ordered is None else ():
            windows[rule.identity] = _open_windows(
                rule.window, held[group.identity], state.frontier
            )
    names = {identity: rule.name for identity, rule in state.rules.items()}
    if plan is not None:
        names = {rule.identity: rule.name for rule in plan.every_rule}
    return tuple(
        RuleStatus(
            name,
            **_counts(state.counts.rules.get(identity, RuleCounts())),
            open_windows=windows.get(identity),
            forgotten=state.counts.rules.get(identity, RuleCounts()).forgotten,
            labels=dict(state.counts.rules.get(identity, RuleCounts()).labels),
        )
        for identity, name in names.items()
    )


def _counts(counts: RuleCounts) -> dict[str, int]:
    names = ("events", "filtered", "late", "evicted", "accepted", "errors", "firings")
    return {name: getattr(counts, name) for name in names}


def _open_windows(window: Window, held: tuple[int, int] | None, frontier: int) -> int:
    """How many windows that are not closed yet hold any of the panes."""
    if held is None:
        return 0
    least, greatest = held[0] * window.width, held[1] * window.width
    first = next_end(max(least, frontier), window.size, window.every)
    last = last_end(greatest + window.size, window.size, window.every)
    return max(0, (last - first) // window.every + 1)


def _output_kinds(plan: Plan) -> dict[str, str]:
    return {name: output.target.kind for name, output in plan.config.outputs.items()}


def _tables(plan: Plan) -> Iterator[OutputStatus]:
    for name, output in plan.config.outputs.items():
        if output.table is not None:
            yield OutputStatus(name, f"table {output.table.name}", 0, 0, 0)


def _lists(plan: Plan | None) -> tuple[ListStatus, ...]:
    lists = plan.verdicts if plan is not None else ()
    return tuple(ListStatus(one.name, 0, tuple(name for name, _ in one.keys)) for one in lists)


def _stored_references(
    reader: StoreReader, plan: Plan | None, state: EngineState
) -> Iterator[ReferenceStatus]:
    for name, config in plan.config.references.items() if plan is not None else ():
        version = state.references.get(name)
        kept = None if version is None else reader.reference(name, version)
        rows = None if kept is None else Snapshot.from_bytes(str(version), kept).rows
        yield ReferenceStatus(name, config.place.told, version, rows)


def _stored_outputs(
    reader: StoreReader, plan: Plan | None, written: Mapping[str, int]
) -> Iterator[OutputStatus]:
    delivered, waiting = reader.delivered(), reader.outbox()
    kinds = _output_kinds(plan) if plan is not None else {}
    tables = {output.name for output in _tables(plan)} if plan is not None else set()
    for name in dict.fromkeys((*(delivered if plan is None else kinds), *waiting)):
        if name not in tables:
            wait = waiting.get(name)
            yield OutputStatus(
                name,
                kinds.get(name, "" if plan is None else REMOVED),
                delivered.get(name, 0) + written.get(name, 0),
                wait.rows if wait else 0,
                wait.bytes if wait else 0,
            )
    if plan is not None:
        yield from _tables(plan)


def _plan(kept: str | None) -> Plan | None:
    """The plan that a store remembers, if it can be compiled here (its environment may be gone)."""
    if kept is None:
        return None
    try:
        return compile_text(kept)
    except TailraceError:
        return None


def _known(micros: int) -> int | None:
    return None if micros == NEVER else micros


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _size(path: Path) -> int:
    total = 0
    for each in (path, path.with_name(path.name + ".wal")):
        try:
            total += each.stat().st_size
        except OSError:
            continue
    return total
