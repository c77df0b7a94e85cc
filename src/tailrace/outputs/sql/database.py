"""Connections to the database of an output, and its errors for people; passwords are never shown.

Nothing waits longer than the output's time-out: where the driver has none, the connection is cut.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from tailrace.config.targets.sql import DRIVERS, SqlOutput
from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.sql.dialects import dialect_of
from tailrace.outputs.sql.dialects.dialect import Blame, Connection, Place, full_name, quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection as AlchemyConnection

_SECOND = 1_000_000


class NoDatabaseError(OutputError):
    """The server is there and lets us in, but has no such database."""


class Database:
    """What an output's URL leads to; ``schema`` and ``table`` are the table's parts."""

    def __init__(self, config: SqlOutput) -> None:
        """Connect to nothing yet; OutputError for a URL that can't be read."""
        self._url = _url(config)
        self.dialect = dialect_of(self._url.get_backend_name())
        schema, dot, table = config.table.partition(".")
        self.schema: str | None = schema if dot else None
        self.table = table if dot else schema
        self._seconds = config.timeout / _SECOND
        self._file = self._url.database if self.dialect.name == "sqlite" else None

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return self._file or f"{self._server}/{self._url.database or ''}"

    @property
    def shown_database(self) -> str:
        """The database alone, for people."""
        return f"database {self._url.database} at {self._server}"

    @property
    def _server(self) -> str:
        url = self._url
        port = f":{url.port}" if url.port else ""
        return f"{url.get_backend_name()}://{url.host or 'localhost'}{port}"

    @property
    def full_table(self) -> str:
        """The table's name as SQL has it."""
        return full_name(self.schema, self.table, self.dialect.quote)

    @property
    def shown_table(self) -> str:
        """The table's name for people."""
        return self.table if self.schema is None else f"{self.schema}.{self.table}"

    @property
    def no_file(self) -> bool:
        """Whether the database is a file that isn't there."""
        return self._file is not None and not Path(self._file).exists()

    def connect(self, place: Place | None = None, *, make_file: bool = False) -> Connection:
        """A connection of the driver, for rows of ``place`` if one is given.

        UnreachableError if there is nobody; OutputError if we aren't let in. Only with
        ``make_file`` a SQLite file that isn't there is made.
        """
        if self.no_file and not make_file:
            raise OutputError(
                f"there is no database file {self._file}",
                hint="`tailrace init PIPELINE` makes it with the table",
            )
        alchemy = self._url.get_dialect()()
        arguments, options = alchemy.create_connect_args(self._url)
        options = {**self.dialect.connect_arguments(self._seconds), **options}
        driver = alchemy.import_dbapi()
        try:
            connection = driver.connect(*arguments, **options)
        except driver.Error as error:
            raise self.error(error) from error
        try:
            with self.limited(connection):
                self.dialect.begin_session(connection.cursor(), place)
        except driver.Error as error:
            close(connection)
            raise self.error(error) from error
        return connection

    def make(self) -> None:
        """Make the database on its server; nothing happens if somebody has made it meanwhile."""
        server = copy(self)
        server._url = self._url.set(database=self.dialect.first_database)  # noqa: SLF001 - a copy of this one
        name = quoted(self._url.database or "", self.dialect.quote)
        try:
            with server.asked() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql(f"CREATE DATABASE {name}".replace("%", "%%"))
        except OutputError as error:
            try:
                close(self.connect())
            except NoDatabaseError:
                raise error from None

    @contextmanager
    def limited(self, connection: Connection) -> Iterator[None]:
        """Let what is done within fail, as far as it waits, when the time-out is over."""
        timer = threading.Timer(self._seconds, self._break_off, [connection])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextmanager
    def asked(self, *, make_file: bool = False) -> Iterator[AlchemyConnection]:
        """SQLAlchemy's connection for some questions or statements; errors as ``connect``."""
        own = self.connect(make_file=make_file)
        engine = create_engine(self._url, creator=lambda: own, poolclass=NullPool)
        try:
            with self.limited(own), engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise self.error(error.orig) from error
        except SQLAlchemyError as error:
            raise OutputError(f"{self.name}: {error}") from error
        finally:
            engine.dispose()
            close(own)

    def error(self, error: BaseException | None) -> OutputError:
        """What is said about an error of the driver."""
        if not isinstance(error, Exception):
            return OutputError(f"{self.name} can't be used")
        if self.dialect.lacks_database(error):
            return NoDatabaseError(
                f"there is no {self.shown_database}",
                hint="`tailrace init PIPELINE` makes it with the tables",
            )
        why = self.dialect.why(error)
        match self.dialect.blame(error):
            case Blame.SERVER:
                return UnreachableError(f"{self.name} can't be reached: {why}")
            case Blame.REFUSAL:
                hint = "check user, password, database and rights"
                return OutputError(f"{self.name} refuses: {why}", hint=hint)
            case _:
                return OutputError(f"{self.name} says: {why}")

    def _break_off(self, connection: Connection) -> None:
        with suppress(Exception):
            self.dialect.break_off(connection)


def close(connection: Connection) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(Exception):
        connection.close()


def _url(config: SqlOutput) -> URL:
    begin, _, rest = config.url.partition("://")
    try:
        url = make_url(f"{DRIVERS[begin]}://{rest}")
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError, KeyError) as error:
        raise OutputError(
            "the database's URL can't be read",
            hint="characters such as @ and / in a password are written %40 and %2F",
        ) from error
    return url if config.password is None else url.set(password=config.password)
