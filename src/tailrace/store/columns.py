"""How the columns of a table are stored that is made for rows that come now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

LONG_BYTES = 64
"""Texts of as many bytes on average: whole records, URLs, messages."""
ID_BYTES = 24
"""Texts of as many bytes of which hardly any comes twice: ids, digests."""
_SAMPLE = slice(0, 4096)
_ENOUGH = 100
"""So many rows tell whether texts come twice."""


def definitions(kinds: Iterable[tuple[str, str]], rows: pa.Table) -> str:
    """The columns of ``create table``: names and DuckDB's types, as ``kinds`` has them for rows.

    Long texts, and ids, are compressed by zstd. What DuckDB chooses by itself looks for parts that
    recur (dictionaries of symbols): for records of 170 bytes that took twice the processor time of
    all other columns together, and twice the space; for ids of 32 bytes, twice the time.
    """
    long = {name for name in rows.column_names if _is_long(rows.column(name))}
    return ", ".join(
        f"{quoted(name)} {kind}{' using compression zstd' if name in long else ''}"
        for name, kind in kinds
    )


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _is_long(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_string(column.type) or column.null_count == len(column):
        return False
    size = pc.mean(pc.binary_length(column)).as_py()
    return bool(size >= LONG_BYTES or (size >= ID_BYTES and _is_varied(column[_SAMPLE])))


def _is_varied(column: pa.ChunkedArray) -> bool:
    distinct: int = pc.count_distinct(column).as_py()
    return len(column) >= _ENOUGH and 10 * distinct >= 9 * len(column)
