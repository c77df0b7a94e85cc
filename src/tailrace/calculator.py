"""The in-memory DuckDB that calculates for this process; stores are files of their own.

Opening a database costs more than most batches (12 ms of built-in functions), a connection to one
that is open costs nothing. Connections share no tables: what one registers is its own.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_lock = threading.Lock()
_database: duckdb.DuckDBPyConnection | None = None


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection for one thread, in UTC, without access to files, its settings locked.

    Its statements run on the thread that asks: rows come back in order, and the caller has its own
    threads.
    """
    global _database  # noqa: PLW0603 - opened once
    with _lock:
        if _database is None:
            import duckdb

            _database = duckdb.connect(config={"threads": 1, "enable_external_access": False})
            _database.execute("set global TimeZone = 'UTC'; set lock_configuration = true")
        return _database.cursor()


def _forget() -> None:
    """In a process that was forked off: a database is its opener's."""
    global _database, _lock
    _database, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
