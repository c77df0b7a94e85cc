"""MySQL and MariaDB by PyMySQL: rows go by INSERT with many of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import pymysql

from tailrace.outputs.sql.columns import Kind
from tailrace.outputs.sql.dialects.dialect import (
    Blame,
    Connection,
    Cursor,
    Place,
    full_name,
    names,
    quoted,
)

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 1000
BYTES_AT_ONCE = 1 << 20
"""Of values; servers take packets of 16 MiB and more."""

TOO_LONG = 1153

_EXACT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
_OF_ROWS = (1048, 1062, TOO_LONG, 1264, 1265, 1292, 1364, 1366, 1406, 1452, 1644, 1690, 3819, 4025)
_NO_DATABASE = 1049
_REFUSALS = (1044, 1045, _NO_DATABASE, 1142, 1143, 1698)
_LATER = (1040, 1053, 1129, 1203, 1205, 1213, 1226, 2002, 2003, 2006, 2013, 2014, 2055)


class MySQL:
    """See ``Dialect``."""

    name = "mysql"
    quote = "`"
    first_database = ""
    placeholder = "%s"
    begin: str | None = None
    lock = " FOR UPDATE"
    types: Mapping[Kind, str] = {
        Kind.ID: "varchar(32) CHARACTER SET ascii COLLATE ascii_bin",
        Kind.TEXT: f"mediumtext {_EXACT}",
        Kind.INTEGER: "bigint",
        Kind.DOUBLE: "double",
        Kind.BOOLEAN: "boolean",
        Kind.TIME: "datetime(6)",
    }
    # An index takes texts of some length only.
    key_types: Mapping[Kind, str] = {Kind.TEXT: f"varchar(255) {_EXACT}"}
    table_options = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"

    def __init__(self) -> None:
        self._longest = 1 << 20

    def connect_arguments(self, seconds: float) -> dict[str, Any]:
        """See ``Dialect``."""
        whole = max(1, int(seconds))
        return {
            "connect_timeout": whole,
            "read_timeout": whole,
            "write_timeout": whole,
            "charset": "utf8mb4",
        }

    def begin_session(self, cursor: Cursor, place: Place | None) -> None:  # noqa: ARG002 - no table has needs
        """See ``Dialect``: a value that doesn't fit is an error, not cut."""
        cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
        cursor.execute("SET SESSION time_zone = '+00:00'")
        cursor.execute("SELECT @@max_allowed_packet")
        self._longest = int(cursor.fetchone()[0])

    def insert(self, cursor: Cursor, place: Place, rows: pa.Table) -> None:
        """See ``Dialect``."""
        table = full_name(place.schema, place.table, self.quote)
        row = f"({', '.join([self.placeholder] * len(place.columns))})"
        head = f"INSERT INTO {table} ({names(place.columns, self.quote)}) VALUES "
        head, tail = head.replace("%", "%%"), self._replacing(place).replace("%", "%%")
        for piece in pieces(rows):
            values = zip(*(column.to_pylist() for column in piece.columns), strict=True)
            marks = ", ".join([row] * piece.num_rows)
            query = cursor.mogrify(head + marks + tail, list(chain.from_iterable(values)))
            if piece.num_rows == 1:
                self._check_size(query)
            cursor.execute(query)

    def _check_size(self, query: str) -> None:
        """DataError for a row that is too long for the server, which would hang up on us."""
        size = len(query.encode("utf-8", "surrogateescape"))
        if size >= self._longest:
            raise pymysql.DataError(
                TOO_LONG, f"the row takes {size} bytes, max_allowed_packet is {self._longest}"
            )

    def _replacing(self, place: Place) -> str:
        if not place.key:
            return ""
        others = [name for name in place.columns if name not in place.key] or place.key[:1]
        changes = (f"{self._name(name)} = VALUES({self._name(name)})" for name in others)
        return f" ON DUPLICATE KEY UPDATE {', '.join(changes)}"

    def _name(self, name: str) -> str:
        return quoted(name, self.quote)

    def break_off(self, connection: Connection) -> None:
        """See ``Dialect``: the driver has time-outs."""

    def blame(self, error: Exception) -> Blame:
        """See ``Dialect``."""
        if not isinstance(error, pymysql.Error):
            return Blame.OTHER
        code = error.args[0] if error.args else None
        if code in _LATER or isinstance(error, pymysql.InterfaceError):
            return Blame.SERVER
        if code in _REFUSALS:
            return Blame.REFUSAL
        of_row = isinstance(error, pymysql.DataError | pymysql.IntegrityError)
        return Blame.ROW if of_row or code in _OF_ROWS else Blame.OTHER

    def lacks_database(self, error: Exception) -> bool:
        """See ``Dialect``."""
        return isinstance(error, pymysql.Error) and error.args[:1] == (_NO_DATABASE,)

    def why(self, error: Exception) -> str:
        """See ``Dialect``."""
        return str(error.args[1]) if len(error.args) > 1 else str(error) or type(error).__name__

    def retype(self, table: str, column: str, kind: Kind) -> str:
        """See ``Dialect``."""
        return f"ALTER TABLE {table} MODIFY COLUMN {self._name(column)} {self.types[kind]} NULL;"


def pieces(rows: pa.Table) -> Iterator[pa.Table]:
    """Rows for one statement each, bounded in number and bytes."""
    for start in range(0, rows.num_rows, ROWS_AT_ONCE):
        piece = rows.slice(start, ROWS_AT_ONCE)
        if piece.nbytes <= BYTES_AT_ONCE or piece.num_rows == 1:
            yield piece
            continue
        half = piece.num_rows // 2
        yield from pieces(piece.slice(0, half))
        yield from pieces(piece.slice(half))
