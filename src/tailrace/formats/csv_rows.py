"""CSV lines into columns of text.

A record is one line: a quoted newline is not supported, the line before it is a dead letter. A
column with nothing in it is null; with two quotes and nothing between them it is an empty text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.errors import TailraceError
from tailrace.formats.csv_lines import CsvError, CsvLines, CsvSplitter, split_line
from tailrace.formats.faults import Faults
from tailrace.formats.frame import Frame
from tailrace.formats.paths import Path
from tailrace.formats.screen import mark_blank, mark_not_utf8
from tailrace.formats.segments import strings_at
from tailrace.formats.spec import CsvFormat


class CsvRows:
    """Takes texts out of CSV lines. One thread uses it."""

    def __init__(self, csv: CsvFormat, paths: Sequence[Path]) -> None:
        """Prepare to take the columns that the paths name."""
        self._csv = csv
        self._paths = tuple(paths)

    def split(self, frame: Frame, faults: Faults) -> Mapping[Path, pa.StringArray]:
        """One string array of ``len(frame)`` for each path, null in rows that are out.

        The header, the record at position 0, is counted as blank. Raises TailraceError if the
        columns are not known.
        """
        names = self._names(frame)
        if self._csv.header:
            faults.mark_blank(np.flatnonzero((frame.positions == 0) & ~faults.out))
        mark_blank(frame, faults)
        mark_not_utf8(frame, faults)
        found = {path: names.index(path[0]) for path in self._paths if path[0] in names}
        splitter = CsvSplitter(self._csv.delimiter, len(names), list(found.values()))
        lines = splitter.split(frame, ~faults.out)
        for row, error in lines.wrong.items():
            faults.mark(row, error.code, str(error))
        missing = pa.nulls(len(frame), pa.string())
        columns = {path: _column(frame, lines, number) for number, path in enumerate(found)}
        return {path: columns.get(path, missing) for path in self._paths}

    def _names(self, frame: Frame) -> Sequence[str]:
        """The columns' names: those given, else those of the header."""
        if self._csv.columns is not None:
            return self._csv.columns
        header = frame.header if len(frame) else b""
        if header is None:
            raise TailraceError(
                "the header of this CSV is not known, so its columns have no names",
                hint="name them in the pipeline file: format: {csv: {columns: [...]}}",
            )
        try:
            places = split_line(header, self._csv.delimiter.encode())
            cells = [header[place.start : place.end].decode() for place in places]
        except (CsvError, UnicodeDecodeError) as error:
            raise TailraceError(f"the CSV's header can't be read: {error}") from error
        return [cell.replace('""', '"').strip(" \t") for cell in cells]


def _column(frame: Frame, lines: CsvLines, number: int) -> pa.StringArray:
    starts, ends = lines.starts[number], lines.ends[number]
    present = lines.right & ((ends > starts) | lines.quoted[number])
    texts = strings_at(frame.buffer, starts.astype(np.int32), ends.astype(np.int32), present)
    rows = [row for row in lines.doubled if lines.quoted[number, row]]
    if not rows:
        return texts
    marked = np.zeros(len(texts), np.bool_)
    marked[rows] = True
    single = [text.replace('""', '"') for text in texts.filter(pa.array(marked)).to_pylist()]
    return pc.replace_with_mask(texts, pa.array(marked), pa.array(single, pa.string()))
