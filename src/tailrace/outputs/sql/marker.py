"""What a table without a key got last, in the same transaction as its rows (SEMANTICS 24).

One row for each store and output, in the table ``tailrace_delivered``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from tailrace.errors import HaltedError
from tailrace.outputs.output import Refused
from tailrace.outputs.sql.columns import Kind
from tailrace.outputs.sql.dialects.dialect import Cursor, Dialect, full_name, names

TABLE = "tailrace_delivered"


class Marker:
    """The row of one store and output."""

    def __init__(self, dialect: Dialect, schema: str | None, store: str, output: str) -> None:
        self._dialect = dialect
        self._table = full_name(schema, TABLE, dialect.quote)
        self._who = (store, output)

    @property
    def statement(self) -> str:
        """What makes the table."""
        text = self._dialect.types[Kind.TEXT]
        return (
            f"CREATE TABLE {self._table} (store varchar(64) NOT NULL,"
            f" output varchar(128) NOT NULL, seq bigint NOT NULL, refused {text} NOT NULL,"
            f" PRIMARY KEY (store, output)){self._dialect.table_options}"
        )

    def begin(self, cursor: Cursor, confirmed: int | None, newest: int | None = None) -> None:
        """Have the row, before anything is delivered.

        ``confirmed``: the last batch that the store knows to be there, None if there isn't any.
        HaltedError if there was one and the row is gone: nobody knows what else is there. The same
        if it tells of later ones than ``newest``, the last that the store has made: those that the
        store makes next would be taken for them and left out.
        """
        store, output = self._who
        found = self._read(cursor)
        if found is not None:
            if newest is not None and found[0] > newest:
                raise HaltedError(
                    f"{self._table} has batch {found[0]} of output {output!r}, and the store has"
                    f" made none after {newest}: it is an older copy",
                    hint="begin with a new store and a new table; or let rows come again, as the"
                    f" older copy makes them: UPDATE {self._table} SET seq ="
                    f" {-1 if confirmed is None else confirmed}, refused = '[]'"
                    f" WHERE store = '{store}' AND output = '{output}'",
                )
            return
        if confirmed is not None:
            raise HaltedError(
                f"{self._table} says nothing of output {output!r} any more, but rows were delivered"
                " to it before; those of the last batch may be there or not",
                hint=f"look, and say that they are: INSERT INTO {self._table} VALUES ("
                f"'{store}', '{output}', {confirmed}, '[]')",
            )
        self._run(cursor, f"INSERT INTO {self._table} VALUES (?, ?, ?, ?)", *self._who, -1, "[]")

    def delivered(self, cursor: Cursor) -> tuple[int, tuple[Refused, ...]]:
        """The last batch in the table, and the rows of it that were refused.

        The row is locked until the transaction ends. HaltedError if it is gone.
        """
        found = self._read(cursor)
        if found is None:
            raise HaltedError(
                f"{self._table} says nothing of output {self._who[1]!r} any more",
                hint="start again to be told what can be done",
            )
        seq, text = found
        refused = cast("list[tuple[int, str]]", json.loads(text))
        return seq, tuple(Refused(row, reason) for row, reason in refused)

    def write(self, cursor: Cursor, seq: int, refused: Iterable[Refused]) -> None:
        """Say that a batch is in the table."""
        text = json.dumps([(one.row, one.reason) for one in refused])
        self._run(
            cursor,
            f"UPDATE {self._table} SET seq = ?, refused = ? WHERE store = ? AND output = ?",
            *(seq, text, *self._who),
        )

    def _read(self, cursor: Cursor) -> tuple[int, str] | None:
        columns = names(("seq", "refused"), self._dialect.quote)
        self._run(
            cursor,
            f"SELECT {columns} FROM {self._table} WHERE store = ? AND output = ?"
            + self._dialect.lock,
            *self._who,
        )
        found: tuple[int, str] | None = cursor.fetchone()
        return found

    def _run(self, cursor: Cursor, statement: str, *values: object) -> None:
        cursor.execute(statement.replace("?", self._dialect.placeholder), values)
