"""Tall tables made wide: a row for each name becomes a column for each name.

Beside names and values there are only the key and the date, as the file's check sees to: nothing
depends on the order of rows, except which of two values is the first. With dates, a row of the wide
table stands at every date at which a value of its key changes; a name without a row at that date
keeps the value that it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tailrace.errors import TableError
from tailrace.expr.nodes import Type
from tailrace.plan.instants import iso
from tailrace.reference.snapshot import ARROW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tailrace.config.references import Reference
    from tailrace.reference.raw import RawTable

Cells = dict[tuple[Any, ...], tuple[Any, int]]


def pivoted(
    name: str, config: Reference, table: pa.Table, rows: NDArray[np.int64], raw: RawTable
) -> tuple[pa.Table, NDArray[np.int64], list[str]]:
    """The wide table, where each of its rows was read, and what was left out, in words.

    TableError if a name has two values at the same date.
    """
    pivot = config.pivot
    assert pivot is not None  # noqa: S101 - the caller asked
    meant = {word: column for column, words in pivot.columns.items() for word in words}
    kept = [c for c in table.column_names if c not in (pivot.name, pivot.value)]
    own = [c for c in kept if c in config.key]
    data = {c: table[c].to_pylist() for c in table.column_names}
    cells: Cells = {}
    others: dict[tuple[Any, ...], int] = {}
    unknown: dict[str, int] = {}
    for row in range(table.num_rows):
        word = data[pivot.name][row]
        column = meant.get(word)
        if column is None:
            unknown[word] = unknown.get(word, 0) + 1
            continue
        key = tuple(data[c][row] for c in own)
        date = data[config.valid_from][row] if config.valid_from else None
        value = data[pivot.value][row]
        before = cells.setdefault((key, date, column), (value, row))
        others.setdefault((key, date), row)
        if before[0] != value and config.duplicates == "refuse":
            raise _contradiction(name, column, date, raw, rows[before[1]], rows[row])
    notes = [
        f"{count} rows of the unknown name {word!r} are left out" for word, count in unknown.items()
    ]
    given = {column for _, _, column in cells}
    notes += [
        f"no row has a name that means '{column}', which is null"
        for column in pivot.columns
        if column not in given and cells
    ]
    wide, where = _carried(config, kept, data, cells, others)
    types = {c: table.schema.field(c).type for c in kept}
    types |= dict.fromkeys(pivot.columns, ARROW[Type(config.columns[pivot.value])])
    arrays = {c: pa.array(values, types[c]) for c, values in wide.items()}
    return pa.table(arrays), rows[np.array(where, np.int64)], notes


def _carried(
    config: Reference,
    kept: list[str],
    data: Mapping[str, list[Any]],
    cells: Cells,
    others: Mapping[tuple[Any, ...], int],
) -> tuple[dict[str, list[Any]], list[int]]:
    """The wide rows by key and date, each with what it has from the one before."""
    assert config.pivot is not None  # noqa: S101 - as above
    made = list(config.pivot.columns)
    wide: dict[str, list[Any]] = {c: [] for c in (*kept, *made)}
    where: list[int] = []
    before: dict[str, Any] = {}
    last: object = None
    for key, date in sorted(others, key=lambda one: (one[0], one[1] or 0)):
        if key != last:
            before, last = {}, key
        row = others[key, date]
        before = {**before, **{c: cells[key, date, c][0] for c in made if (key, date, c) in cells}}
        for c in kept:
            wide[c].append(data[c][row])
        for c in made:
            wide[c].append(before.get(c))
        where.append(row)
    return wide, where


def _contradiction(
    name: str, column: str, date: int | None, raw: RawTable, one: int, other: int
) -> TableError:
    when = "" if date is None else f" from {iso(date)} on"
    places = f"{raw.place(int(one))} and {raw.place(int(other))}"
    return TableError(
        f"reference '{name}': '{column}' has two values{when} ({places})",
        hint="remove one of them, or give it another date",
    )
