"""The outbox within a store: what is committed for outputs and not known to be delivered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.outputs.batches import made

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from tailrace.outputs.batches import Rows
    from tailrace.store.commit import Delivered


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one output: rows, the bytes that they take, and the newest batch's number."""

    rows: int = 0
    bytes: int = 0
    newest: int = -1


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch as the outbox holds it."""

    seq: int
    rows: pa.Table
    size: int


class OutboxReader:
    """Reads committed batches on a connection of its own; for one thread at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take a connection to an open store."""
        self._connection = connection

    def after(self, output: str, seq: int, most_bytes: int) -> list[Waiting]:
        """The batches for an output above ``seq``, in order: at least one if there is one.

        No more are added once they take ``most_bytes``.
        """
        sizes = self._connection.execute(
            "select seq, size from tailrace_outbox where output = ? and seq > ? order by seq",
            [output, seq],
        ).fetchall()
        last, size = seq, 0
        for number, octets in sizes:
            if size and size + octets > most_bytes:
                break
            last, size = number, size + octets
        found = self._connection.execute(
            "select seq, payload from tailrace_outbox "
            "where output = ? and seq > ? and seq <= ? order by seq",
            [output, seq, last],
        ).fetchall()
        return [Waiting(number, from_bytes(payload), len(payload)) for number, payload in found]

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def backlogs(connection: duckdb.DuckDBPyConnection) -> dict[str, Backlog]:
    """What waits, by output."""
    rows = connection.execute(
        "select output, sum(rows)::bigint, sum(size)::bigint, max(seq) "
        "from tailrace_outbox group by output"
    ).fetchall()
    return {row[0]: Backlog(*row[1:]) for row in rows}


def append(
    connection: duckdb.DuckDBPyConnection, batches: Iterable[tuple[int, str, Rows]]
) -> tuple[int, ...]:
    """Add batches (seq, output, rows); the bytes that each takes."""
    sizes = []
    for seq, output, later in batches:
        rows = made(later)
        payload = to_bytes(rows)
        sizes.append(len(payload))
        connection.execute(
            "insert into tailrace_outbox values (?, ?, ?, ?, ?)",
            [seq, output, rows.num_rows, payload, len(payload)],
        )
    return tuple(sizes)


def confirm(connection: duckdb.DuckDBPyConnection, delivered: Iterable[Delivered]) -> None:
    """Take out what was delivered; note outputs' states and the rows that they refused."""
    for done in delivered:
        connection.execute(
            "delete from tailrace_outbox where output = ? and seq <= ?", [done.output, done.seq]
        )
        connection.execute("delete from tailrace_outputs where output = ?", [done.output])
        connection.execute(
            "insert into tailrace_outputs values (?, ?, ?, ?)",
            [done.output, done.seq, done.rows, json.dumps(done.body, sort_keys=True)],
        )
        if done.refused:
            connection.executemany(
                "insert into refused values (?, ?, ?, ?, ?, ?, ?, false)",
                [
                    [done.output, r.seq, r.row, r.id, r.reason, r.body, r.payload]
                    for r in done.refused
                ],
            )


def drop(connection: duckdb.DuckDBPyConnection, output: str) -> Backlog:
    """Take out all that waits for an output, as if it had been delivered; what that was."""
    dropped = backlogs(connection).get(output, Backlog())
    connection.execute("delete from tailrace_outbox where output = ?", [output])
    # Should the output come back: what it may have had of these is nothing that it doesn't know.
    connection.execute(
        "update tailrace_outputs set delivered = greatest(delivered, ?) where output = ?",
        [dropped.newest, output],
    )
    return dropped


@dataclass(frozen=True, slots=True)
class RefusedBefore:
    """A refused row that was not sent again yet."""

    output: str
    seq: int
    row: int
    payload: bytes


def refused_rows(connection: duckdb.DuckDBPyConnection) -> list[RefusedBefore]:
    """The refused rows that were not sent again yet, in their order."""
    rows = connection.execute(
        "select output, seq, row, payload from refused where not resent order by output, seq, row"
    ).fetchall()
    return [RefusedBefore(*row) for row in rows]


def mark_resent(
    connection: duckdb.DuckDBPyConnection, places: Iterable[tuple[str, int, int]]
) -> None:
    """Note that refused rows are in the outbox once more."""
    for place in places:
        connection.execute(
            "update refused set resent = true where output = ? and seq = ? and row = ?", list(place)
        )


def to_bytes(table: pa.Table) -> bytes:
    """An Arrow table as an IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload


def from_bytes(payload: bytes) -> pa.Table:
    """The table that ``to_bytes`` wrote."""
    return pa.ipc.open_stream(payload).read_all()
