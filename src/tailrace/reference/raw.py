"""Cells as a file or server gave them, all as texts, before their types are looked at.

Every place gives the same texts for the same values, so that a table means the same wherever it
comes from: numbers in their notation, times in ISO 8601, objects as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class RawTable:
    """``columns``: string arrays of one length by name; null where there is no value.

    ``first``: what the first row is called for people, ``unit`` what a row is ("line", "row").
    """

    columns: Mapping[str, pa.Array]
    rows: int
    first: int = 1
    unit: str = "row"

    def place(self, row: int) -> str:
        """What a row is called."""
        return f"{self.unit} {row + self.first}"


def from_records(
    records: Sequence[Mapping[str, object]],
    names: Iterable[str],
    *,
    first: int = 1,
    unit: str = "row",
) -> RawTable:
    """Rows with values by name; other names than ``names`` are left alone."""
    known = {name for record in records for name in record}
    columns = {
        name: pa.array([text_of(record.get(name)) for record in records], pa.string())
        for name in names
        if name in known
    }
    return RawTable(columns, len(records), first, unit)


def text_of(value: object) -> str | None:  # noqa: PLR0911 - one case a type
    """One value as text; a text that isn't UTF-8 keeps its bytes as escapes."""
    match value:
        case None:
            return None
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case float():
            return repr(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "backslashreplace")
        case list() | tuple() | dict():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        case _:
            return str(value)
