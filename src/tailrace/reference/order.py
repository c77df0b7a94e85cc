"""Rows in their own order, one for each key and date unless the file allows more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailrace.config.references import Reference
    from tailrace.plan.references import Shape
    from tailrace.reference.raw import RawTable


def sorted_rows(
    name: str,
    config: Reference,
    shape: Shape,
    table: pa.Table,
    rows: NDArray[np.int64],
    raw: RawTable,
) -> tuple[pa.Table, list[str]]:
    """The rows sorted by key, date and values, equal ones once; and what was left out, in words.

    ``rows``: where each of them was read, for people. TableError for contradictions.
    """
    if not table.num_rows:
        return table, []
    found = [*shape.key, *([shape.dated] if shape.dated else [])]
    by_key = [ranks(table[column]) for column in found]
    values = [ranks(table[column]) for column in table.column_names if column not in found]
    order = _lexsort([*by_key, *(values if config.duplicates != "first" else [])], table.num_rows)
    same_key = _same(by_key, order)
    if config.duplicates == "first":
        keep = ~same_key
        dropped = int(same_key.sum())
        notes = [f"{dropped} rows of keys that were there already are left out"] if dropped else []
        return table.take(pa.array(order[keep])), notes
    same = same_key & _same(values, order)
    if config.duplicates == "refuse" and bool((same_key & ~same).any()):
        at = int(np.flatnonzero(same_key & ~same)[0])
        raise _contradiction(name, table, found, rows, raw, order[at - 1], order[at])
    return table.take(pa.array(order[~same])), []


def ranks(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Integers that compare as the values do, null least; texts compare by their bytes."""
    encoded = column.combine_chunks().dictionary_encode()
    places = pc.sort_indices(encoded.dictionary).to_numpy()
    order = np.empty(len(places), np.int64)
    order[places] = np.arange(len(places))
    codes: NDArray[np.int64] = (
        encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    if not len(order):
        return codes
    found: NDArray[np.int64] = np.where(codes < 0, -1, order[codes])
    return found


def _lexsort(columns: Sequence[NDArray[np.int64]], length: int) -> NDArray[np.int64]:
    """Stable; the first column counts most."""
    return np.lexsort(columns[::-1]) if columns else np.arange(length)


def _same(columns: Sequence[NDArray[np.int64]], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each row in order has the values of the one before."""
    same = np.ones(len(order), np.bool_)
    same[:1] = False
    for column in columns:
        ordered = column[order]
        same[1:] &= ordered[1:] == ordered[:-1]
    return same


def _contradiction(
    name: str,
    table: pa.Table,
    found: Sequence[str],
    rows: NDArray[np.int64],
    raw: RawTable,
    one: int,
    other: int,
) -> TableError:
    what = ", ".join(f"{column} {table[column][int(one)].as_py()!r}" for column in found)
    first, second = sorted((int(rows[one]), int(rows[other])))
    places = f"{raw.place(first)} and {raw.place(second)}"
    whose = f"of {what}" if what else "and there is no key"
    return TableError(
        f"reference '{name}': two rows {whose} with different values ({places})",
        hint="remove one of them; or duplicates: first, or duplicates: allow",
    )
