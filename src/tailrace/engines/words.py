"""What rows for servers say of themselves: ids, times, and what names in templates stand for.

The names are the plan's to check (``plan.row_words``); here are their values, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.alerts.incidents import Revision
from tailrace.alerts.notices import STATE, Notice
from tailrace.alerts.verdicts import Change
from tailrace.kernel.hashing import digests
from tailrace.outputs.batches import INSTANT
from tailrace.outputs.events import EventTexts, in_one_piece
from tailrace.plan.identity import ARCHIVE, Time
from tailrace.plan.templates import as_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailrace.outputs.addressing import Words
    from tailrace.plan.classify import Classification
    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Plan, Rule


FAR = 253_402_300_799_000_000
"""The end of the year 9999: of verdicts without end."""


@dataclass(frozen=True, slots=True)
class Address:
    """Rows' ids (strings), event times (timestamp[us, UTC]) and words for templates."""

    ids: pa.Array
    times: pa.Array
    words: Words


def window_address(
    plan: Plan,
    rule: Rule,
    fields: Mapping[str, pa.Array],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    measures: Mapping[str, pa.Array],
) -> Address:
    """Of windows' rows; ``starts`` and ``ends`` in microseconds."""
    start, end = _instants(starts), _instants(ends)
    ids = digests([rule.identity, *fields.values(), start, end], len(ends))
    own: dict[str, pa.Array | str] = {
        "rule": rule.name,
        "pipeline": plan.name,
        "start": start,
        "end": end,
        "id": ids,
    }
    return Address(ids, end, own | dict(measures) | dict(fields))


def revision_address(revisions: Sequence[Revision]) -> Address:
    """Of incidents' revisions."""
    return _address(
        [
            (
                revision.id,
                revision.at,
                {
                    "rule": revision.rule,
                    "pipeline": revision.pipeline,
                    "start": Time(revision.start),
                    "end": Time(revision.end),
                    "id": revision.id,
                    "state": revision.state.value,
                    "reason": revision.reason.value,
                    "fingerprint": revision.fingerprint,
                    **revision.labels,
                    **revision.measures,
                    **revision.key,
                },
            )
            for revision in revisions
        ]
    )


def notice_address(notices: Sequence[Notice], measures: Sequence[str]) -> Address:
    """Of early notices, which have no incident yet; their ``measures`` are null."""
    return _address(
        [
            (
                notice.id,
                notice.start,
                {
                    **dict.fromkeys(measures),
                    "rule": notice.rule,
                    "pipeline": notice.pipeline,
                    "start": Time(notice.start),
                    "end": Time(notice.end),
                    "id": notice.id,
                    "state": STATE,
                    "reason": STATE,
                    "fingerprint": notice.id,
                    **notice.labels,
                    **notice.key,
                },
            )
            for notice in notices
        ]
    )


def verdict_address(changes: Sequence[Change]) -> Address:
    """Of changes of verdicts: one id a key; the time is when the listing ends."""
    return _address(
        [
            (
                change.id,
                FAR if change.until is None else change.until,
                {
                    "pipeline": change.pipeline,
                    "verdict": change.list,
                    "id": change.id,
                    "state": change.state.value,
                    "since": Time(change.since),
                    "until": None if change.until is None else Time(change.until),
                    "at": Time(change.at),
                    "firings": change.count,
                    "listings": change.listings,
                    "reasons": ",".join(change.reasons),
                    "comment": change.comment,
                    **change.measures,
                    **change.key,
                },
            )
            for change in changes
        ]
    )


def event_address(texts: EventTexts) -> Address:
    """Of per-event alerts."""
    own: dict[str, pa.Array | str] = {
        "rule": texts.rule.name,
        "pipeline": texts.rule.pipeline,
        "time": _instants(texts.times),
        "id": texts.ids,
        "partition": texts.partitions,
        "position": texts.positions,
    }
    return Address(texts.ids, _instants(texts.times), own | dict(texts.columns))


def classified_address(
    plan: Plan, rule: Classification, events: pa.Table, fields: Mapping[str, pa.Array]
) -> Address:
    """Of the events that a rule labelled."""
    address = _of_events(plan, rule.identity, events, fields)
    return Address(address.ids, address.times, {"rule": rule.name} | dict(address.words))


def archive_address(plan: Plan, events: pa.Table, fields: Mapping[str, pa.Array]) -> Address:
    """Of archived events; ``events`` has their places beside their fields."""
    return _of_events(plan, ARCHIVE, events, fields)


def _of_events(
    plan: Plan, identity: str, events: pa.Table, fields: Mapping[str, pa.Array]
) -> Address:
    place = [
        in_one_piece(events.column(name)) for name in ("_partition", "_generation", "_position")
    ]
    ids = digests([identity, *place], events.num_rows)
    times = events.column("_time").combine_chunks().cast(INSTANT)
    own: dict[str, pa.Array | str] = {
        "pipeline": plan.name,
        "time": times,
        "id": ids,
        "partition": place[0],
        "position": place[2],
    }
    return Address(ids, times, own | dict(fields))


def dead_letter_address(columns: Mapping[str, pa.Array]) -> Address:
    """Of dead letters, which have no event time; ``columns`` as ``typed.DEAD_LETTERS``."""
    ids = columns["id"]
    return Address(ids, pa.nulls(len(ids), INSTANT), columns)


def _instants(microseconds: NDArray[np.int64]) -> pa.Array:
    return pa.array(microseconds, pa.int64()).cast(INSTANT)


def _address(rows: Sequence[tuple[str, int, Mapping[str, Scalar]]]) -> Address:
    names = dict.fromkeys(name for _, _, words in rows for name in words)
    return Address(
        pa.array([row for row, _, _ in rows], pa.string()),
        pa.array([at for _, at, _ in rows], pa.int64()).cast(INSTANT),
        {name: _column([words.get(name) for _, _, words in rows]) for name in names},
    )


def _column(values: list[Scalar]) -> pa.Array:
    """Values of one name, which may differ in type from rule to rule: then as text."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, Time) for value in known):
        return pa.array(values, pa.int64()).cast(INSTANT)
    for type_, kind in ((bool, pa.bool_()), (int, pa.int64()), (float, pa.float64())):
        if known and all(type(value) is type_ for value in known):
            return pa.array(values, kind)
    return pa.array([None if value is None else as_text(value) for value in values], pa.string())
