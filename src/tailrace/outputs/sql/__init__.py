"""Rows of a table of PostgreSQL, MySQL, MariaDB or SQLite, each once.

``dialects`` knows what differs between databases, ``database`` connections and errors, ``columns``
what rows have, ``existing`` compares it with the table, ``marker`` remembers what a table without
a key got, ``table`` delivers.
"""

from __future__ import annotations

from tailrace.config.outputs import Output as OutputConfig
from tailrace.config.targets.sql import SqlOutput
from tailrace.outputs.extras import extra
from tailrace.outputs.making import OutputContext
from tailrace.outputs.output import Output
from tailrace.outputs.preparing import Preparation


def make(name: str, config: OutputConfig, context: OutputContext) -> Output:
    """The output called ``name``, not yet open; OutputError if a library is missing."""
    extra("sql", "sqlalchemy")
    from tailrace.outputs.sql.columns import wanted_columns
    from tailrace.outputs.sql.database import Database
    from tailrace.outputs.sql.marker import Marker
    from tailrace.outputs.sql.table import SqlTable

    options = _options(config)
    database = Database(options)
    marker = Marker(database.dialect, database.schema, context.store_id, name)
    return SqlTable(database, wanted_columns(options, context.shapes), marker)


def prepare(name: str, config: OutputConfig, context: OutputContext) -> Preparation:
    """The table that the output needs; OutputError if a library is missing."""
    extra("sql", "sqlalchemy")
    from tailrace.outputs.sql.columns import wanted_columns
    from tailrace.outputs.sql.database import Database
    from tailrace.outputs.sql.marker import Marker
    from tailrace.outputs.sql.preparing import TablePreparation

    options = _options(config)
    database = Database(options)
    marker = Marker(database.dialect, database.schema, context.store_id, name)
    return TablePreparation(database, wanted_columns(options, context.shapes), marker)


def _options(config: OutputConfig) -> SqlOutput:
    options = config.sql
    assert options is not None  # noqa: S101 - that is why it is made here
    return options
