"""Arrow tables as a source, for the Python interface: rows that are typed already.

Tables are taken from their iterables as they are needed. A position is the number of a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from tailrace.errors import SourceError
from tailrace.formats.records import Records
from tailrace.formats.spec import DecodeSpec
from tailrace.formats.typed_records import TypedRows
from tailrace.sources.chain import Took
from tailrace.sources.identity import whole
from tailrace.sources.turns import Turns
from tailrace.sources.types import Chunk, Json, Poll, Slice

MOST_ROWS = 1 << 20
"""The most rows of one slice."""


class TableSource:
    """Rows of tables, one iterable of tables for each partition; bounded."""

    bounded = True

    def __init__(self, tables: Mapping[str, Iterable[pa.Table]], spec: DecodeSpec) -> None:
        self._rows = TypedRows(spec)
        self._parts = {name: TablePart(name, given, self._rows) for name, given in tables.items()}
        self._turns = Turns()
        self._said: set[str] = set()
        self._ended: set[str] = set()

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Start at stored positions; SourceError if rows would be needed that are gone."""
        self._said.clear()
        self._ended.clear()
        for name, part in self._parts.items():
            part.seek(whole(positions[name]["position"]) if name in positions else 0)

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Read on."""
        parts = list(self._parts.values())
        chunks = self._turns.take(parts, max_bytes, watermarks)
        appeared = tuple(name for name in self._parts if name not in self._said)
        self._said.update(appeared)
        done = tuple(part.name for part in parts if not part.ready)
        ended = tuple(name for name in done if name not in self._ended)
        self._ended.update(ended)
        return Poll(tuple(chunks), appeared, done, ended)

    def reread(self, piece: Slice) -> Records:
        """Read a slice again."""
        part = self._parts.get(piece.partition)
        if part is None:
            raise SourceError(f"there are no tables for {piece.partition}")
        part.seek(piece.start)
        return self._rows.records(part.rows(piece.end - piece.start), piece.start)

    def wait(self, seconds: float) -> None:
        """Return at once: nothing comes by itself."""

    def totals(self) -> tuple[int, int] | None:
        """Return None: how much will come is not known."""
        return None

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


class TablePart:
    """One partition: an iterable of tables, read row by row."""

    def __init__(self, name: str, given: Iterable[pa.Table], rows: TypedRows) -> None:
        self.name = name
        self.position = 0
        self._given = given
        self._tables: Iterator[pa.Table] = iter(given)
        self._left: pa.Table | None = None
        self._rows = rows

    @property
    def ready(self) -> bool:
        """Whether there are more rows; takes the next table if need be."""
        while self._left is None or not self._left.num_rows:
            self._left = next(self._tables, None)
            if self._left is None:
                return False
        return True

    def seek(self, position: int) -> None:
        """Go to a row; SourceError if it was taken from an iterator that can't begin again."""
        if position < self.position:
            if iter(self._given) is self._given:
                raise SourceError(
                    f"the tables of {self.name} can't be read again from row {position}",
                    hint="give a list of tables, or an object whose iterator begins anew",
                )
            self._tables, self._left, self.position = iter(self._given), None, 0
        while self.position < position:
            self.rows(min(MOST_ROWS, position - self.position))

    def rows(self, most: int) -> pa.Table:
        """The next rows, at least one and at most so many, of one or several tables."""
        parts: list[pa.Table] = []
        while most > 0 and self.ready and self._left is not None:
            part = self._left.slice(0, most)
            self._left = self._left.slice(part.num_rows)
            self.position += part.num_rows
            most -= part.num_rows
            parts.append(part)
        if not parts:
            raise SourceError(f"the tables of {self.name} end at row {self.position}")
        return pa.concat_tables(parts, promote_options="permissive") if parts[1:] else parts[0]

    def read(self, limit: int) -> Took:
        """Read rows of one table, about ``limit`` bytes."""
        if not self.ready or self._left is None:
            return Took(None, 0)
        width = max(1, self._left.nbytes // self._left.num_rows)
        start = self.position
        table = self.rows(min(self._left.num_rows, MOST_ROWS, max(1, limit // width)))
        piece = Slice(self.name, 0, start, self.position, {"position": self.position})
        return Took(Chunk(piece, self._rows.records(table, start)), table.num_rows * width)
