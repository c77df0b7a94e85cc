"""Rows as typed columns, for Parquet and for tables of the store: one function for each content.

Windows and events keep their own columns. Incidents, notices and per-event alerts have the same
columns whatever their rule; what differs from rule to rule (key, measures, labels, ...) is JSON
text in one column each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.alerts.incidents import Revision, json_values
from tailrace.alerts.notices import STATE, Notice
from tailrace.alerts.verdicts import Change
from tailrace.outputs.batches import INSTANT, Content, Form, batch_table
from tailrace.outputs.events import EventTexts
from tailrace.outputs.rows import dumps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REFERENCES = "references"
"""The column that says by which versions of references a row was judged."""

INCIDENTS = pa.schema(
    [
        ("id", pa.string()),
        ("fingerprint", pa.string()),
        ("revision", pa.int64()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("pipeline", pa.string()),
        ("rule", pa.string()),
        ("key", pa.string()),
        ("labels", pa.string()),
        ("annotations", pa.string()),
        ("measures", pa.string()),
        ("window_start", INSTANT),
        ("window_end", INSTANT),
        ("started_at", INSTANT),
        ("opened_at", INSTANT),
        ("last_firing_at", INSTANT),
        ("resolved_at", INSTANT),
        ("notices", pa.list_(pa.string())),
        ("flags", pa.list_(pa.string())),
        (REFERENCES, pa.string()),
    ]
)
"""Columns of incidents and of notices, which leave what they don't have null."""

VERDICTS = pa.schema(
    [
        ("id", pa.string()),
        ("verdict", pa.string()),
        ("pipeline", pa.string()),
        ("state", pa.string()),
        ("live", pa.bool_()),
        ("key", pa.string()),
        ("at", INSTANT),
        ("since", INSTANT),
        ("until", INSTANT),
        ("reasons", pa.string()),
        ("count", pa.int64()),
        ("first_seen", INSTANT),
        ("last_seen", INSTANT),
        ("listings", pa.int64()),
        ("measures", pa.string()),
        ("comment", pa.string()),
        ("number", pa.int64()),
    ]
)
"""Columns of changes of verdicts."""

EVENTS = pa.schema(
    [
        ("id", pa.string()),
        ("rule", pa.string()),
        ("pipeline", pa.string()),
        ("state", pa.string()),
        ("time", INSTANT),
        ("fields", pa.string()),
        ("labels", pa.string()),
        ("annotations", pa.string()),
        ("partition", pa.string()),
        ("position", pa.int64()),
        (REFERENCES, pa.string()),
    ]
)
"""Columns of per-event alerts."""

DEAD_LETTERS = pa.schema(
    [
        ("id", pa.string()),
        ("pipeline", pa.string()),
        ("partition", pa.string()),
        ("generation", pa.int64()),
        ("position", pa.int64()),
        ("code", pa.string()),
        ("field", pa.string()),
        ("reason", pa.string()),
        ("raw", pa.string()),
    ]
)
"""Columns of dead letters."""


def typed_schema(
    content: Content,
    keys: Mapping[str, pa.DataType] | None = None,
    values: Mapping[str, pa.DataType] | None = None,
) -> pa.Schema:
    """The columns of a content: for windows those of ``keys`` and ``values``, for the archive the
    fields given as ``values``.
    """  # noqa: D205 - one sentence
    match content:
        case Content.INCIDENTS | Content.NOTICES:
            return INCIDENTS
        case Content.VERDICTS:
            return VERDICTS
        case Content.EVENTS:
            return EVENTS
        case Content.DEAD_LETTERS:
            return DEAD_LETTERS
        case Content.WINDOWS:
            bounds = {"window_start": INSTANT, "window_end": INSTANT}
            return pa.schema(list((bounds | dict(keys or {}) | dict(values or {})).items()))
        case Content.ARCHIVE:
            return pa.schema(list((values or {}).items()))


def typed_windows(
    rule: str,
    keys: Mapping[str, pa.Array],
    ends: NDArray[np.int64],
    size: int | NDArray[np.int64],
    measures: Mapping[str, pa.Array],
    references: Mapping[str, str] | None = None,
) -> pa.Table:
    """A row for each window: ``window_start``, ``window_end``, keys, measures.

    ``size``: of all of them, or of each; ``references``: of a rule that looks things up, the
    versions that are in force. The column goes last, unless the rule has one of that name.
    """
    columns = {"window_start": _instants(ends - size), "window_end": _instants(ends)}
    columns |= dict(keys) | dict(measures)
    if references is not None:
        stamp = pa.scalar(_stamp(references), pa.string())
        columns.setdefault(REFERENCES, pa.repeat(stamp, len(ends)))
    return batch_table(columns, Form.TYPED, Content.WINDOWS, rule)


def typed_incidents(revisions: Sequence[Revision]) -> pa.Table:
    """A row for each revision."""
    rows = [
        {
            "id": revision.id,
            "fingerprint": revision.fingerprint,
            "revision": revision.revision,
            "state": revision.state.value,
            "reason": revision.reason.value,
            "pipeline": revision.pipeline,
            "rule": revision.rule,
            "key": dumps(json_values(revision.key)),
            "labels": dumps(revision.labels),
            "annotations": dumps(revision.annotations),
            "measures": dumps(json_values(revision.measures)),
            "window_start": revision.start,
            "window_end": revision.end,
            "started_at": revision.started_at,
            "opened_at": revision.opened_at,
            "last_firing_at": revision.last_firing_at,
            "resolved_at": revision.resolved_at,
            "notices": list(revision.notices),
            "flags": list(revision.flags),
            "references": _stamp(revision.references),
        }
        for revision in revisions
    ]
    return _shaped(rows, INCIDENTS, Content.INCIDENTS)


def typed_notices(notices: Sequence[Notice]) -> pa.Table:
    """A row for each early notice."""
    rows = [
        {
            "id": notice.id,
            "state": STATE,
            "pipeline": notice.pipeline,
            "rule": notice.rule,
            "key": dumps(json_values(notice.key)),
            "labels": dumps(notice.labels),
            "window_start": notice.start,
            "window_end": notice.end,
        }
        for notice in notices
    ]
    return _shaped(rows, INCIDENTS, Content.NOTICES)


def typed_verdicts(changes: Sequence[Change]) -> pa.Table:
    """A row for each change of a list of verdicts."""
    rows = [
        {
            "id": change.id,
            "verdict": change.list,
            "pipeline": change.pipeline,
            "state": change.state.value,
            "live": change.state.live,
            "key": dumps(json_values(change.key)),
            "at": change.at,
            "since": change.since,
            "until": change.until,
            "reasons": dumps(change.reasons),
            "count": change.count,
            "first_seen": change.first_seen,
            "last_seen": change.last_seen,
            "listings": change.listings,
            "measures": dumps(json_values(change.measures)),
            "comment": change.comment,
            "number": change.number,
        }
        for change in changes
    ]
    return _shaped(rows, VERDICTS, Content.VERDICTS)


def typed_events(
    alert: EventTexts, references: Mapping[str, str] = MappingProxyType({})
) -> pa.Table:
    """A row for each event that a per-event rule fired for; ``references``: what it looked up."""
    columns = {
        "id": alert.ids,
        "rule": pa.repeat(alert.rule.name, len(alert)),
        "pipeline": pa.repeat(alert.rule.pipeline, len(alert)),
        "state": pa.repeat("event", len(alert)),
        "time": _instants(alert.times),
        "fields": alert.fields(),
        "labels": alert.labels(),
        "annotations": alert.annotations(),
        "partition": alert.partitions,
        "position": alert.positions,
        "references": pa.repeat(pa.scalar(_stamp(references), pa.string()), len(alert)),
    }
    return batch_table(columns, Form.TYPED, Content.EVENTS, alert.rule.name)


def _stamp(references: Mapping[str, str]) -> str | None:
    """The versions of references as JSON; null where nothing was looked up."""
    return dumps(references) if references else None


def typed_archive(fields: Mapping[str, pa.Array], rule: str = "") -> pa.Table:
    """A row for each event: its fields, in their order; ``rule``: which one labelled them."""
    return batch_table(fields, Form.TYPED, Content.ARCHIVE, rule)


def typed_dead_letters(columns: Mapping[str, pa.Array]) -> pa.Table:
    """A row for each dead letter, from the columns of ``DEAD_LETTERS``."""
    return batch_table(
        {name: columns[name] for name in DEAD_LETTERS.names}, Form.TYPED, Content.DEAD_LETTERS
    )


def _shaped(rows: Sequence[Mapping[str, object]], schema: pa.Schema, content: Content) -> pa.Table:
    columns = {
        column.name: _column([row.get(column.name) for row in rows], column.type)
        for column in schema
    }
    return batch_table(columns, Form.TYPED, content)


def _column(values: list[object], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


def _instants(microseconds: NDArray[np.int64]) -> pa.Array:
    return pa.array(microseconds, pa.int64()).cast(INSTANT)
