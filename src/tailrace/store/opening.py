"""Opening a store's file: whose it is, whether somebody has it, which version it has.

Nothing that is there is ever destroyed by opening.
"""

from __future__ import annotations

import os
import secrets
import threading
from typing import TYPE_CHECKING

import duckdb

from tailrace.errors import StoreError
from tailrace.store.reading import StoreInUseError
from tailrace.store.schema import FORMAT_VERSION, MIGRATIONS, TABLES

if TYPE_CHECKING:
    from pathlib import Path

_open: set[str] = set()
"""Stores that are open in this process, which DuckDB's lock doesn't keep from itself."""

_opening = threading.Lock()


def claim(path: str) -> None:
    """Take a store for this process; StoreInUseError if it has it open already."""
    place = os.path.realpath(path)
    with _opening:
        if place in _open:
            raise StoreInUseError(
                f"{path} is open in this process already", hint="close it first; two can't share it"
            )
        _open.add(place)


def release(path: str) -> None:
    """Give back what ``claim`` took."""
    with _opening:
        _open.discard(os.path.realpath(path))


def connect(path: str) -> duckdb.DuckDBPyConnection:
    """Open or make the file; StoreError if it is in use or damaged."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "enable_external_access": False,
        # Panes that were dropped take space until a checkpoint, and memory to know them; but a
        # checkpoint holds the epoch up for half a second: at 64 MB the p99 of alerts doubles.
        "checkpoint_threshold": "256MB",
    }
    try:
        connection = duckdb.connect(path, config=config)
    except duckdb.IOException as error:
        text = str(error)
        if "could not set lock" in text.lower():
            raise StoreInUseError(
                f"{path} is in use by another process{_holder(text)}",
                hint="two can't share a store; `tailrace status` asks the one that runs",
            ) from error
        hint = "if it is not a Tailrace store, name another path with store.path"
        if "permission denied" in text.lower():
            hint = "give this user the right to write there, or name another path with store.path"
        raise StoreError(f"{path} can't be opened: {first_line(error)}", hint=hint) from error
    except duckdb.Error as error:
        raise StoreError(f"{path} can't be opened: {first_line(error)}") from error
    connection.execute("set TimeZone = 'UTC'; set lock_configuration = true")
    return connection


def prepare(
    connection: duckdb.DuckDBPyConnection,
    path: str,
    pipeline: str,
    salt: str | None,
    *,
    empty: bool,
) -> None:
    """Make a new store's tables, or see whether these are a store of the pipeline.

    One of an older version is brought up to date, once it is known to be the pipeline's. ``empty``:
    it is known to be new; to look for its tables costs more than to make them.
    """
    listed = "select table_name from duckdb_tables()"
    tables = set() if empty else {row[0] for row in connection.execute(listed).fetchall()}
    if "tailrace_meta" not in tables:
        if tables:
            raise StoreError(
                f"{path} is a DuckDB file of something else "
                f"(tables {', '.join(sorted(tables)[:3])})",
                hint="name another path with store.path",
            )
        connection.execute("begin transaction")
        connection.execute(TABLES)
        meta = {
            "format_version": str(FORMAT_VERSION),
            "pipeline": pipeline,
            "store_id": secrets.token_hex(8),
            "salt": salt if salt is not None else secrets.token_hex(16),
        }
        connection.executemany(
            "insert into tailrace_meta values (?, ?)", [list(item) for item in meta.items()]
        )
        connection.execute("commit")
        return
    found = dict(connection.execute("select name, value from tailrace_meta").fetchall())
    if found.get("pipeline") != pipeline:
        raise StoreError(
            f"{path} belongs to pipeline {found.get('pipeline')!r}, not {pipeline!r}",
            hint="give each pipeline its own store.path, or restore the pipeline's name",
        )
    version = found.get("format_version", "")
    while version in MIGRATIONS:
        following, statements = MIGRATIONS[version]
        connection.execute("begin transaction")
        connection.execute(statements)
        connection.execute(
            "update tailrace_meta set value = ? where name = 'format_version'", [following]
        )
        connection.execute("commit")
        version = following
    if version != str(FORMAT_VERSION):
        raise StoreError(
            f"{path} has store format {version}; this Tailrace reads format {FORMAT_VERSION}",
            hint="run it with the Tailrace that wrote it, or name another store.path for a new one",
        )


def make_folder(folder: Path) -> None:
    """Make the folder of a store; StoreError if it can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the store's folder {folder} can't be made: {error.strerror}") from error


def _holder(text: str) -> str:
    """The process that holds the lock, as DuckDB names it."""
    start = text.find("PID ")
    digits = (
        "".join(ch for ch in text[start + 4 : start + 14] if ch.isdigit()) if start >= 0 else ""
    )
    return f" (process {digits})" if digits else ""


def first_line(error: BaseException) -> str:
    """What DuckDB says, without what it says of its own insides."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
