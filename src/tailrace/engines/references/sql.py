"""References in SQL databases: their rows, word of their change, and rows for empty tables."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from tailrace.config.targets.sql import SqlOutput
from tailrace.errors import TableError
from tailrace.outputs.extras import extra
from tailrace.reference.raw import RawTable, from_records, refuse_twice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tailrace.config.reference_places import SqlTable
    from tailrace.outputs.sql.database import Database

LISTEN_SECONDS = 0.5
"""How often a connection that listens looks whether it is to end."""

_INNER = re.compile(r"\([^()]*\)")
_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)


def database(place: SqlTable) -> Database:
    """What the URL leads to; OutputError if it can't be read, or a library is missing."""
    extra("sql", "sqlalchemy")
    from tailrace.outputs.sql.database import Database

    target = SqlOutput(
        url=place.url,
        password=place.password,
        table=place.table or "query",
        timeout=place.timeout,
    )
    return Database(target)


def has_order(place: SqlTable) -> bool:
    """Whether a query says itself in which order its rows come."""
    text, before = place.query or "", None
    while text != before:
        text, before = _INNER.sub(" ", text), text
    return _ORDER.search(text) is not None


def read_sql(place: SqlTable, columns: Sequence[str], most: int) -> RawTable:
    """The rows of a table or query, one more than ``most`` if there are more.

    No more than those are asked for, whatever the table has.
    """
    found = database(place)
    from tailrace.outputs.sql.dialects.dialect import names

    query = place.query
    if query is None:
        listed = names(columns, found.dialect.quote)
        query = f"SELECT {listed} FROM {found.full_table} LIMIT {most + 1}"
    with found.asked() as connection:
        if found.dialect.name == "mysql":
            # A cursor of MySQL's server reads all the rest when it is closed.
            connection.exec_driver_sql(f"SET SESSION sql_select_limit = {most + 1}")
        # A percent sign is one: there are no parameters.
        plain = connection.execution_options(no_parameters=True, stream_results=True)
        result = plain.exec_driver_sql(query)
        if not result.returns_rows:
            raise TableError("the query gives no rows", hint="it must be a SELECT")
        there = list(result.keys())
        rows = result.fetchmany(most + 1)
        result.close()
        connection.rollback()
    refuse_twice(there, columns)
    records = [dict(zip(there, row, strict=True)) for row in rows]
    table = from_records(records, columns)
    return table if rows else RawTable({}, 0)


def listen(place: SqlTable, changed: Callable[[], None], stopped: Callable[[], bool]) -> None:
    """Wait for notifications of PostgreSQL until ``stopped``; OutputError when it goes away.

    ``changed`` is called for each, and once at the beginning: what was notified before is unknown.
    """
    import psycopg
    from psycopg import sql

    found = database(place)
    assert place.channel is not None  # noqa: S101 - the caller looked
    connection = found.connect()
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 - of PostgreSQL, as checked
    with closing(connection):
        try:
            connection.autocommit = True
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(place.channel)))
            changed()
            while not stopped():
                for _ in connection.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                    changed()
        except psycopg.Error as error:
            raise found.error(error) from error
        finally:
            with suppress(psycopg.Error):
                connection.rollback()
