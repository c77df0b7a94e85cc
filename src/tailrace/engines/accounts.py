"""What became of records: counts that add up (SEMANTICS 6), positions, dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.kernel.types import RuleCounts

if TYPE_CHECKING:
    from tailrace.engines.state import EngineState
    from tailrace.formats.records import Decoded
    from tailrace.kernel.types import Mapped
    from tailrace.plan.model import EventRule, Group
    from tailrace.sources.types import Chunk

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


def account(
    state: EngineState,
    work: Sequence[tuple[Chunk, Decoded]],
    mapped: Mapped,
    notes: Mapping[str, int],
    groups: Sequence[Group],
    event_rules: Sequence[EventRule],
) -> None:
    """Count an epoch's records, by rule too, and note positions."""
    counts = state.counts
    for chunk, decoded in work:
        piece = chunk.slice
        counts.read += len(chunk.records)
        counts.bytes += len(chunk.records.data)
        counts.dead += len(decoded.dead.rows)
        counts.blank += decoded.blank
        for code in decoded.dead.codes:
            counts.dead_by_code[code] = counts.dead_by_code.get(code, 0) + 1
        partition = state.partitions[piece.partition]
        partition.generation, partition.position = piece.generation, piece.end
        partition.read += len(chunk.records)
        partition.resume = dict(piece.resume)
    counts.events += mapped.events
    counts.duplicates += mapped.duplicates
    for name, failed in mapped.derive_errors.items():
        counts.derive_errors[name] = counts.derive_errors.get(name, 0) + failed
    for code, number in notes.items():
        counts.notes[code] = counts.notes.get(code, 0) + number
    for group in groups:
        partials = mapped.groups.get(group.identity)
        for rule in group.rules:
            own = counts.rules.setdefault(rule.identity, RuleCounts())
            own.events += mapped.events
            if partials is not None:
                own.filtered += mapped.events - partials.passed
                own.late += partials.late
                own.accepted += partials.passed - partials.late
            own.errors += mapped.errors.get(rule.identity, 0)
    for event_rule in event_rules:
        own = counts.rules.setdefault(event_rule.identity, RuleCounts())
        own.events += mapped.events
        judged = mapped.judged.get(event_rule.identity)
        if judged is not None:
            own.filtered += mapped.events - judged.passed
            own.accepted += judged.passed
            own.errors += judged.failed
        fired = mapped.fired.get(event_rule.identity)
        own.firings += fired.table.num_rows if fired is not None else 0


def dead_letters(
    state: EngineState, work: Sequence[tuple[Chunk, Decoded]], limit: int
) -> pa.Table | None:
    """An epoch's dead letters as rows of the store; bytes only while no more than ``limit``."""
    rows: list[dict[str, object]] = []
    for chunk, decoded in work:
        dead, records = decoded.dead, chunk.records
        view = memoryview(records.data)
        for row, code, name, reason in zip(
            dead.rows, dead.codes, dead.fields, dead.reasons, strict=True
        ):
            raw: bytes | None = bytes(
                view[int(records.offsets[row]) : int(records.offsets[row + 1])]
            )
            assert raw is not None  # noqa: S101 - just made
            raw = raw.removesuffix(b"\n").removesuffix(b"\r")
            if state.dead_bytes + len(raw) > limit:
                raw = None
            else:
                state.dead_bytes += len(raw)
            rows.append(
                {
                    "id": state.next_dead,
                    "partition": chunk.slice.partition,
                    "generation": chunk.slice.generation,
                    "position": int(records.positions[row]),
                    "code": code,
                    "field": name,
                    "reason": reason,
                    "raw": raw,
                    "replayed": False,
                }
            )
            state.next_dead += 1
    return pa.Table.from_pylist(rows, schema=DEAD_LETTERS) if rows else None
