"""What became of records: counts that add up (SEMANTICS 6), positions, dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tailrace.kernel.types import RuleCounts

if TYPE_CHECKING:
    from tailrace.engines.state import EngineState
    from tailrace.formats.records import Decoded, Records
    from tailrace.kernel.types import Mapped
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import EventRule, Group
    from tailrace.sources.types import Slice

DEAD_LETTERS = pa.schema(
    [
        ("id", pa.int64()),
        ("partition", pa.string()),
        ("generation", pa.int64()),
        ("position", pa.int64()),
        ("code", pa.string()),
        ("field", pa.string()),
        ("reason", pa.string()),
        ("raw", pa.binary()),
        ("replayed", pa.bool_()),
    ]
)


@dataclass(slots=True)
class Tally:
    """What became of the records of an epoch, or of one slice of it.

    ``groups``: for each group how many events passed its filter, and how many of those were late.
    ``judged``: for each per-event rule how many events it looked at, and on how many it failed.
    ``labels``: for each classification how many events got which label.
    """

    read: int = 0
    bytes: int = 0
    blank: int = 0
    dead_by_code: dict[str, int] = field(default_factory=dict)
    events: int = 0
    duplicates: int = 0
    derive_errors: dict[str, int] = field(default_factory=dict)
    groups: dict[str, tuple[int, int]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    judged: dict[str, tuple[int, int]] = field(default_factory=dict)
    fired: dict[str, int] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, work: Iterable[tuple[Records, Decoded]], mapped: Mapped) -> Tally:
        """Count decoded records and what the mapper made of them."""
        tally = cls(
            events=mapped.events,
            duplicates=mapped.duplicates,
            derive_errors=mapped.derive_errors,
            groups={name: (p.passed, p.late) for name, p in mapped.groups.items()},
            errors=mapped.errors,
            judged={name: (j.passed, j.failed) for name, j in mapped.judged.items()},
            fired={name: rows.table.num_rows for name, rows in mapped.fired.items()},
            labels={name: j.labels for name, j in mapped.judged.items() if j.labels},
        )
        for records, decoded in work:
            tally.read += len(records)
            tally.bytes += len(records.data)
            tally.blank += decoded.blank
            for code in decoded.dead.codes:
                tally.dead_by_code[code] = tally.dead_by_code.get(code, 0) + 1
        return tally

    def to_json(self) -> dict[str, object]:
        """A JSON object from which ``from_json`` makes an equal tally."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Tally:
        """Read the stored form."""
        values = dict(body)
        for name in ("groups", "judged"):
            values[name] = {key: (pair[0], pair[1]) for key, pair in values[name].items()}
        return cls(**values)


def account(
    state: EngineState,
    tally: Tally,
    groups: Iterable[Group],
    row_rules: Iterable[EventRule | Classification],
) -> None:
    """Count records and events, by rule too."""
    counts = state.counts
    counts.read += tally.read
    counts.bytes += tally.bytes
    counts.blank += tally.blank
    counts.dead += sum(tally.dead_by_code.values())
    counts.events += tally.events
    counts.duplicates += tally.duplicates
    _add(counts.dead_by_code, tally.dead_by_code)
    _add(counts.derive_errors, tally.derive_errors)
    for group in groups:
        passed, late = tally.groups.get(group.identity, (0, 0))
        counted = group.identity in tally.groups
        for rule in group.rules:
            own = counts.rules.setdefault(rule.identity, RuleCounts())
            own.events += tally.events
            if counted:
                own.filtered += tally.events - passed
                own.late += late
                own.accepted += passed - late
            own.errors += tally.errors.get(rule.identity, 0)
    for rule_ in row_rules:
        own = counts.rules.setdefault(rule_.identity, RuleCounts())
        own.events += tally.events
        if rule_.identity in tally.judged:
            passed, failed = tally.judged[rule_.identity]
            own.filtered += tally.events - passed
            own.accepted += passed
            own.errors += failed
        own.firings += tally.fired.get(rule_.identity, 0)
        _add(own.labels, tally.labels.get(rule_.identity, {}))


def note(state: EngineState, notes: Mapping[str, int]) -> None:
    """Count what a person should know."""
    _add(state.counts.notes, notes)


def place(state: EngineState, piece: Slice, records: int) -> None:
    """Note how far a partition is read."""
    partition = state.partitions[piece.partition]
    partition.generation, partition.position = piece.generation, piece.end
    partition.read += records
    partition.resume = dict(piece.resume)


def dead_rows(piece: Slice, records: Records, decoded: Decoded) -> pa.Table | None:
    """A slice's dead letters as rows of the store, without their numbers."""
    dead = decoded.dead
    if not dead.rows:
        return None
    view = memoryview(records.data)
    raw = [
        bytes(view[int(records.offsets[row]) : int(records.offsets[row + 1])])
        .removesuffix(b"\n")
        .removesuffix(b"\r")
        for row in dead.rows
    ]
    count = len(dead.rows)
    columns = {
        "id": pa.nulls(count, pa.int64()),
        "partition": pa.repeat(piece.partition, count),
        "generation": pa.array([piece.generation] * count, pa.int64()),
        "position": pa.array(records.positions[list(dead.rows)], pa.int64()),
        "code": pa.array(dead.codes, pa.string()),
        "field": pa.array(dead.fields, pa.string()),
        "reason": pa.array(dead.reasons, pa.string()),
        "raw": pa.array(raw, pa.binary()),
        "replayed": pa.array([False] * count),
    }
    return pa.table(columns, DEAD_LETTERS)


def number_dead(state: EngineState, rows: Iterable[pa.Table | None], limit: int) -> pa.Table | None:
    """Number an epoch's dead letters; their bytes are kept only while no more than ``limit``."""
    found = [table for table in rows if table is not None]
    if not found:
        return None
    table = pa.concat_tables(found)
    raw: list[bytes | None] = []
    for value in table["raw"].to_pylist():
        fits = state.dead_bytes + len(value) <= limit
        state.dead_bytes += len(value) if fits else 0
        raw.append(value if fits else None)
    ids = pa.array(range(state.next_dead, state.next_dead + len(raw)), pa.int64())
    state.next_dead += len(raw)
    columns = {name: table[name] for name in table.column_names}
    return pa.table(columns | {"id": ids, "raw": pa.array(raw, pa.binary())}, DEAD_LETTERS)


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number
