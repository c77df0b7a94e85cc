"""One reading statement of a user, answered within bounds; nothing it says can change a store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from tailrace.errors import StoreError

_BATCH_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an answer may cost: rows, bytes of Arrow data, seconds."""

    rows: int = 1_000_000
    bytes: int = 256 << 20
    seconds: float = 300.0


USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a statement; ``cut`` if there are more than the bounds let through."""

    rows: pa.Table
    cut: bool = False


def read(connection: duckdb.DuckDBPyConnection, sql: str, bounds: Bounds = USUAL) -> Answer:
    """Run one statement on a cursor of its own; StoreError with DuckDB's words if it is wrong.

    ``connection`` may be at work in another thread. The statement runs in a transaction that can't
    write: a SELECT of DuckDB may hold an INSERT.
    """
    cursor = connection.cursor()
    try:
        _check(sql)
        with _stopped_after(cursor, bounds.seconds):
            cursor.execute("begin transaction read only")
            return _bounded(cursor, sql, bounds)
    except duckdb.InterruptException:
        hint = "ask for less: fewer columns, a where, a limit"
        raise StoreError(f"the query took over {bounds.seconds:g} s", hint=hint) from None
    except duckdb.Error as error:
        raise StoreError(str(error).strip()) from error
    finally:
        cursor.close()


def _check(sql: str) -> None:
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        hint = "select, from, with, show, describe and summarize read; nothing else is taken"
        raise StoreError("a query is one reading statement", hint=hint)


def _bounded(cursor: duckdb.DuckDBPyConnection, sql: str, bounds: Bounds) -> Answer:
    reader = cursor.sql(sql).to_arrow_reader(_BATCH_ROWS)
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows > bounds.rows or size > bounds.bytes:
            table = pa.Table.from_batches(batches, reader.schema)
            fits = bounds.rows if size <= bounds.bytes else min(bounds.rows, rows - batch.num_rows)
            return Answer(table.slice(0, fits), cut=True)
    return Answer(pa.Table.from_batches(batches, reader.schema))


@contextmanager
def _stopped_after(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    def stop() -> None:
        with suppress(duckdb.Error):
            cursor.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # A thread that still ends as the interpreter does would hold the cursor: DuckDB complains.
        timer.join()
