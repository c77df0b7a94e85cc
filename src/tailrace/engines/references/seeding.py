"""The tables of SQL references, for ``tailrace init``: made where missing, seeded while empty.

What is there is never changed: a table with rows gets none, one without a column is told of.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tailrace.engines.references.sql import database
from tailrace.errors import Problem, TableError
from tailrace.expr.nodes import Type
from tailrace.outputs.preparing import Step, StepState
from tailrace.reference.build import typed_columns
from tailrace.reference.raw import from_records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from tailrace.config.references import Reference
    from tailrace.outputs.sql.database import Database

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Seeding:
    """One reference's table; see ``Preparation``."""

    def __init__(self, name: str, config: Reference) -> None:
        assert config.sql is not None  # noqa: S101 - the caller looked
        self._name, self._config = name, config
        self._database: Database = database(config.sql)

    def inspect(self) -> list[Step]:
        """See ``Preparation.inspect``."""
        from tailrace.outputs.sql.database import NoDatabaseError
        from tailrace.outputs.sql.preparing import missing_database

        rows = self._rows()
        if self._database.no_file:
            return [*self._missing(), *self._seed(StepState.MISSING, f"{len(rows)} rows")]
        try:
            with self._database.asked() as connection:
                found = self._columns(connection)
                if found is None:
                    return [*self._missing(), *self._seed(StepState.MISSING, f"{len(rows)} rows")]
                filled = connection.exec_driver_sql(f"SELECT count(*) FROM {self._table}").scalar()
        except NoDatabaseError:
            database = missing_database(self._database)
            seed = self._seed(StepState.MISSING, f"{len(rows)} rows")
            return [database, *self._missing(), *seed]
        lacking = [name for name in self._config.columns if name.lower() not in found]
        state = StepState.DIFFERS if lacking else StepState.PRESENT
        said = f"lacks {', '.join(lacking)}" if lacking else f"{filled} rows"
        by_hand = tuple(f"ALTER TABLE {self._table} ADD {self._declared(n)};" for n in lacking)
        steps = [Step(self._target, state, said, by_hand)]
        if filled:
            return [*steps, *self._seed(StepState.PRESENT, "there are rows: no others are added")]
        if lacking:
            return steps
        return [*steps, *self._seed(StepState.MISSING, f"{len(rows)} rows")]

    def create(self, step: Step) -> None:
        """See ``Preparation.create``."""
        if step.target == self._database.shown_database:
            self._database.make()
            return
        with self._database.asked(make_file=True) as connection:
            if step.target == self._target:
                if self._columns(connection) is None:
                    connection.exec_driver_sql(self._statement)
            elif not connection.exec_driver_sql(f"SELECT 1 FROM {self._table} LIMIT 1").first():
                for row in self._rows():
                    connection.exec_driver_sql(self._insert(row), tuple(row.values()))
            connection.commit()

    @property
    def _table(self) -> str:
        return self._database.full_table

    @property
    def _target(self) -> str:
        return f"table {self._database.shown_table} at {self._database.name}"

    def _missing(self) -> list[Step]:
        columns = f"columns {', '.join(self._config.columns)}"
        return [Step(self._target, StepState.MISSING, columns)]

    def _seed(self, state: StepState, said: str) -> list[Step]:
        return [Step(f"rows of {self._target}", state, said)] if self._config.seed else []

    def _columns(self, connection: Connection) -> set[str] | None:
        """The names of the table's columns in lower case; None without the table."""
        from sqlalchemy import inspect
        from sqlalchemy.exc import NoSuchTableError

        looked = inspect(connection)
        try:
            found = looked.get_columns(self._database.table, schema=self._database.schema)
        except NoSuchTableError:
            return None
        return {column["name"].lower() for column in found}

    def _declared(self, name: str) -> str:
        from tailrace.outputs.sql.columns import Kind
        from tailrace.outputs.sql.dialects.dialect import quoted

        dialect = self._database.dialect
        kind = Kind(self._config.columns[name])
        type_ = dialect.types[kind]
        if name in self._config.key:
            type_ = dialect.key_types.get(kind, type_)
        return f"{quoted(name, dialect.quote)} {type_}"

    @property
    def _statement(self) -> str:
        columns = ", ".join(self._declared(name) for name in self._config.columns)
        return f"CREATE TABLE {self._table} ({columns}){self._database.dialect.table_options}"

    def _insert(self, row: Mapping[str, object]) -> str:
        from tailrace.outputs.sql.dialects.dialect import names

        dialect = self._database.dialect
        columns = names(list(row), dialect.quote)
        values = ", ".join(dialect.placeholder for _ in row)
        return f"INSERT INTO {self._table} ({columns}) VALUES ({values})"

    def _rows(self) -> list[dict[str, object]]:
        """The rows to seed, of the columns' types; TableError if one isn't."""
        config = self._config
        given = [dict(row) for row in config.seed]
        raw = from_records(given, config.columns)
        columns, bad = typed_columns(config, raw)
        if bad:
            told = [f"reference '{self._name}': seed: {raw.place(r)}: {w}" for r, w in bad.items()]
            raise TableError(problems=tuple(Problem(one) for one in told))
        rows = []
        for place, row in enumerate(given):
            values = {name: columns[name][place].as_py() for name in row}
            rows.append({name: self._value(name, value) for name, value in values.items()})
        return rows

    def _value(self, name: str, value: object) -> object:
        if value is None or Type(self._config.columns[name]) is not Type.TIME:
            return value
        moment = _EPOCH + timedelta(microseconds=int(str(value)))
        match self._database.dialect.name:
            case "postgresql":
                return moment
            case "sqlite":
                return moment.isoformat()
            case _:
                return moment.replace(tzinfo=None)
