"""What the database has of an output's table, and how that compares with what the output writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, types

from tailrace.outputs.sql.columns import Column, Kind, Wanted
from tailrace.outputs.sql.database import Database

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection as AlchemyConnection
    from sqlalchemy.engine import Inspector

_Type = types.TypeEngine[Any]
_NUMBERS: tuple[type[_Type], ...] = (types.Integer, types.Numeric, types.Float)
_TEXTS: tuple[type[_Type], ...] = (types.String, types.JSON, types.Uuid, types.Enum)
_FITS: Mapping[Kind, tuple[type[_Type], ...]] = {
    Kind.ID: (types.String, types.Uuid),
    Kind.TEXT: _TEXTS,
    Kind.INTEGER: (*_NUMBERS, types.String),
    Kind.DOUBLE: (types.Numeric, types.Float, types.String),
    Kind.BOOLEAN: (types.Boolean, types.String),
    Kind.TIME: (types.DateTime, types.String),
}
"""Types of an existing column in which values of a kind are still what they are."""

_BOOLEANS_ARE_NUMBERS = ("mysql", "sqlite")


@dataclass(frozen=True, slots=True)
class Existing:
    """A table: its columns' types, those that need a value nobody gives, and its unique keys."""

    types: Mapping[str, _Type]
    needed: frozenset[str]
    keys: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A column that isn't as it must be: missing, of another type, or in need of a value."""

    name: str
    column: Column | None
    found: str | None

    def __str__(self) -> str:
        """For people."""
        if self.column is None:
            return f"the column {self.name} needs a value and gets none"
        if self.found is None:
            return f"the column {self.name} is missing ({self.column.kind})"
        return f"the column {self.name} is {self.found}, and gets {self.column.kind} values"


def look(database: Database, connection: AlchemyConnection) -> Existing | None:
    """The table as it is; None if there is none."""
    inspector = inspect(connection)
    table, schema = database.table, database.schema
    if not inspector.has_table(table, schema):
        return None
    columns = inspector.get_columns(table, schema)
    needed = frozenset(
        column["name"]
        for column in columns
        if not column["nullable"]
        and column.get("default") is None
        and not column.get("computed")
        and not column.get("identity")
        and column.get("autoincrement") is not True
    )
    return Existing(
        {column["name"]: column["type"] for column in columns},
        needed,
        tuple(_keys(inspector, table, schema)),
    )


def exists(connection: AlchemyConnection, table: str, schema: str | None) -> bool:
    """Whether there is a table."""
    return inspect(connection).has_table(table, schema)


def fitted(wanted: Wanted, found: Existing) -> Wanted:
    """What is written to a table that exists: without the id, if it has no column for it.

    Without a unique key among its columns, ``key`` is empty.
    """
    if not wanted.chosen and wanted.row_id not in found.types:
        wanted = wanted.without_id()
    if frozenset(wanted.key) in found.keys or wanted.own_key:
        return wanted
    return Wanted(wanted.columns, (), wanted.row_id, wanted.chosen)


def compare(wanted: Wanted, found: Existing, dialect: str) -> list[Wrong]:
    """What is wrong with the columns of a table; ``wanted`` as ``fitted`` gives it."""
    wrong = []
    for column in wanted.columns:
        type_ = found.types.get(column.name)
        if type_ is None:
            wrong.append(Wrong(column.name, column, None))
        elif not _fits(column.kind, type_, dialect):
            wrong.append(Wrong(column.name, column, str(type_).lower()))
    written = {column.name for column in wanted.columns}
    wrong += [Wrong(name, None, None) for name in sorted(found.needed - written)]
    return wrong


def lacks_key(wanted: Wanted, found: Existing) -> bool:
    """Whether the table has no unique key on the columns that the user has named as one."""
    return wanted.own_key and frozenset(wanted.key) not in found.keys


def _fits(kind: Kind, type_: _Type, dialect: str) -> bool:
    if isinstance(type_, types.NullType):
        # SQLite's columns without a type; types that SQLAlchemy doesn't know take text.
        return dialect == "sqlite" or kind is Kind.TEXT
    if kind is Kind.BOOLEAN and dialect in _BOOLEANS_ARE_NUMBERS:
        return isinstance(type_, (types.Integer, *_FITS[kind]))
    known = (*_NUMBERS, types.String, types.Boolean, types.DateTime, types.Date, types.Time)
    if kind is Kind.TEXT and not isinstance(type_, (*known, types.LargeBinary, types.Interval)):
        return True
    return isinstance(type_, _FITS[kind])


def _keys(inspector: Inspector, table: str, schema: str | None) -> list[frozenset[str]]:
    keys = [frozenset(inspector.get_pk_constraint(table, schema)["constrained_columns"])]
    unique = inspector.get_unique_constraints(table, schema)
    keys += [frozenset(constraint["column_names"]) for constraint in unique]
    for index in inspector.get_indexes(table, schema):
        partial = any(name.endswith("_where") for name in index.get("dialect_options", {}))
        names = index["column_names"]
        if index["unique"] and not partial and None not in names:
            keys.append(frozenset(name for name in names if name is not None))
    return [key for key in keys if key]
