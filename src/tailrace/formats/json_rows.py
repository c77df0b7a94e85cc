"""JSON records into columns of text: every value as the text that the truth table starts from.

Strings become their contents, numbers and the literals their notation, objects and arrays their
JSON text, null and missing null. Records that are written like those before them are read by their
template (``json_regular``). The others DuckDB parses; what it can't parse is a dead letter. Among
equal keys the first wins; it takes a trailing comma and the words NaN and Infinity, and so do we.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace import calculator
from tailrace.formats.codes import Code
from tailrace.formats.faults import SHOWN, Faults, shown
from tailrace.formats.frame import Frame
from tailrace.formats.json_regular import RegularRecords, some_of
from tailrace.formats.paths import Path, place, structure, trees_of
from tailrace.formats.screen import BLANKS, mark_blank, not_utf8
from tailrace.formats.segments import Texts, strings

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 16_384
"""Rows that leave DuckDB at a time: what fits the cache; a larger batch is slower."""
PIECE = 32_768
"""Rows that are checked one by one after a batch failed."""
PARSE_ERRORS = (duckdb.Error, UnicodeDecodeError, OSError)
"""How a malformed row shows: the last in a stream that has begun, the second if it isn't UTF-8."""


class JsonRows:
    """Takes texts out of JSON records. One thread uses it."""

    def __init__(self, paths: Sequence[Path], numbers: Collection[Path] = ()) -> None:
        """Prepare to take the values at ``paths``, of which ``numbers`` are read as such later."""
        self._regular = RegularRecords(paths, numbers)
        self._trees = trees_of(paths)
        self._places = {path: self._find(path) for path in paths}
        self._connection = calculator.connect()
        calls = (f"json_transform(r, {_quoted(structure(tree))})" for tree in self._trees)
        self._query = f"select {', '.join(calls)} from records"

    def split(self, frame: Frame, faults: Faults) -> Mapping[Path, Texts]:
        """``len(frame)`` texts for each path, null in rows that are out."""
        regular = self._regular.read(frame.records, faults.out)
        if regular is None:
            return self._parsed(frame, faults)
        rest = np.flatnonzero(~regular.matched)
        if not len(rest):
            return regular.texts
        others = Faults(len(rest))
        others.out[:] = faults.out[rest]
        parsed = self._parsed(Frame(some_of(frame.records, rest)), others)
        faults.take_over(others, rest)
        unmatched = pa.array(~regular.matched)
        return {
            path: pc.replace_with_mask(strings(texts), unmatched, parsed[path])
            for path, texts in regular.texts.items()
        }

    def _parsed(self, frame: Frame, faults: Faults) -> dict[Path, pa.StringArray]:
        """The same, every record parsed by DuckDB."""
        mark_blank(frame, faults)
        self._mark_misshapen(frame, faults)
        batches: list[pa.RecordBatch] = []
        done, wary = 0, False
        while done < len(frame):
            live = frame.strings(faults.out)
            if wary:
                piece = live.slice(done, PIECE)
                wary = self._mark_malformed(piece, done, frame, faults)
                if wary:
                    piece = frame.strings(faults.out).slice(done, PIECE)
                batches.extend(self._parse(piece))
                done += len(piece)
                continue
            try:
                for batch in self._parse(live.slice(done)):
                    batches.append(batch)
                    done += len(batch)
            except PARSE_ERRORS:
                wary = True
        return {path: _joined(batches, *where) for path, where in self._places.items()}

    def _find(self, path: Path) -> tuple[int, list[int]]:
        for number, tree in enumerate(self._trees):
            found = place(tree, path)
            if found is not None:
                return number, found
        raise KeyError(path)

    def _parse(self, texts: pa.StringArray) -> Iterator[pa.RecordBatch]:
        """Structs of texts, a column for each tree; raises PARSE_ERRORS at a malformed row."""
        self._connection.register("records", pa.table({"r": texts}))
        yield from self._connection.sql(self._query).to_arrow_reader(BATCH)

    def _mark_malformed(
        self, texts: pa.StringArray, start: int, frame: Frame, faults: Faults
    ) -> bool:
        """Mark those rows of a piece, which begins at row ``start``, that DuckDB can't parse."""
        rows = np.flatnonzero(~self._valid(texts)) + start
        for row in rows.tolist():
            content = frame.content(row)
            if found := not_utf8(content):
                faults.mark(row, Code.INVALID_UTF8, found)
            else:
                faults.mark(row, Code.MALFORMED_JSON, f"not JSON: {shown(content.decode())}")
        return bool(len(rows))

    def _valid(self, texts: pa.StringArray) -> NDArray[np.bool_]:
        """Which texts DuckDB takes for JSON (null: true); it never raises."""
        self._connection.register("records", pa.table({"r": texts}))
        query = "select coalesce(json_valid(r), true) as v from records"
        valid = self._connection.sql(query).to_arrow_table()["v"]
        found: NDArray[np.bool_] = valid.to_numpy()
        return found

    def _mark_misshapen(self, frame: Frame, faults: Faults) -> None:
        """Mark what can't be an object because of its outermost bytes."""
        odd = (frame.first != ord("{")) | (frame.last != ord("}"))
        others = []
        for row in np.flatnonzero(odd & ~faults.out).tolist():
            content = frame.content(row).strip(BLANKS)
            if found := not_utf8(content):
                faults.mark(row, Code.INVALID_UTF8, found)
            elif not content.startswith(b"{"):
                others.append(row)
            elif not content.endswith(b"}"):
                end = content.decode()[-SHOWN // 2 :]
                faults.mark(row, Code.MALFORMED_JSON, f"ends too early: {shown(end)}")
        if others:
            contents = [frame.content(row) for row in others]
            valid = self._valid(pa.array(contents, pa.binary()).view(pa.string()))
            for row, content, is_json in zip(others, contents, valid.tolist(), strict=True):
                code = Code.NOT_AN_OBJECT if is_json else Code.MALFORMED_JSON
                word = "an object" if is_json else "JSON"
                faults.mark(row, code, f"not {word}: {shown(content.decode())}")


def _joined(batches: Sequence[pa.RecordBatch], column: int, numbers: list[int]) -> pa.StringArray:
    found = [pc.struct_field(batch.column(column), numbers) for batch in batches]
    return pa.concat_arrays(found) if found else pa.array([], pa.string())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
