"""The output: opens on a table that fits, and delivers each batch in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tailrace.errors import OutputError
from tailrace.outputs.batches import OutboxBatch
from tailrace.outputs.output import Receipt, Refused, State
from tailrace.outputs.sql.columns import Wanted
from tailrace.outputs.sql.database import Database, close
from tailrace.outputs.sql.dialects.dialect import Blame, Connection, Cursor, Place
from tailrace.outputs.sql.existing import compare, exists, fitted, lacks_key, look
from tailrace.outputs.sql.marker import TABLE, Marker
from tailrace.outputs.sql.rows import Rows, last_of_each, table_rows

PIECE_ROWS = 10_000
"""Rows that are written in one go; the time-out is for them."""

_Work = Callable[[Cursor], None]

_INIT = "`tailrace init PIPELINE` makes it"
_PLAN = "`tailrace init --plan PIPELINE` prints what to do about it"


class SqlTable:
    """Rows of a table: replaced by key, or, without one, each batch once by its marker."""

    remote = True

    def __init__(self, database: Database, wanted: Wanted, marker: Marker) -> None:
        self._database = database
        self._wanted = wanted
        self._marker = marker
        self._place: Place | None = None
        self._connection: Connection | None = None
        self._seq = -1
        self._newest: int | None = None

    def expect(self, newest: int) -> None:
        """See ``Expecting.expect``."""
        self._newest = newest

    def open(self, saved: State | None) -> State:
        """See ``Output.open``: a table that is missing or can't take the rows is an error."""
        database = self._database
        where = f"table {database.shown_table} at {database.name}"
        same = saved is not None and saved.get("table") == self._state()["table"]
        self._seq = int(str(saved.get("seq", -1))) if saved is not None and same else -1
        with database.asked() as connection:
            found = look(database, connection)
            if found is None:
                raise OutputError(f"there is no {where}", hint=_INIT)
            wanted = fitted(self._wanted, found)
            wrong = compare(wanted, found, database.dialect.name)
            if wrong:
                said = "; ".join(map(str, wrong))
                raise OutputError(f"the {where} doesn't fit: {said}", hint=_PLAN)
            if lacks_key(wanted, found):
                key = ", ".join(wanted.key)
                raise OutputError(f"the {where} has no unique key on {key}", hint=_PLAN)
            if not wanted.key and not exists(connection, TABLE, database.schema):
                raise OutputError(
                    f"the {where} has no unique key for the rows' ids, and there is no table"
                    f" {TABLE}, which would tell what it got",
                    hint=_INIT,
                )
        columns = tuple(column.name for column in wanted.columns)
        self._wanted = wanted
        self._place = Place(database.schema, database.table, columns, wanted.key)
        if not wanted.key:
            self._in_transaction(self._begin)
        # The thread that delivers gets a connection of its own.
        self._disconnect()
        return self._state()

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``: the rows and, without a key, the marker in one transaction."""
        wanted = self._wanted
        rows = table_rows(batch, wanted)
        if wanted.key:
            rows = last_of_each(rows, wanted.key)
        refused: list[Refused] = []

        def write(cursor: Cursor) -> None:
            refused.clear()
            if not wanted.key:
                with self._database.limited(self._connection):
                    seq, before = self._marker.delivered(cursor)
                if seq >= batch.seq:
                    refused.extend(before if seq == batch.seq else ())
                    return
            for start in range(0, len(rows), PIECE_ROWS):
                refused.extend(self._put(cursor, rows.slice(start, PIECE_ROWS)))
            if not wanted.key:
                with self._database.limited(self._connection):
                    self._marker.write(cursor, batch.seq, refused)

        self._in_transaction(write)
        self._seq = batch.seq
        return Receipt(self._state(), tuple(sorted(refused, key=lambda one: one.row)))

    def close(self) -> None:
        """See ``Output.close``."""
        self._disconnect()

    def _state(self) -> State:
        database = self._database
        return {"table": f"{database.shown_table} at {database.name}", "seq": self._seq}

    def _begin(self, cursor: Cursor) -> None:
        with self._database.limited(self._connection):
            self._marker.begin(cursor, self._seq if self._seq >= 0 else None, self._newest)

    def _in_transaction(self, work: _Work) -> None:
        """Do something for good. A connection that has become stale is replaced once."""
        fresh = self._connection is None
        try:
            self._once(work)
        except OutputError:
            if fresh or self._connection is not None:
                raise
            self._once(work)

    def _once(self, work: _Work) -> None:
        """Do something for good; after an error of the connection there is none any more."""
        database, dialect = self._database, self._database.dialect
        if self._connection is None:
            self._connection = database.connect(self._place)
        connection = self._connection
        try:
            cursor = connection.cursor()
            with database.limited(connection):
                if dialect.begin is not None:
                    cursor.execute(dialect.begin)
            work(cursor)
            with database.limited(connection):
                if dialect.begin is None:
                    connection.commit()
                else:
                    cursor.execute("COMMIT")
        except OutputError:
            self._roll_back()
            raise
        except Exception as error:
            blame = dialect.blame(error)
            if blame is Blame.SERVER:
                self._disconnect()
            else:
                self._roll_back()
            raise database.error(error) from error

    def _put(self, cursor: Cursor, rows: Rows) -> list[Refused]:
        """Write rows; those that can't be are found by halving, and returned."""
        assert self._place is not None  # noqa: S101 - it is open
        database, dialect = self._database, self._database.dialect
        if not len(rows):
            return []
        try:
            with database.limited(self._connection):
                cursor.execute("SAVEPOINT tailrace")
                dialect.insert(cursor, self._place, rows.values)
                cursor.execute("RELEASE SAVEPOINT tailrace")
        except Exception as error:
            if dialect.blame(error) is not Blame.ROW:
                raise
            with database.limited(self._connection):
                cursor.execute("ROLLBACK TO SAVEPOINT tailrace")
                cursor.execute("RELEASE SAVEPOINT tailrace")
            if len(rows) == 1:
                return [Refused(rows.numbers[0].as_py(), dialect.why(error))]
            middle = len(rows) // 2
            first = self._put(cursor, rows.slice(0, middle))
            return first + self._put(cursor, rows.slice(middle, len(rows) - middle))
        return []

    def _roll_back(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            with self._database.limited(connection):
                connection.rollback()
        except Exception:  # noqa: BLE001 - whatever it is, the connection is of no use
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                close(self._connection)
            self._connection = None
