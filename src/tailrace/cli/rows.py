"""Rows of an answer as text: a table for people, CSV and JSON lines for programs.

What goes to a terminal has no character in it that the terminal would act on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from tailrace.cli.columns import aligned
from tailrace.cli.printable import one_line

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 200
"""Characters of a value in a table."""


def table_lines(table: pa.Table) -> Iterator[str]:
    """A line for each row under the names of the columns; then how many there are."""
    import pyarrow.types as kinds

    right = {
        place
        for place, field in enumerate(table.schema)
        if kinds.is_integer(field.type) or kinds.is_floating(field.type)
    }
    names = [one_line(name) for name in table.column_names]
    body = [[_shown(value) for value in row] for row in _rows(table)]
    lines = aligned([names, *body], right, indent="")
    yield lines[0]
    yield "-" * max(map(len, lines))
    yield from lines[1:]
    yield f"({table.num_rows:,} {'row' if table.num_rows == 1 else 'rows'})"


def csv_lines(table: pa.Table, *, escaped: bool) -> Iterator[str]:
    """CSV with a header; ``escaped``: control characters in values are shown as escapes."""
    for row in [table.column_names, *_rows(table)]:
        texts = ["" if value is None else _text(value) for value in row]
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(
            [*map(one_line, texts)] if escaped else texts
        )
        yield buffer.getvalue()[:-1]


def json_lines(table: pa.Table, *, ascii_only: bool) -> Iterator[str]:
    """A JSON object for each row."""
    names = table.column_names
    for row in _rows(table):
        values = dict(zip(names, map(_json, row), strict=True))
        yield json.dumps(values, ensure_ascii=ascii_only, separators=(",", ":"))


def _rows(table: pa.Table) -> Iterator[list[object]]:
    for batch in table.to_batches(max_chunksize=10_000):
        columns = [column.to_pylist() for column in batch.columns]
        yield from map(list, zip(*columns, strict=True)) if columns else iter(())


def _shown(value: object) -> str:
    text = "null" if value is None else one_line(_text(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case datetime() if value.tzinfo is not None:
            return value.isoformat(sep=" ").replace("+00:00", "Z")
        case datetime():
            return value.isoformat(sep=" ")
        case dict() | list():
            return json.dumps(_json(value), ensure_ascii=False)
        case _:
            return str(value)


def _json(value: object) -> object:  # noqa: PLR0911 - one for each type
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            # JSON has neither.
            return value if isfinite(value) else None
        case dict():
            return {str(name): _json(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_json(inner) for inner in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case Decimal():
            exponent = value.as_tuple().exponent
            return int(value) if isinstance(exponent, int) and exponent >= 0 else float(value)
        case timedelta():
            return value.total_seconds()
        case _:
            return _text(value)
