"""The tables that an output needs, for ``tailrace init``."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text

from tailrace.outputs.preparing import Step, StepState
from tailrace.outputs.sql.columns import Column, Wanted
from tailrace.outputs.sql.database import Database, NoDatabaseError
from tailrace.outputs.sql.dialects.dialect import names, quoted
from tailrace.outputs.sql.existing import (
    Existing,
    Wrong,
    compare,
    exists,
    fitted,
    lacks_key,
    look,
)
from tailrace.outputs.sql.marker import TABLE, Marker


def missing_database(database: Database) -> Step:
    """The step that makes a database, before those that make its tables."""
    return Step(database.shown_database, StepState.MISSING, "for the tables")


class TablePreparation:
    """Looks, and makes what is missing; what exists is never changed."""

    def __init__(self, database: Database, wanted: Wanted, marker: Marker) -> None:
        self._database = database
        self._wanted = wanted
        self._marker = marker

    def inspect(self) -> list[Step]:
        """See ``Preparation.inspect``."""
        if self._database.no_file:
            return [self._missing(), *self._marker_steps(self._wanted, there=False)]
        try:
            with self._database.asked() as connection:
                found = look(self._database, connection)
                there = exists(connection, TABLE, self._database.schema)
        except NoDatabaseError:
            marker = self._marker_steps(self._wanted, there=False)
            return [missing_database(self._database), self._missing(), *marker]
        if found is None:
            return [self._missing(), *self._marker_steps(self._wanted, there=there)]
        wanted = fitted(self._wanted, found)
        return [self._compared(wanted, found), *self._marker_steps(wanted, there=there)]

    def create(self, step: Step) -> None:
        """See ``Preparation.create``."""
        if step.target == self._database.shown_database:
            self._database.make()
            return
        marker = step.target == self._target(TABLE)
        table = TABLE if marker else self._database.table
        with self._database.asked(make_file=True) as connection:
            if not exists(connection, table, self._database.schema):
                statement = self._marker.statement if marker else self.statement
                # A colon before a name would be a parameter.
                connection.execute(text(statement.replace(":", "\\:")))
                connection.commit()

    @property
    def statement(self) -> str:
        """What makes the table."""
        dialect = self._database.dialect
        parts = [self._declared(column) for column in self._wanted.columns]
        if self._wanted.key:
            parts.append(f"PRIMARY KEY ({names(self._wanted.key, dialect.quote)})")
        return (
            f"CREATE TABLE {self._database.full_table} ({', '.join(parts)}){dialect.table_options}"
        )

    def _target(self, table: str) -> str:
        schema = "" if self._database.schema is None else f"{self._database.schema}."
        return f"table {schema}{table} at {self._database.name}"

    def _missing(self) -> Step:
        columns = ", ".join(column.name for column in self._wanted.columns)
        return Step(self._target(self._database.table), StepState.MISSING, f"columns {columns}")

    def _marker_steps(self, wanted: Wanted, *, there: bool) -> Iterator[Step]:
        """A table without a key needs the one that says what it got."""
        if not wanted.key:
            state = StepState.PRESENT if there else StepState.MISSING
            yield Step(self._target(TABLE), state, "what tables without a unique key got")

    def _compared(self, wanted: Wanted, found: Existing) -> Step:
        target = self._target(self._database.table)
        wrong = compare(wanted, found, self._database.dialect.name)
        said = [str(one) for one in wrong]
        by_hand = [self._mended(one) for one in wrong]
        if lacks_key(wanted, found):
            key = names(wanted.key, self._database.dialect.quote)
            said.append(f"no unique key on {', '.join(wanted.key)}")
            name = quoted(f"{self._database.table}_key", self._database.dialect.quote)
            by_hand.append(f"CREATE UNIQUE INDEX {name} ON {self._database.full_table} ({key});")
        if said:
            return Step(target, StepState.DIFFERS, "; ".join(said), tuple(by_hand))
        how = f"unique key {', '.join(wanted.key)}" if wanted.key else "no unique key for the rows"
        return Step(target, StepState.PRESENT, how)

    def _mended(self, wrong: Wrong) -> str:
        """The statement that puts a column right."""
        table, dialect = self._database.full_table, self._database.dialect
        if wrong.column is None:
            name = quoted(wrong.name, dialect.quote)
            if dialect.name == "postgresql":
                return f"ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL;"
            return f"-- give {name} of {table} a default, or let it be null"
        if wrong.found is None:
            return f"ALTER TABLE {table} ADD COLUMN {self._declared(wrong.column)};"
        return dialect.retype(table, wrong.name, wrong.column.kind)

    def _declared(self, column: Column) -> str:
        """A column as a table is made with it."""
        dialect = self._database.dialect
        type_ = dialect.types[column.kind]
        if column.name in self._wanted.key:
            type_ = f"{dialect.key_types.get(column.kind, type_)} NOT NULL"
        return f"{quoted(column.name, dialect.quote)} {type_}"
