"""PostgreSQL by psycopg: rows go by COPY, for a table with a key by way of a temporary one.

Of 20 000 rows that takes a third of the time of an INSERT each in psycopg's pipeline; of one row
some milliseconds more.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

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
from tailrace.outputs.texts import joined, plain_texts

_STAGE = "tailrace_rows"

_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\0", "\ufffd"))
"""What COPY's text format has for some characters; the last one no text of PostgreSQL can hold."""
_SPECIAL = r"[\\\n\r\t\x00]"

_OF_ROWS = ("21", "22", "23", "44")
"""Classes of errors that values cause."""
_ALSO_OF_ROWS = ("54000", "P0001")
_NO_DATABASE = re.compile(r'FATAL:\s+database ".*" does not exist')
_LATER = ("starting up", "shutting down", "too many", "connection slots", "recovery")


class PostgreSQL:
    """See ``Dialect``."""

    name = "postgresql"
    quote = '"'
    first_database = "postgres"
    placeholder = "%s"
    begin: str | None = None
    lock = " FOR UPDATE"
    types: Mapping[Kind, str] = {
        Kind.ID: "varchar(32)",
        Kind.TEXT: "text",
        Kind.INTEGER: "bigint",
        Kind.DOUBLE: "double precision",
        Kind.BOOLEAN: "boolean",
        Kind.TIME: "timestamptz",
    }
    key_types: Mapping[Kind, str] = {}
    table_options = ""

    def connect_arguments(self, seconds: float) -> dict[str, Any]:
        """See ``Dialect``; the driver's own time-out is for connecting alone."""
        return {
            "connect_timeout": max(2, int(seconds)),
            "application_name": "tailrace",
            "options": f"-c timezone=UTC -c statement_timeout={int(seconds * 1000)}",
            "tcp_user_timeout": int(seconds * 1000),
        }

    def begin_session(self, cursor: Cursor, place: Place | None) -> None:
        """See ``Dialect``: makes the temporary table, which is empty after each transaction."""
        cursor.execute("SET client_encoding TO 'UTF8'")
        if place is not None and place.key:
            table = full_name(place.schema, place.table, self.quote)
            cursor.execute(
                f"CREATE TEMPORARY TABLE {_STAGE} ON COMMIT DELETE ROWS AS"
                f" SELECT {names(place.columns, self.quote)} FROM {table} WITH NO DATA"
            )
        cursor.connection.commit()

    def insert(self, cursor: Cursor, place: Place, rows: pa.Table) -> None:
        """See ``Dialect``."""
        table = full_name(place.schema, place.table, self.quote)
        columns = names(place.columns, self.quote)
        if not place.key:
            self._copy(cursor, table, columns, rows)
            return
        cursor.execute(f"TRUNCATE pg_temp.{_STAGE}")
        self._copy(cursor, f"pg_temp.{_STAGE}", columns, rows)
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM pg_temp.{_STAGE}"
            + on_conflict(place, self.quote)
        )

    def _copy(self, cursor: Cursor, table: str, columns: str, rows: pa.Table) -> None:
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            copy.write(copy_lines(rows))

    def break_off(self, connection: Connection) -> None:
        """See ``Dialect``: nothing else ends a wait for a server that has stopped."""
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as own:
            own.shutdown(socket.SHUT_RDWR)

    def blame(self, error: Exception) -> Blame:
        """See ``Dialect``."""
        if not isinstance(error, psycopg.Error):
            return Blame.OTHER
        state = error.sqlstate
        if state is None:
            return self._of_connecting(str(error), error)
        if state.startswith(_OF_ROWS) or state in _ALSO_OF_ROWS:
            return Blame.ROW
        if state.startswith(("08", "57P", "53")) or state in ("57014", "25006"):
            return Blame.SERVER
        return Blame.REFUSAL if state.startswith(("28", "3D", "42501")) else Blame.OTHER

    def _of_connecting(self, text: str, error: Exception) -> Blame:
        if "FATAL:" in text and not any(word in text for word in _LATER):
            return Blame.REFUSAL
        known = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Blame.SERVER if known else Blame.ROW

    def lacks_database(self, error: Exception) -> bool:
        """See ``Dialect``: errors of connecting have no code, and English as long as it matters."""
        if not isinstance(error, psycopg.Error):
            return False
        return error.sqlstate == "3D000" or bool(_NO_DATABASE.search(str(error)))

    def why(self, error: Exception) -> str:
        """See ``Dialect``."""
        diagnostic = getattr(error, "diag", None)
        if diagnostic is not None and diagnostic.message_primary:
            said, detail = diagnostic.message_primary, diagnostic.message_detail
            return f"{said} ({detail})" if detail else str(said)
        return " ".join(str(error).split()) or type(error).__name__

    def retype(self, table: str, column: str, kind: Kind) -> str:
        """See ``Dialect``."""
        name, type_ = quoted(column, self.quote), self.types[kind]
        return f"ALTER TABLE {table} ALTER COLUMN {name} TYPE {type_} USING {name}::{type_};"


def copy_lines(rows: pa.Table) -> bytes:
    """Rows in the text format of COPY, UTF-8."""
    parts: list[pa.Array | str] = []
    for column in rows.columns:
        texts = plain_texts(column.combine_chunks())
        if pa.types.is_string(column.type):
            texts = _escaped(texts)
        parts += [pc.fill_null(texts, "\\N"), "\t"]
    parts[-1] = "\n"
    lines = joined(*parts)
    return "".join(lines.to_pylist()).encode()


def _escaped(texts: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(texts, _SPECIAL)).as_py():
        return texts
    for character, escape in _ESCAPES:
        texts = pc.replace_substring(texts, character, escape)
    return texts
