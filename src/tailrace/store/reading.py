"""What is read of a store by those who are not its engine: people who ask, while it runs or after.

A reader asks through a cursor of its own for each question, so any thread may use it. Nothing here
writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tailrace.errors import StoreError
from tailrace.store.querying import USUAL, Answer, Bounds, read
from tailrace.store.schema import FORMAT_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

OURS = ("tailrace_", "panes_", "side_")
"""Tables whose names begin so are the engine's own."""


class StoreInUseError(StoreError):
    """Another process holds the store's lock."""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that fires: ``key`` and ``summary`` as they are stored; times in UTC."""

    fingerprint: str
    rule: str
    key: dict[str, object]
    opened_at: datetime
    last_firing_at: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the outbox holds for one output."""

    batches: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class GroupRows:
    """The partials that a store keeps of one group; ``bytes`` of their values, uncompressed."""

    rows: int
    keys: int
    first_pane: int
    last_pane: int
    bytes: int


class StoreReader:
    """Asks an open store."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: str) -> None:
        """Use ``open_reader`` for a file, ``Store.reader`` beside an engine."""
        self._connection = connection
        self.path = path

    def close(self) -> None:
        """Give the connection back; other connections to the store stay."""
        self._connection.close()

    def query(self, sql: str, bounds: Bounds = USUAL) -> Answer:
        """Answer one reading statement of a user; StoreError with DuckDB's words if it is wrong."""
        return read(self._connection, sql, bounds)

    def meta(self) -> dict[str, str]:
        """The store's own words: ``pipeline`` (its name), ``store_id``, ``pipeline_text``, ..."""
        return dict(self._rows("select name, value from tailrace_meta"))

    def state(self) -> dict[str, object] | None:
        """The small state after the last committed epoch."""
        rows = self._rows("select body from tailrace_epochs order by epoch desc limit 1")
        return json.loads(rows[0][0]) if rows else None

    def tables(self) -> list[tuple[str, int]]:
        """The tables made for people and their rows; the engine's own are left out."""
        names = [
            row[0]
            for row in self._rows("select table_name from duckdb_tables() order by table_name")
            if not row[0].startswith(OURS)
        ]
        return [(name, self._rows(f"select count(*) from {_quoted(name)}")[0][0]) for name in names]

    def dead_letters(self, *, after: int, codes: Sequence[str], most: int) -> Answer:
        """Dead letters of some codes (none given: all) by id, the first ones after an id."""
        wanted = f" and code in ({', '.join(map(_text, codes))})" if codes else ""
        sql = f"select * from dead_letters where id > {int(after)}{wanted} order by id"
        return self.query(sql, replace(USUAL, rows=most))

    def open_incidents(self, most: int) -> tuple[int, list[OpenIncident]]:
        """How many incidents fire, and the oldest of them."""
        number = self._rows("select count(*) from incidents where state = 'firing'")[0][0]
        rows = self._rows(
            "select fingerprint, rule, key, opened_at, last_firing_at, "
            "coalesce(json_extract_string(body, '$.annotations.summary'), '') from incidents "
            f"where state = 'firing' order by opened_at, rule, key limit {int(most)}"
        )
        return number, [OpenIncident(r[0], r[1], json.loads(r[2]), r[3], r[4], r[5]) for r in rows]

    def listed(self) -> dict[str, int]:
        """How many keys are on each list of verdicts."""
        sql = "select verdict, count(*) from verdicts where live group by verdict"
        return dict(self._rows(sql))

    def reference(self, name: str, version: str) -> bytes | None:
        """The contents of a version of a reference, as long as it is kept."""
        rows = self._rows(
            "select payload from tailrace_references"
            f" where name = {_text(name)} and version = {_text(version)}"
        )
        return bytes(rows[0][0]) if rows else None

    def held(self) -> int:
        """How many archived events wait until it is known whether their keys were listed."""
        found = self._rows("select 1 from duckdb_tables() where table_name = 'tailrace_held'")
        return int(self._rows("select count(*) from tailrace_held")[0][0]) if found else 0

    def outbox(self) -> dict[str, Waiting]:
        """What waits for each output."""
        rows = self._rows(
            "select output, count(*), sum(rows)::bigint, sum(size)::bigint "
            "from tailrace_outbox group by output"
        )
        return {row[0]: Waiting(*row[1:]) for row in rows}

    def delivered(self) -> dict[str, int]:
        """The rows that each output has confirmed."""
        return dict(self._rows("select output, rows from tailrace_outputs"))

    def group(self, identity: str) -> GroupRows | None:
        """What is kept of the group of that identity; None if nothing is."""
        table = f"panes_{identity}"
        columns = self._rows("select column_name from duckdb_columns() where table_name = ?", table)
        if not columns:
            return None
        row = self._rows(
            "select count(*), count(distinct code), min(pane), max(pane), "
            f"coalesce(sum(octet_length(code::blob)), 0)::bigint from {_quoted(table)}"
        )[0]
        if not row[0]:
            return None
        return GroupRows(row[0], row[1], row[2], row[3], row[4] + 8 * row[0] * (len(columns) - 1))

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        cursor = self._connection.cursor()
        try:
            return cursor.execute(sql, list(parameters)).fetchall()
        except duckdb.Error as error:
            raise StoreError(f"{self.path}: {str(error).strip()}") from error
        finally:
            cursor.close()


def open_reader(path: Path) -> StoreReader:
    """Open a store's file to read it.

    StoreInUseError while a process writes it; StoreError if it is missing, damaged, no store or of
    another version.
    """
    if not path.is_file():
        raise StoreError(f"there is no store at {path}", hint="it is made by the first run")
    try:
        connection = duckdb.connect(
            str(path), read_only=True, config={"threads": 1, "enable_external_access": False}
        )
    except duckdb.IOException as error:
        if "could not set lock" in str(error).lower():
            raise StoreInUseError(f"{path} is in use by another process") from error
        raise StoreError(f"{path} can't be opened: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise StoreError(f"{path} can't be opened: {_first_line(error)}") from error
    try:
        connection.execute("set TimeZone = 'UTC'; set lock_configuration = true")
        reader = StoreReader(connection, str(path))
        _check(reader)
    except BaseException:
        connection.close()
        raise
    return reader


def _check(reader: StoreReader) -> None:
    try:
        version = reader.meta().get("format_version")
    except StoreError:
        raise StoreError(f"{reader.path} is no Tailrace store") from None
    if version != str(FORMAT_VERSION):
        raise StoreError(
            f"{reader.path} has store format {version}; this Tailrace reads {FORMAT_VERSION}",
            hint="use the Tailrace that wrote it",
        )


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
