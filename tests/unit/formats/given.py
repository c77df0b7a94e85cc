"""Records from lines, and what decoding them gives, for the tests of this folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.formats.decoder import Decoder
from tailrace.formats.records import Decoded, Records
from tailrace.formats.spec import DecodeSpec, FieldSpec, Format, JsonFormat, TimeForm, TimeSpec


@dataclass(frozen=True)
class Dead:
    code: str
    field: str | None = None


Outcome = dict[str, object] | Dead | None
"""An event's values (``@`` is its time), a dead letter, or None for a blank record."""


def records(*contents: bytes, end: bytes = b"\n", start: int = 0) -> Records:
    """Records of one partition; ``start`` is the position of the first."""
    lines = [content + end for content in contents]
    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int32)
    return Records(pa.py_buffer(b"".join(lines)), offsets, offsets[:-1].astype(np.int64) + start)


def fields(**types: Type | FieldSpec) -> tuple[FieldSpec, ...]:
    return tuple(
        given if isinstance(given, FieldSpec) else FieldSpec(name, given, (name,))
        for name, given in types.items()
    )


def spec(
    *declared: FieldSpec,
    format: Format | None = None,  # noqa: A002 - as in the pipeline file
    time: TimeSpec | None = None,
) -> DecodeSpec:
    return DecodeSpec(format or JsonFormat(), declared, time or TimeSpec("t", ("t",)))


def outcomes(decoded: Decoded, length: int) -> list[Outcome]:
    """What became of each record, by its row; fails if the parts don't add up."""
    found: list[Outcome] = [None] * length
    events = decoded.events.to_pylist() or [{}] * decoded.events.num_rows
    rows, times = decoded.rows.tolist(), decoded.time.tolist()
    assert rows == sorted(set(rows))
    for row, values, micros in zip(rows, events, times, strict=True):
        found[row] = {"@": micros} | {name: _in_utc(value) for name, value in values.items()}
    dead = decoded.dead
    assert list(dead.rows) == sorted(set(dead.rows))
    for row, code, name, reason in zip(
        dead.rows, dead.codes, dead.fields, dead.reasons, strict=True
    ):
        assert found[row] is None
        assert reason
        found[row] = Dead(code, name)
    assert decoded.events.num_rows + len(dead.rows) + decoded.blank == length
    assert all(column.num_chunks == 1 for column in decoded.events.columns)
    return found


def _in_utc(value: object) -> object:
    """Times with one kind of zone, so that equal ones print alike."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def decode(
    made: Records, told: DecodeSpec, path_fields: Mapping[str, str] | None = None
) -> list[Outcome]:
    return outcomes(decoder(told).decode(made, path_fields or {}), len(made))


@cache
def decoder(told: DecodeSpec) -> Decoder:
    """One decoder for each spec: opening DuckDB costs more than a test's records."""
    return Decoder(told)


def time_in(form: TimeForm = TimeForm.AUTO, zone: str = "UTC", year: int | None = None) -> TimeSpec:
    return TimeSpec("t", ("t",), form, zone, year)
