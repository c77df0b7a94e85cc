"""SQLite: a file, one writer at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tailrace.outputs.sql.columns import Kind
from tailrace.outputs.sql.dialects.dialect import (
    Blame,
    Connection,
    Cursor,
    Place,
    full_name,
    names,
    on_conflict,
    quoted,
)

if TYPE_CHECKING:
    import pyarrow as pa


class SQLite:
    """See ``Dialect``."""

    name = "sqlite"
    quote = '"'
    first_database = ""
    placeholder = "?"
    begin: str | None = "BEGIN IMMEDIATE"
    lock = ""
    types: Mapping[Kind, str] = {
        Kind.ID: "varchar(32)",
        Kind.TEXT: "text",
        Kind.INTEGER: "bigint",
        Kind.DOUBLE: "double",
        Kind.BOOLEAN: "boolean",
        Kind.TIME: "datetime",
    }
    key_types: Mapping[Kind, str] = {}
    table_options = ""

    def connect_arguments(self, seconds: float) -> dict[str, Any]:
        """See ``Dialect``; transactions are begun and ended by statements."""
        return {"timeout": seconds, "isolation_level": None, "check_same_thread": False}

    def begin_session(self, cursor: Cursor, place: Place | None) -> None:
        """See ``Dialect``: nothing is needed."""

    def insert(self, cursor: Cursor, place: Place, rows: pa.Table) -> None:
        """See ``Dialect``."""
        table = full_name(place.schema, place.table, self.quote)
        marks = ", ".join([self.placeholder] * len(place.columns))
        cursor.executemany(
            f"INSERT INTO {table} ({names(place.columns, self.quote)}) VALUES ({marks})"
            + on_conflict(place, self.quote),
            zip(*(column.to_pylist() for column in rows.columns), strict=True),
        )

    def break_off(self, connection: Connection) -> None:
        """See ``Dialect``: the driver has a time-out."""

    def blame(self, error: Exception) -> Blame:
        """See ``Dialect``."""
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
            return Blame.ROW
        if isinstance(error, sqlite3.OperationalError):
            later = ("locked", "busy", "disk I/O", "full")
            return Blame.SERVER if any(word in str(error) for word in later) else Blame.OTHER
        return Blame.OTHER

    def lacks_database(self, error: Exception) -> bool:  # noqa: ARG002 - as others have it
        """See ``Dialect``: a file that isn't there is looked for before."""
        return False

    def why(self, error: Exception) -> str:
        """See ``Dialect``."""
        return str(error) or type(error).__name__

    def retype(self, table: str, column: str, kind: Kind) -> str:
        """See ``Dialect``: SQLite can't; the column is made anew."""
        old, new = quoted(column, self.quote), quoted(f"{column}_new", self.quote)
        type_ = self.types[kind]
        return (
            f"ALTER TABLE {table} ADD COLUMN {new} {type_};"
            f" UPDATE {table} SET {new} = CAST({old} AS {type_});"
            f" ALTER TABLE {table} DROP COLUMN {old};"
            f" ALTER TABLE {table} RENAME COLUMN {new} TO {old};"
        )
