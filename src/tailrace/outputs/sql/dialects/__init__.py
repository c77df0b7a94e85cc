"""What differs between databases, one module each with the same members (``dialect.Dialect``)."""

from __future__ import annotations

from tailrace.errors import OutputError
from tailrace.outputs.extras import extra
from tailrace.outputs.sql.dialects.dialect import Dialect

__all__ = ["Dialect", "dialect_of"]


def dialect_of(backend: str) -> Dialect:
    """The dialect of a database, by its name in SQLAlchemy; OutputError if a library is missing."""
    match backend:
        case "postgresql":
            extra("sql", "psycopg")
            from tailrace.outputs.sql.dialects.postgresql import PostgreSQL

            return PostgreSQL()
        case "mysql" | "mariadb":
            extra("sql", "pymysql")
            from tailrace.outputs.sql.dialects.mysql import MySQL

            return MySQL()
        case "sqlite":
            from tailrace.outputs.sql.dialects.sqlite import SQLite

            return SQLite()
        case _:
            raise OutputError(f"nothing is known of the database {backend}")
