"""The plain values of JSON records that fit a template, found in many records at once.

A window of bytes is copied from each record's cursor: the literal before a value, then the value up
to the byte that the next literal begins with. Comparisons of all windows become one integer of bits
a record, in which a place is a count of bits.

A record fits if its bytes are the template's literals with plain values between them. A string is
plain if it is UTF-8 without escapes and control characters; a number if it has no sign and no
exponent and its digits are what the double next to it is written with (SEMANTICS 4). Whatever
doesn't fit is not judged here: others parse it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tailrace.formats.json_template import Template
from tailrace.formats.paths import Path
from tailrace.formats.segments import Cut, Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.formats.records import Records

    Bits = NDArray[np.unsignedinteger[Any]]
    Flags = NDArray[np.bool_]
    Places = NDArray[np.int64]

BLOCK = 16_384
"""Records at a time, so that their bytes and what is known of them stay near the cache."""
WIDEST = 64
"""Bytes of the widest window: one integer of bits."""
CHUNK = 32
"""Bytes of long literals that are compared at a time."""
SLACK = 4
"""Bytes by which a value may be longer than the one learnt before a second window is needed."""
NUMBER = 20
"""Bytes of the longest plain number, and more: its first window holds it all."""
FURTHER = 32
"""So many further windows are searched for the end of a long value."""
MOST_WORDS = 4
"""So many words of eight bytes are kept of a value that is wanted as a number."""
LONGEST_INTEGER = 18
LONGEST_DECIMAL = 15
"""Digits of any decimal that a double keeps; one more if it begins with at most 3."""

_WORDS: dict[int, type[np.unsignedinteger[Any]]] = {16: np.uint16, 32: np.uint32, 64: np.uint64}
_ZERO, _POINT = ord("0"), ord(".")


class Found:
    """Where the values of ``paths`` are in the records that fit: no value where not ``present``."""

    def __init__(self, paths: Sequence[Path], length: int, numbers: Collection[Path] = ()) -> None:
        self.numbers = frozenset(numbers)
        """Paths whose first bytes are wanted as words."""
        self._words: dict[Path, NDArray[np.uint64]] = {}
        self.matched: Flags = np.zeros(length, np.bool_)
        self.present: set[Path] = set()
        self._starts = {path: np.zeros(length, np.int32) for path in paths}
        self._ends = {path: np.zeros(length, np.int32) for path in paths}

    def put(self, path: Path, block: slice, starts: Places, ends: Places) -> None:
        """Put down the places of a block's values; they ascend, whether records fit or not."""
        self.present.add(path)
        self._starts[path][block] = starts
        self._ends[path][block] = ends

    def put_words(self, path: Path, block: slice, words: Sequence[NDArray[np.uint64]]) -> None:
        """Put down the first bytes of a block's values, as many words in each block."""
        whole = self._words.get(path)
        if whole is None:
            whole = self._words[path] = np.empty((len(words), len(self.matched)), np.uint64)
        whole[:, block] = words

    def take_over(self, other: Found, rows: NDArray[np.intp], shift: NDArray[np.int32]) -> None:
        """Put down what was found of copies of the records ``rows``, if it is of the same paths.

        ``shift``: by how many bytes each lies behind its copy. Values of which fewer words were
        kept than they need are left out.
        """
        if other.present != self.present or not other._words.keys() >= self._words.keys():
            return
        fits = other.matched
        for path, words in self._words.items():
            kept = len(other._words[path])
            if kept < len(words):
                fits = fits & (other._ends[path] - other._starts[path] <= 8 * kept)
        chosen = np.flatnonzero(fits)
        at, shift = rows[chosen], shift[chosen]
        for path in self.present:
            self._starts[path][at] = other._starts[path][chosen] + shift
            self._ends[path][at] = other._ends[path][chosen] + shift
        for path, words in self._words.items():
            common = min(len(words), len(other._words[path]))
            words[:common, at] = other._words[path][:common, chosen]
        self.matched[at] = True

    def texts(self, buffer: pa.Buffer) -> dict[Path, Texts]:
        """The texts of each path, of no meaning where records didn't fit."""
        return {
            path: Cut(buffer, starts, self._ends[path], self._words.get(path))
            if path in self.present
            else pa.nulls(len(self.matched), pa.string())
            for path, starts in self._starts.items()
        }


@dataclass(frozen=True, slots=True)
class _Literal:
    """A run of bytes as words of eight, the last one masked; at most as long as a window."""

    size: int
    words: tuple[tuple[np.uint64, np.uint64], ...]

    @classmethod
    def of(cls, text: bytes) -> _Literal:
        parts = [text[start : start + 8] for start in range(0, len(text), 8)]
        return cls(
            len(text),
            tuple(
                (np.uint64(int.from_bytes(part, "little")), np.uint64(2 ** (8 * len(part)) - 1))
                for part in parts
            ),
        )

    def differs(self, windows: NDArray[np.uint8]) -> NDArray[np.uint64] | int:
        """Not 0 for each window that doesn't begin with this literal."""
        words = windows.view("<u8")
        wrong: NDArray[np.uint64] | int = 0
        for column, (word, mask) in enumerate(self.words):
            differing = words[:, column] ^ word
            differing &= mask
            wrong = differing if isinstance(wrong, int) else wrong | differing
        return wrong


class _Text:
    """The bytes of a block of records, zeros after them; places are counted from its begin."""

    def __init__(self, data: NDArray[np.uint8], begin: int, end: int) -> None:
        self.bytes = data[begin:end]
        self.size = end - begin
        reach = data[begin : end + WIDEST]
        if len(reach) < self.size + WIDEST:
            reach = np.concatenate([reach, np.zeros(WIDEST, np.uint8)])
        self._reach = np.ascontiguousarray(reach)

    def windows(self, cursors: Places, width: int) -> NDArray[np.uint8]:
        """``width`` bytes from each cursor on, a row each."""
        view = np.ndarray(self.size + 1, f"V{width}", self._reach.data, strides=(1,))
        np.minimum(cursors, self.size, out=cursors)
        return view[cursors].view(np.uint8).reshape(-1, width)


class Matcher:
    """Finds the values of one template."""

    def __init__(self, template: Template, paths: Sequence[Path]) -> None:
        """Prepare to find the values at ``paths``."""
        self._template = template
        wanted = set(paths)
        self._wanted = [value.path if value.path in wanted else None for value in template.values]
        self._constants = [
            [one for one in constants if one.path in wanted and one.text]
            for constants in template.constants
        ]
        self._controls = template.controls
        self._heads: list[list[_Literal]] = []
        self._literals: list[_Literal] = []
        for literal in template.literals:
            cut = max(0, -(-(len(literal) - CHUNK) // CHUNK)) * CHUNK
            chunks = [literal[start : start + CHUNK] for start in range(0, cut, CHUNK)]
            self._heads.append([_Literal.of(chunk) for chunk in chunks])
            self._literals.append(_Literal.of(literal[cut:]))

    def match(self, records: Records, found: Found, first: int, end: int) -> int:
        """Put down the values of those records from ``first`` to ``end`` that fit; how many do."""
        data = np.frombuffer(records.data, np.uint8)
        return sum(
            self._match(data, records, slice(start, min(start + BLOCK, end)), found)
            for start in range(first, end, BLOCK)
        )

    def _match(self, data: NDArray[np.uint8], records: Records, block: slice, found: Found) -> int:
        starts = records.offsets[:-1][block].astype(np.int64)
        ends = records.offsets[1:][block].astype(np.int64)
        begin = int(starts[0])
        text = _Text(data, begin, int(ends[-1]))
        starts -= begin
        ends -= begin
        cursors = starts.copy()
        fits = np.ones(len(cursors), np.bool_)
        places: list[tuple[Path, Places, Places]] = []
        wrong = np.zeros(len(cursors), np.uint64)
        for number, path in enumerate(self._wanted):
            places += self._fixed(number, cursors)
            value = self._template.values[number]
            close = self._template.literals[number + 1][0]
            for head in self._heads[number]:
                wrong |= head.differs(text.windows(cursors, CHUNK))
                cursors += head.size
            literal = self._literals[number]
            usual = NUMBER if value.number else self._template.expected(number) + SLACK
            width = _width(literal.size + usual)
            windows = text.windows(cursors, width)
            wrong |= literal.differs(windows)
            sizes = _sizes(windows, literal.size, close)
            cursors += literal.size
            first = cursors.copy() if path is not None else cursors
            if value.number:
                plain, kept = _numbers(windows, literal.size, sizes)
                fits &= plain
                if path is not None:
                    places.append((path, first, first + kept))
                cursors += sizes
            else:
                cursors += sizes
                open_ = np.flatnonzero(sizes >= width)
                if len(open_):
                    cursors[open_] = _further(text, cursors[open_] - literal.size, close)
                if path is not None:
                    places.append((path, first, cursors.copy()))
            if path in found.numbers:
                words = _words(windows, literal.size, self._template.expected(number))
                found.put_words(path, block, words)
        last = len(self._wanted)
        places += self._fixed(last, cursors)
        for part in (*self._heads[last], self._literals[last]):
            wrong |= part.differs(text.windows(cursors, _width(part.size)))
            cursors += part.size
        fits &= (wrong == 0) & (cursors == ends)
        self._screen(text, records, block, starts, ends, fits)
        others = np.flatnonzero(~fits)
        for path, first, end in places:
            first[others] = end[others] = starts[others]
            found.put(path, block, first + begin, end + begin)
        found.matched[block] = fits
        return int(np.count_nonzero(fits))

    def _fixed(self, number: int, cursors: Places) -> list[tuple[Path, Places, Places]]:
        """The places of the constants within a literal that begins at the cursors."""
        return [
            (one.path, cursors + one.start, cursors + one.end) for one in self._constants[number]
        ]

    def _screen(
        self,
        text: _Text,
        records: Records,
        block: slice,
        starts: Places,
        ends: Places,
        fits: Flags,
    ) -> None:
        """Take out records with a backslash, with a control character in a value, not UTF-8."""
        data = text.bytes
        if b"\\" in data.tobytes():
            fits[_rows_of(data == ord("\\"), ends)] = False
        if data.max() >= 0x80 and not _is_utf8(records, block):
            fits[_rows_of(data >= 0x80, ends)] = False
        # Each that fits has those of the literals: if all together have no more, none has.
        controls = data < ord(" ")
        number = np.count_nonzero(controls)
        others = np.flatnonzero(~fits)
        if len(others):
            number -= int(_counts(controls, starts[others], ends[others]).sum())
        if number != (len(fits) - len(others)) * self._controls:
            fits &= _counts(controls, starts, ends) == self._controls


def _width(size: int) -> int:
    """The window that holds so many bytes and one more, if there is one."""
    return next((width for width in _WORDS if width > size), WIDEST)


def _words(windows: NDArray[np.uint8], skipped: int, size: int) -> list[NDArray[np.uint64]]:
    """The bytes of each window behind the ``skipped`` ones, in as many words as ``size`` needs.

    At least one; bytes beyond the window are zeros.
    """
    columns = windows.view("<u8")
    column, bytes_ = divmod(skipped, 8)
    behind, before = np.uint64(8 * bytes_), np.uint64(64 - 8 * bytes_)
    found = []
    for number in range(column, column + max(1, min(-(-size // 8), MOST_WORDS))):
        word = columns[:, number] >> behind
        if bytes_ and number + 1 < columns.shape[1]:
            word |= columns[:, number + 1] << before
        found.append(word)
    return found


def _bits(marks: NDArray[np.bool_], skipped: int) -> Bits:
    """The marks of each window as an integer, the one behind ``skipped`` bytes the lowest bit."""
    word = _WORDS[marks.shape[1]]
    bits: Bits = np.packbits(marks.reshape(-1), bitorder="little").view(word)
    bits >>= np.array(skipped, word)
    return bits


def _lowest(bits: Bits) -> NDArray[np.uint8]:
    """The place of the lowest bit of each integer, its width where there is none."""
    found: NDArray[np.uint8] = np.bitwise_count((bits & -bits) - bits.dtype.type(1))
    return found


def _sizes(windows: NDArray[np.uint8], skipped: int, close: int) -> NDArray[np.uint8]:
    """How many bytes there are before the next ``close``; the window's width if it has none."""
    return _lowest(_bits(windows == close, skipped))


def _further(text: _Text, cursors: Places, close: int) -> Places:
    """The next place of ``close`` from each cursor on, or some place without it."""
    places = cursors.copy()
    left = np.arange(len(places))
    for _ in range(FURTHER):
        sizes = _sizes(text.windows(places[left], WIDEST), 0, close)
        places[left] += sizes
        left = left[sizes == WIDEST]
        if not len(left):
            break
    return places


def _numbers(
    windows: NDArray[np.uint8], skipped: int, sizes: NDArray[np.uint8]
) -> tuple[Flags, NDArray[np.uint8]]:
    """Which values are plain numbers, and their sizes without zeros that end a fraction."""
    first = windows[:, skipped]
    digits = _bits(windows - np.uint8(_ZERO) <= 9, skipped)
    whole = _lowest(~digits)
    plain = (whole >= 1) & ((first != _ZERO) | (whole == 1))
    integer = whole == sizes
    if bool((integer & plain & (whole <= LONGEST_INTEGER)).all()):
        return integer, sizes
    word = digits.dtype.type
    points = _bits(windows == _POINT, skipped)
    others = _bits(windows != _ZERO, skipped)
    behind = whole.astype(word)
    fraction = sizes - whole - np.uint8(1)
    pointed = (sizes > whole) & (points >> behind & word(1) == 1)
    behind += word(1)
    decimal = pointed & (fraction >= 1) & (_lowest(~(digits >> behind)) == fraction)
    exact = whole + fraction <= LONGEST_DECIMAL
    exact |= (whole + fraction == LONGEST_DECIMAL + 1) & (first <= ord("3"))
    held = others & ((word(1) << sizes.astype(word)) - word(1))
    # The point is no zero, so that there is a highest bit.
    needed = np.frexp(held.astype(np.float64))[1].astype(np.uint8)
    kept = np.where(decimal, np.maximum(needed, whole + np.uint8(2)), sizes)
    # Below 0.001 a double may be written with an exponent.
    small = (first == _ZERO) & (_lowest(others >> behind) > 2) & (needed > whole + 1)
    plain &= (integer & (whole <= LONGEST_INTEGER)) | (decimal & exact & ~small)
    return plain, kept


def _counts(marks: Flags, starts: Places, ends: Places) -> NDArray[np.intp]:
    """How many of the marked bytes each record holds."""
    places = np.flatnonzero(marks)
    counts: NDArray[np.intp] = np.searchsorted(places, ends) - np.searchsorted(places, starts)
    return counts


def _rows_of(marks: Flags, ends: Places) -> NDArray[np.intp]:
    """The records that hold the marked bytes."""
    return np.searchsorted(ends, np.flatnonzero(marks), side="right")


def _is_utf8(records: Records, block: slice) -> bool:
    """Whether all records of a block are UTF-8."""
    buffers = [None, pa.py_buffer(records.offsets), records.data]
    size = block.stop - block.start
    try:
        texts = pa.Array.from_buffers(pa.string(), size, buffers, offset=block.start)
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
