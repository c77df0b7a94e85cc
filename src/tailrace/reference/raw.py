"""Cells as a file or server gave them, all as texts, before their types are looked at.

Every place gives the same texts for the same values, so that a table means the same wherever it
comes from: numbers in their notation, times in ISO 8601, objects as JSON.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.errors import TableError


@dataclass(frozen=True, slots=True)
class RawTable:
    """``columns``: string arrays of one length by name; null where there is no value.

    ``first``: what the first row is called for people, ``unit`` what a row is ("line", "row").
    ``there``: the names of all columns that there are, where more than the wanted ones are known.
    """

    columns: Mapping[str, pa.Array]
    rows: int
    first: int = 1
    unit: str = "row"
    there: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """What a row is called."""
        return f"{self.unit} {row + self.first}"

    def ordered(self) -> RawTable:
        """The same rows in an order of their own, by their texts; null comes last."""
        if self.rows < 2 or not self.columns:
            return self
        table = pa.table(dict(self.columns))
        places = pc.sort_indices(table, [(name, "ascending") for name in table.column_names])
        found = table.take(places).combine_chunks()
        columns = {name: found[name].combine_chunks() for name in found.column_names}
        return RawTable(columns, self.rows, self.first, self.unit, self.there)


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


def refuse_twice(found: Iterable[str], wanted: Iterable[str]) -> None:
    """TableError if a column that is read is there several times."""
    for name, count in Counter(found).items():
        if count > 1 and name in wanted:
            raise TableError(f"the column '{name}' is there {count} times")


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
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
            return text.encode("utf-8", "backslashreplace").decode()
        case _:
            return str(value)
