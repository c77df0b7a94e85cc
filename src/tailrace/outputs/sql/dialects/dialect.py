"""What the output asks of a database's dialect, and what dialects share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from tailrace.outputs.sql.columns import Kind

if TYPE_CHECKING:
    import pyarrow as pa

Connection = Any
"""A connection of Python's database interface (PEP 249), of which each driver has its own."""

Cursor = Any


class Blame(Enum):
    """Whose fault an error of the database is."""

    ROW = auto()
    """The row can't be in the table: too long, out of range, against a constraint."""
    SERVER = auto()
    """The server can't be reached, or not now."""
    REFUSAL = auto()
    """The server doesn't let us in: password, rights."""
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """A table and the columns that are written; with ``key``, a row replaces the one of its key."""

    schema: str | None
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()


class Dialect(Protocol):
    """One kind of database."""

    name: str
    quote: str
    """The character around names."""
    first_database: str
    """The one to be in while another is made; empty where none is needed."""
    placeholder: str
    begin: str | None
    """What begins a transaction, if statements don't do it by themselves."""
    lock: str
    """Ends a query whose rows nobody else may change until the transaction ends."""
    types: Mapping[Kind, str]
    """What columns are made as."""
    key_types: Mapping[Kind, str]
    """The same for columns of a key, where that differs."""
    table_options: str
    """Ends the statement that makes a table."""

    def connect_arguments(self, seconds: float) -> dict[str, Any]:
        """What the driver is told beside the URL; nothing may take longer than ``seconds``."""
        ...

    def begin_session(self, cursor: Cursor, place: Place | None) -> None:
        """Set a new connection up: UTC, strict; for rows of ``place``, if one is given."""
        ...

    def insert(self, cursor: Cursor, place: Place, rows: pa.Table) -> None:
        """Write rows, whose columns are those of ``place``, within the transaction."""
        ...

    def break_off(self, connection: Connection) -> None:
        """Make a call that waits in another thread fail, if time-outs of the driver don't."""
        ...

    def blame(self, error: Exception) -> Blame:
        """Whose fault an error of the driver is."""
        ...

    def lacks_database(self, error: Exception) -> bool:
        """Whether an error of connecting is that there is no such database."""
        ...

    def why(self, error: Exception) -> str:
        """What an error says, in one line."""
        ...

    def retype(self, table: str, column: str, kind: Kind) -> str:
        """The statement that gives a column another type."""
        ...


def quoted(name: str, quote: str) -> str:
    """A name as SQL has it, whatever characters are in it."""
    return f"{quote}{name.replace(quote, quote * 2)}{quote}"


def full_name(schema: str | None, table: str, quote: str) -> str:
    """A table's name as SQL has it."""
    parts = [table] if schema is None else [schema, table]
    return ".".join(quoted(part, quote) for part in parts)


def names(columns: Sequence[str], quote: str) -> str:
    """Names with commas."""
    return ", ".join(quoted(name, quote) for name in columns)


def on_conflict(place: Place, quote: str) -> str:
    """As PostgreSQL and SQLite say that a row replaces the one of its key."""
    if not place.key:
        return ""
    others = [name for name in place.columns if name not in place.key]
    target = f" ON CONFLICT ({names(place.key, quote)})"
    if not others:
        return f"{target} DO NOTHING"
    changes = (f"{quoted(name, quote)} = excluded.{quoted(name, quote)}" for name in others)
    return f"{target} DO UPDATE SET {', '.join(changes)}"
