"""Where the columns of CSV lines begin and end: blocks at once, awkward lines one by one.

A column that begins with a quote goes to the quote that ends it, two quotes inside being one; what
follows must be a delimiter or the line's end. A quote inside another column is a character like
others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.codes import Code
from tailrace.formats.faults import shown
from tailrace.formats.frame import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16_384
"""Lines at a time, so that what is looked at stays in the cache."""
QUOTE = ord('"')
FEW = 4
"""With less than a quote in so many lines, the lines with quotes are split one by one."""

_QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')


class CsvError(ValueError):
    """A line is not well-formed; ``code`` says in which way."""

    def __init__(self, code: Code, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column's contents lie in its line; ``quoted``: between quotes, which don't count."""

    start: int
    end: int
    quoted: bool


def split_line(line: bytes, delimiter: bytes) -> list[Place]:
    """The columns of one line: the definition for the fast way. Raises CsvError."""
    places = []
    start = 0
    while True:
        if line[start : start + 1] == b'"':
            match = _QUOTED.match(line, start)
            if match is None:
                text = shown(line[start:].decode())
                raise CsvError(Code.CSV_UNCLOSED_QUOTE, f"the quote is not closed: {text}")
            places.append(Place(*match.span(1), quoted=True))
            end = match.end()
            if end < len(line) and line[end : end + 1] != delimiter:
                text = shown(line[start:].decode())
                raise CsvError(Code.CSV_BAD_QUOTE, f"text follows the closing quote: {text}")
        else:
            found = line.find(delimiter, start)
            end = len(line) if found < 0 else found
            places.append(Place(start, end, quoted=False))
        if end == len(line):
            return places
        start = end + 1


@dataclass(frozen=True, slots=True)
class CsvLines:
    """Places of some columns: ``starts[c, i]`` and ``ends[c, i]`` of the c-th wanted one in line i.

    ``quoted[c, i]``: it stands between quotes, which its place doesn't include. ``right``: the
    lines that are well-formed and have as many columns as they should; ``wrong``: what is wrong
    with other live ones, by row. ``doubled``: rows that may have two quotes for one.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    quoted: NDArray[np.bool_]
    right: NDArray[np.bool_]
    wrong: dict[int, CsvError] = field(default_factory=dict)
    doubled: list[int] = field(default_factory=list)


class CsvSplitter:
    """Finds the ``wanted`` ones of so many columns; the others only count."""

    def __init__(self, delimiter: str, columns: int, wanted: Sequence[int]) -> None:
        """Prepare for lines of one file."""
        self._delimiter = delimiter.encode()
        self._columns = columns
        self._wanted = list(wanted)

    def split(self, frame: Frame, live: NDArray[np.bool_]) -> CsvLines:
        """Split the live lines of a frame."""
        shape = len(self._wanted), len(frame)
        lines = CsvLines(
            np.zeros(shape, np.int64),
            np.zeros(shape, np.int64),
            np.zeros(shape, np.bool_),
            np.zeros(len(frame), np.bool_),
        )
        for start in range(0, len(frame), BLOCK):
            self._split_block(frame, live, lines, slice(start, start + BLOCK))
        for row in np.flatnonzero(live & ~lines.right).tolist():
            self._split_row(frame, lines, row)
        return lines

    def _split_block(
        self, frame: Frame, live: NDArray[np.bool_], lines: CsvLines, block: slice
    ) -> None:
        """Fill in those lines of a block that the places of delimiters and quotes explain."""
        starts, ends = frame.starts[block].astype(np.int64), frame.ends[block].astype(np.int64)
        alive = live[block]
        first = int(starts[0])
        held = frame.data[first : int(ends[-1])]
        delimiters = np.flatnonzero(held == ord(self._delimiter)) + first
        quotes = np.flatnonzero(held == QUOTE) + first
        with_quotes = len(quotes) * FEW > len(starts)
        if with_quotes:
            delimiters = delimiters[_even_before(quotes, starts, delimiters)]
        elif len(quotes):
            alive = alive.copy()
            alive[np.searchsorted(ends, quotes, side="right")] = False
        begin = np.searchsorted(delimiters, starts)
        count = np.searchsorted(delimiters, ends) - begin
        rows = np.flatnonzero(alive & (count == self._columns - 1))
        wanted = range(self._columns) if with_quotes else self._wanted
        begins, finishes = self._edges(delimiters, begin[rows], starts[rows], ends[rows], wanted)
        quoted = np.zeros(begins.shape, np.bool_)
        if with_quotes:
            held_quotes = np.searchsorted(quotes, ends[rows]) - np.searchsorted(
                quotes, starts[rows]
            )
            quoted = _between_quotes(frame.data, begins, finishes)
            plain = 2 * quoted.sum(axis=0) == held_quotes
            rows, chosen = (
                rows[plain],
                np.ix_(np.array(self._wanted, np.intp), np.flatnonzero(plain)),
            )
            begins, finishes, quoted = begins[chosen], finishes[chosen], quoted[chosen]
        rows += block.start
        lines.starts[:, rows] = begins + quoted
        lines.ends[:, rows] = finishes - quoted
        lines.quoted[:, rows] = quoted
        lines.right[rows] = True

    def _edges(
        self,
        delimiters: NDArray[np.int64],
        begin: NDArray[np.int64],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        wanted: Iterable[int],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where columns begin and end in lines whose first delimiter is number ``begin``."""
        last = self._columns - 1
        begins = [
            starts if column == 0 else delimiters[begin + column - 1] + 1 for column in wanted
        ]
        finishes = [ends if column == last else delimiters[begin + column] for column in wanted]
        shape = len(begins), len(starts)
        return np.array(begins, np.int64).reshape(shape), np.array(finishes, np.int64).reshape(
            shape
        )

    def _split_row(self, frame: Frame, lines: CsvLines, row: int) -> None:
        """Fill in one line by the careful way, or say what is wrong with it."""
        content = frame.content(row)
        try:
            places = split_line(content, self._delimiter)
        except CsvError as error:
            lines.wrong[row] = error
            return
        if len(places) != self._columns:
            few = len(places) < self._columns
            code = Code.CSV_TOO_FEW_COLUMNS if few else Code.CSV_TOO_MANY_COLUMNS
            lines.wrong[row] = CsvError(code, f"{len(places)} columns, not {self._columns}")
            return
        for number, column in enumerate(self._wanted):
            place = places[column]
            lines.starts[number, row] = frame.starts[row] + place.start
            lines.ends[number, row] = frame.starts[row] + place.end
            lines.quoted[number, row] = place.quoted
        lines.right[row] = True
        if b'""' in content:
            lines.doubled.append(row)


def _even_before(
    quotes: NDArray[np.int64], starts: NDArray[np.int64], delimiters: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which delimiters have an even number of quotes before them in their line.

    Where each quoted column has no quotes but the two around it, and other columns have none, these
    are the delimiters that separate columns.
    """
    rows = np.searchsorted(starts, delimiters, side="right") - 1
    before = np.searchsorted(quotes, delimiters) - np.searchsorted(quotes, starts)[rows]
    even: NDArray[np.bool_] = before % 2 == 0
    return even


def _between_quotes(
    data: NDArray[np.uint8], begins: NDArray[np.int64], finishes: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which columns begin with a quote and end with another one."""
    opened = data[np.minimum(begins, len(data) - 1)] == QUOTE
    closed: NDArray[np.bool_] = opened & (data[finishes - 1] == QUOTE) & (finishes - begins > 1)
    return closed
