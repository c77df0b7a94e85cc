"""Rows as JSON text, for outputs that write text: one function for each content of a batch.

The text is what ``json.dumps`` with ``ensure_ascii=False`` and separators without blanks writes:
fields in a fixed order, doubles in shortest form, times ISO 8601 in the output's zone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.alerts.incidents import Revision
from tailrace.alerts.notices import Notice
from tailrace.alerts.verdicts import Change
from tailrace.outputs.batches import Content, Form, Later, batch_table
from tailrace.outputs.events import EventTexts
from tailrace.outputs.texts import as_json, iso_texts, joined, json_objects, json_texts, raw_objects

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def window_rows(
    rule: str,
    keys: Mapping[str, pa.Array],
    ends: NDArray[np.int64],
    size: int | NDArray[np.int64],
    measures: Mapping[str, pa.Array],
    zone: tzinfo = UTC,
    *,
    references: Mapping[str, str] = MappingProxyType({}),
) -> pa.Table:
    """A row for each window: ``{"window":{"start":..,"end":..},<keys>,<measures>}``.

    ``keys`` and ``measures`` are parallel columns of typed values (times as timestamps), ``ends``
    the windows' ends and ``size`` their length in microseconds, of all or of each.
    """
    if isinstance(size, int):
        # Many keys share a window.
        windows = pa.array(ends).dictionary_encode()
        window = _bounds(windows.dictionary.to_numpy(), size, zone).take(windows.indices)
    else:
        window = _bounds(ends, size, zone)
    stamp = (f',"references":{dumps(references)}',) if references else ()
    columns = [*keys.items(), *measures.items()]
    texts = json_objects(columns, zone, before=(window, *stamp))
    return _table(texts, Content.WINDOWS, rule)


def _bounds(ends: NDArray[np.int64], size: int | NDArray[np.int64], zone: tzinfo) -> pa.Array:
    start, end = iso_texts(ends - size, zone), iso_texts(ends, zone)
    return joined('"window":{"start":"', start, '","end":"', end, '"}')


def incident_rows(revisions: Sequence[Revision], zone: tzinfo = UTC) -> pa.Table:
    """A row for each revision, as ``Revision.to_json_dict`` gives it."""
    return _documents([revision.to_json_dict(zone) for revision in revisions], Content.INCIDENTS)


def notice_rows(notices: Sequence[Notice], zone: tzinfo = UTC) -> pa.Table:
    """A row for each early notice, as ``Notice.to_json_dict`` gives it."""
    return _documents([notice.to_json_dict(zone) for notice in notices], Content.NOTICES)


def verdict_rows(changes: Sequence[Change], zone: tzinfo = UTC) -> pa.Table:
    """A row for each change of a list of verdicts, as ``Change.to_json_dict`` gives it."""
    return _documents([change.to_json_dict(zone) for change in changes], Content.VERDICTS)


def event_rows(
    alert: EventTexts, zone: tzinfo = UTC, *, references: Mapping[str, str] = MappingProxyType({})
) -> pa.Table:
    """A row for each event that a per-event rule fired for."""
    texts = raw_objects(
        [
            ("id", '"', alert.ids, '"'),
            ("rule", as_json(alert.rule.name)),
            ("pipeline", as_json(alert.rule.pipeline)),
            ("state", '"event"'),
            ("time", '"', iso_texts(alert.times, zone), '"'),
            ("fields", alert.fields(zone)),
            ("labels", alert.labels(zone)),
            ("annotations", alert.annotations(zone)),
            ("partition", json_texts(alert.partitions)),
            ("position", json_texts(alert.positions)),
            *([("references", dumps(references))] if references else []),
        ]
    )
    return _table(texts, Content.EVENTS, alert.rule.name)


def archive_rows(fields: Mapping[str, pa.Array], zone: tzinfo = UTC, rule: str = "") -> pa.Table:
    """A row for each event: its fields, in their order; ``rule``: which one labelled them."""
    return _table(json_objects(list(fields.items()), zone), Content.ARCHIVE, rule)


def archive_rows_later(fields: Mapping[str, pa.Array], zone: tzinfo = UTC, rule: str = "") -> Later:
    """The same, made when they are needed."""

    def make(start: int, most: int) -> pa.Table:
        part = {name: column.slice(start, most) for name, column in fields.items()}
        return archive_rows(part, zone, rule)

    return Later(make, len(next(iter(fields.values()))))


def dead_letter_rows(columns: Mapping[str, pa.Array]) -> pa.Table:
    """A row for each dead letter, from the columns of ``typed.DEAD_LETTERS``."""
    return _table(json_objects(list(columns.items())), Content.DEAD_LETTERS)


def _documents(documents: Sequence[Mapping[str, object]], content: Content) -> pa.Table:
    return _table(pa.array([dumps(document) for document in documents], pa.string()), content)


dumps: Callable[[Mapping[str, object]], str] = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode
"""A row's JSON text."""


def _table(texts: pa.Array, content: Content, rule: str = "") -> pa.Table:
    return batch_table({"json": texts}, Form.ROWS, content, rule)
