"""Rows of a case as the bytes that a source would have read, with their positions.

Every engine feeds these bytes, so that positions, ids and dead letters can be compared. Rows with
values become JSON objects (or CSV lines); for other formats a test writes raw records.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tailrace.errors import Where
from tailrace.testing.case import Case, CaseFileError, Number, Row, Rows, Scalar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_FORMATS = {"auto": 6, "epoch": 6, "epoch_ms": 3}
_TEXT_FORMATS = {"iso": "T", "datetime": " ", "time_local": "%d/%b/%Y:%H:%M:%S %z"}
"""What stands between date and time, or the pattern of the whole."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How records are written: what a pipeline says about format and time.

    `time_path` leads to the event time, `paths` to declared fields, by their names; `wrapping` to
    the object that has all others. `columns` are a
    CSV's columns, None for JSON; with `header` they are also written as a partition's record 0,
    unless its first row is a raw one. `written`: whether rows with values can be written at all.
    """

    time_path: tuple[str, ...]
    time_format: str = "auto"
    zone: str = "UTC"
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    header: bool = False
    delimiter: str = ","
    written: bool = True
    wrapping: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One record without its line end, its number from 1 and its first byte in the partition."""

    partition: str
    number: int
    position: int
    data: bytes
    arrival: int | None
    where: Where


def records(case: Case, layout: Layout) -> dict[int, tuple[Record, ...]]:
    """Write the rows of each `Rows` step, by the step's index among the case's steps.

    A record is followed by one newline in its partition. Raises CaseFileError for a row that the
    layout can't hold.
    """
    ends: defaultdict[str, int] = defaultdict(int)
    numbers: defaultdict[str, int] = defaultdict(int)
    found = {}
    for index, step in enumerate(case.steps):
        if not isinstance(step, Rows):
            continue
        partition = step.partition
        lines = [
            (row, row.raw if row.raw is not None else _write(row, layout)) for row in step.rows
        ]
        if layout.header and not ends[partition] and lines and lines[0][0].raw is None:
            names = {name: name for name in layout.columns or ()}
            lines.insert(0, (step.rows[0], _csv(step.rows[0], names, layout).encode()))
            numbers[partition] = -1
        written = []
        for row, data in lines:
            numbers[partition] += 1
            place = partition, numbers[partition], ends[partition]
            written.append(Record(*place, data, row.arrival, row.where))
            ends[partition] += len(data) + 1
        found[index] = tuple(written)
    return found


def _write(row: Row, layout: Layout) -> bytes:
    if row.time is None or not layout.written:
        hint = "write the record as it is: | ..."
        raise CaseFileError("this format has no named values", hint=hint, where=row.where)
    time = _time(row.time, layout, row.where)
    values = {layout.time_path: time}
    values |= {
        layout.paths.get(name, (*layout.wrapping, name)): value for name, value in row.values
    }
    if layout.columns is not None:
        return _csv(row, {path[-1]: value for path, value in values.items()}, layout).encode()
    tree: dict[str, object] = {}
    for path, value in values.items():
        inner = tree
        for key in path[:-1]:
            below = inner.setdefault(key, {})
            if not isinstance(below, dict):
                raise CaseFileError(f"{'.'.join(path)} lies inside another value", where=row.where)
            inner = below
        inner[path[-1]] = value
    return _json(tree).encode("utf-8", "surrogatepass")


def _json(value: object) -> str:
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)}: {_json(each)}" for key, each in value.items())
        return f"{{{inside}}}"
    return json.dumps(value, ensure_ascii=False)


def _csv(row: Row, values: Mapping[str, Scalar], layout: Layout) -> str:
    columns = layout.columns or ()
    unknown = sorted(set(values) - set(columns))
    if unknown:
        raise CaseFileError(f"the CSV has no column {unknown[0]}", where=row.where)
    return layout.delimiter.join(_cell(values.get(name), layout.delimiter) for name in columns)


def _cell(value: Scalar, delimiter: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    quoted = value == "" or any(mark in value for mark in (delimiter, '"', "\n", "\r"))
    return '"' + value.replace('"', '""') + '"' if quoted else value


def _time(micros: int, layout: Layout, where: Where) -> Scalar:
    """The time as a record of this pipeline would write it; CaseFileError if it can't."""
    digits = _EPOCH_FORMATS.get(layout.time_format)
    if digits is not None:
        return Number(f"{Decimal(micros).scaleb(-digits):f}")
    pattern = _TEXT_FORMATS.get(layout.time_format)
    try:
        local = (_EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(layout.zone))
    except OverflowError:
        pattern = None
    if pattern is None or (layout.time_format == "time_local" and micros % 1_000_000):
        message = f"{micros} us can't be written as {layout.time_format}"
        raise CaseFileError(message, hint="write a raw record: | ...", where=where)
    if layout.time_format == "iso":
        return local.astimezone(UTC).replace(tzinfo=None).isoformat(pattern) + "Z"
    if layout.time_format == "time_local":
        return local.strftime(pattern)
    if local.fold:
        message = "the clock shows this time twice; the zone can't tell which one is meant"
        raise CaseFileError(message, hint="write a raw record: | ...", where=where)
    return local.replace(tzinfo=None).isoformat(pattern)
