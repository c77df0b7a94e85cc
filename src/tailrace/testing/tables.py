"""The rows of a case's reference as a file would have given them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.plan.instants import iso
from tailrace.reference.raw import RawTable, from_records
from tailrace.testing.case import Number, Scalar
from tailrace.testing.tokens import instant

if TYPE_CHECKING:
    from tailrace.config.references import Reference
    from tailrace.testing.case import TableRows


def raw_table(step: TableRows, config: Reference, start: int) -> RawTable:
    """Cells as texts; a time may be relative to the case's start, as in its rows."""
    records = [
        dict.fromkeys(config.columns)
        | {name: _cell(value, config.columns.get(name), start) for name, value in row.values}
        for row in step.rows
    ]
    return from_records(records, config.columns)


def _cell(value: Scalar, kind: str | None, start: int) -> object:
    text = value.text if isinstance(value, Number) else value
    if kind == "time" and isinstance(text, str):
        found = instant(text, start)
        return text if found is None else iso(found)
    return text
