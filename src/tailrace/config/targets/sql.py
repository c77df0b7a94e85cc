"""A table of a SQL database that rows go to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from tailrace.config.base import Given
from tailrace.config.complaints import Complaint
from tailrace.config.scalars import Filled, PositiveSpan
from tailrace.config.several import SeveralOrNone
from tailrace.config.targets.target import RowForm, Target, server_of
from tailrace.config.units import Duration
from tailrace.config.values import shown

DRIVERS: Mapping[str, str] = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mariadb+pymysql": "mariadb+pymysql",
    "sqlite": "sqlite",
}
"""What a URL may begin with, and the driver that is meant, as SQLAlchemy calls it."""


class SqlOutput(Target):
    """Rows of a table of PostgreSQL, MySQL, MariaDB or SQLite.

    `tailrace init` makes the table, with the row's id as its key. Where there is a key, a row
    replaces the one of the same key; a table without any gets each row once.
    """

    kind: ClassVar[str] = "sql"

    url: Filled = Field(
        description="The database: `postgresql://`, `mysql://` or `mariadb://` with"
        " `user:password@host:port/database`, or `sqlite:///file`.",
        examples=["postgresql://user:${PASSWORD}@localhost/alerts"],
    )
    password: Filled | None = Field(
        default=None,
        description="The password as it is; in `url`, characters such as `@` are written `%40`.",
        examples=["${PASSWORD}"],
    )
    table: Filled = Field(
        description="The table, `schema.table` for one that isn't in the usual schema;"
        " `tailrace init` makes it.",
        examples=["alerts"],
    )
    columns: Mapping[Filled, Filled] = Field(
        default={},
        description="Which column of the table gets which of the row; then these and no others."
        " By default names are the same. The row's id is `id`, or `tailrace_id` where rows have an"
        " `id` of their own; its event time `tailrace_time`.",
        examples=[{"event_id": "id", "status": "verdict"}],
    )
    key: SeveralOrNone = Field(
        default=(),
        description="Columns of the table that tell rows apart, if not the row's id: a row replaces"
        " the one with the same values.",
        examples=["fingerprint"],
    )
    timeout: PositiveSpan = Field(
        default=Duration("15s"), description="How long an answer may take."
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Databases that nothing is known of, and mappings that lead nowhere."""
        url = given.get("url")
        if isinstance(url, str) and url.strip():
            begin, found, rest = url.partition("://")
            if not found or begin not in DRIVERS:
                hint = "one of postgresql://, mysql://, mariadb://, sqlite:///"
                yield Complaint(("url",), f"no known database: {shown(begin)}", hint)
            elif begin == "sqlite" and rest in ("", "/", "/:memory:"):
                hint = "for example sqlite:///alerts.db"
                yield Complaint(("url",), "a database in a file is needed", hint)
        columns, key = given.get("columns"), given.get("key")
        if isinstance(columns, Mapping) and columns:
            names = [key] if isinstance(key, str) else key if isinstance(key, list | tuple) else ()
            for name in names:
                if name not in columns:
                    yield Complaint(("key",), f"the column {shown(str(name))} gets no value")

    @property
    def row_form(self) -> RowForm:
        """A column for each value."""
        return "typed"

    @property
    def told(self) -> str:
        """Table and server, or file."""
        begin, _, rest = self.url.partition("://")
        if begin == "sqlite":
            return f"sql {self.table} at {self.url.partition('?')[0]}"
        # A password may have been written with characters that end the server's name elsewhere.
        server = rest.rpartition("@")[2]
        return f"sql {self.table} at {server_of(f'{begin}://{server}')}"

    @property
    def addressed(self) -> bool:
        """Rows have an id."""
        return True
