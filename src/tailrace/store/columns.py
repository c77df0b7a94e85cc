"""How the columns of a table are stored that is made for rows that come now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

LONG_BYTES = 64
"""Texts of as many bytes on average: whole records, URLs, messages."""


def definitions(kinds: Iterable[tuple[str, str]], rows: pa.Table) -> str:
    """The columns of ``create table``: names and DuckDB's types, as ``kinds`` has them for rows.

    Long texts are compressed by zstd. What DuckDB chooses by itself looks for parts that recur
    (dictionaries of symbols): for records of 170 bytes that took twice the processor time of all
    other columns together, and twice the space.
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
    return bool(pc.mean(pc.binary_length(column)).as_py() >= LONG_BYTES)
