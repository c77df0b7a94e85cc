"""The parts of per-event alerts' rows, a column each, whichever form the rows then get."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.alerts.events import EventAlert
from tailrace.kernel.hashing import digests
from tailrace.outputs.addressing import filled
from tailrace.outputs.texts import iso_texts, json_objects, plain_texts
from tailrace.plan.templates import parse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLACE = ("_partition", "_generation", "_position", "_time")
"""Columns that say where and when an event was, beside its fields."""


class EventTexts:
    """Events that a per-event rule fired for.

    ``events`` has the event's fields as typed columns (times as timestamps) and those of ``PLACE``:
    partition (string), generation, position and time in microseconds (int64).
    """

    def __init__(self, rule: EventAlert, events: pa.Table) -> None:
        self.rule = rule
        self._fields = field_columns(events)
        self._length: int = events.num_rows
        self.partitions, generations, self.positions, times = (
            in_one_piece(events.column(name)) for name in PLACE
        )
        place = (self.partitions, generations, self.positions)
        self.ids = digests([rule.identity, *place], self._length)
        self.times: NDArray[np.int64] = times.to_numpy()

    def __len__(self) -> int:
        return self._length

    @property
    def columns(self) -> Mapping[str, pa.Array]:
        """The events' fields as typed columns."""
        return self._fields

    def fields(self, zone: tzinfo = UTC) -> pa.Array:
        """All fields of each event as JSON."""
        return self._objects(self._fields, zone)

    def labels(self, zone: tzinfo = UTC) -> pa.Array:
        """The labels of each event as JSON."""
        return self._objects(self._filled(self.rule.labels, self._words(zone)), zone)

    def annotations(self, zone: tzinfo = UTC) -> pa.Array:
        """The annotations of each event as JSON."""
        labels = self._filled(self.rule.labels, self._words(zone))
        return self._objects(self._filled(self.rule.annotations, labels | self._words(zone)), zone)

    def _objects(self, columns: Mapping[str, pa.Array], zone: tzinfo) -> pa.Array:
        if not columns:
            return pa.repeat("{}", self._length)
        return json_objects(list(columns.items()), zone)

    def _words(self, zone: tzinfo) -> dict[str, pa.Array]:
        """What a name in a template stands for, as text; a field comes before a word."""
        words = {
            "rule": pa.repeat(self.rule.name, self._length),
            "pipeline": pa.repeat(self.rule.pipeline, self._length),
            "time": iso_texts(self.times, zone),
        }
        fields = {name: plain_texts(column) for name, column in self._fields.items()}
        return words | fields

    def _filled(
        self, templates: Mapping[str, str], words: Mapping[str, pa.Array]
    ) -> dict[str, pa.Array]:
        """Each template filled for each event, as ``Template.fill`` does it for one."""
        return {name: filled(parse(text), words, self._length) for name, text in templates.items()}


def field_columns(events: pa.Table) -> dict[str, pa.Array]:
    """The columns of events' fields, without those of ``PLACE``."""
    return {
        name: in_one_piece(events.column(name)) for name in events.column_names if name not in PLACE
    }


def in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array, without a copy where it is one; texts that it only names as texts."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
