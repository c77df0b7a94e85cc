"""Whole columns of texts into typed columns: fast where the texts are plain, else text by text.

A text is plain when its bytes alone prove that Arrow's cast gives what the careful function in
``values`` would give. Times have a module of their own, ``time_columns``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.formats import digits, values
from tailrace.formats.segments import Cut, Texts, strings
from tailrace.formats.values import BadValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

INTEGER_BYTES = 18
"""Digits, perhaps after a minus, that fit 64 bits whatever they are."""
DOUBLE_BYTES = 32
"""Longer texts are left to the careful function."""
BOOLEANS = {word: values.boolean(word) for word in ("true", "false", "1", "0", "True", "False")}


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed column, null where the text was null or bad; ``bad``: why, by row number."""

    column: pa.Array
    bad: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """A string array's memory: text i is ``data[starts[i]:ends[i]]``; ``valid``: not null."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    valid: NDArray[np.bool_]

    @classmethod
    def of(cls, texts: pa.StringArray) -> Memory:
        """Look at the array's buffers, without a copy."""
        _, places, data = texts.buffers()
        offsets = np.frombuffer(places, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        valid = np.ones(len(texts), np.bool_)
        if texts.null_count:
            valid = texts.is_valid().to_numpy(zero_copy_only=False)
        return cls(
            np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8),
            offsets[:-1],
            offsets[1:],
            valid,
        )

    def not_digits(self) -> NDArray[np.intp]:
        """The places of all bytes of the texts other than 0 to 9, ascending."""
        first, held = self._held()
        return np.flatnonzero(held - np.uint8(ord("0")) > 9) + first

    def places_of(self, byte: int) -> NDArray[np.intp]:
        """The places of a byte in the texts, ascending."""
        first, held = self._held()
        return np.flatnonzero(held == byte) + first

    def _held(self) -> tuple[int, NDArray[np.uint8]]:
        """The bytes of all texts, and the place of the first."""
        if not len(self.starts):
            return 0, self.data[:0]
        first, end = int(self.starts[0]), int(self.ends[-1])
        return first, self.data[first:end]

    def rows_of(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """The row that holds each place."""
        return np.searchsorted(self.ends, places, side="right")


def integers(texts: Texts) -> Typed:
    """Texts as int64."""
    if isinstance(texts, Cut):
        return _completed(texts, *digits.integers(texts), integers)
    memory = Memory.of(texts)
    plain = _lengths_within(memory, INTEGER_BYTES)
    places = memory.not_digits()
    if len(places):
        rows = memory.rows_of(places)
        plain[rows[~_leading_minus(memory, places, rows)]] = False
    return _convert(texts, memory, plain, pa.int64(), values.integer)


def doubles(texts: Texts) -> Typed:
    """Texts as float64."""
    if isinstance(texts, Cut):
        return _completed(texts, *digits.doubles(texts), doubles)
    memory = Memory.of(texts)
    plain = _lengths_within(memory, DOUBLE_BYTES)
    places = memory.not_digits()
    if len(places) and not _one_inner_point_each(memory, places):
        rows = memory.rows_of(places)
        minus = _leading_minus(memory, places, rows)
        begins = memory.starts.copy()
        begins[rows[minus]] += 1
        places, rows = places[~minus], rows[~minus]
        inner = (memory.data[places] == ord(".")) & (places > begins[rows])
        inner &= places < memory.ends[rows] - 1
        plain[rows[~inner]] = False
        plain[np.bincount(rows, minlength=len(plain)) > 1] = False
    return _convert(texts, memory, plain, pa.float64(), values.double)


def booleans(texts: Texts) -> Typed:
    """Texts as bool."""
    texts = strings(texts)
    memory = Memory.of(texts)
    found = pc.index_in(texts, pa.array(list(BOOLEANS), pa.string()))
    plain = found.is_valid().to_numpy(zero_copy_only=False)
    column = pa.array(list(BOOLEANS.values()), pa.bool_()).take(found)
    if not (memory.valid & ~plain).any():
        return Typed(column)
    known = column.cast(pa.uint8()).fill_null(0).to_numpy(zero_copy_only=False).copy()
    patched = patch(texts, memory.valid, plain, known, values.boolean)
    return Typed(patched.column.cast(pa.bool_()), patched.bad)


def patch(
    texts: pa.StringArray,
    valid: NDArray[np.bool_],
    plain: NDArray[np.bool_],
    known: NDArray[np.generic],
    careful: Callable[[str], float],
) -> Typed:
    """Complete ``known``, which is right where ``plain``, by the careful function.

    It is changed in place. Equal texts are converted once.
    """
    rows = np.flatnonzero(valid & ~plain)
    bad: dict[int, str] = {}
    if len(rows):
        distinct = texts.take(pa.array(rows)).dictionary_encode()
        codes = distinct.indices.to_numpy()
        results = np.zeros(len(distinct.dictionary), known.dtype)
        wrong: dict[int, str] = {}
        for code, text in enumerate(distinct.dictionary.to_pylist()):
            try:
                results[code] = careful(text)
            except BadValueError as error:
                wrong[code] = str(error)
        known[rows] = results[codes]
        if wrong:
            bad = {
                row: wrong[code]
                for row, code in zip(rows.tolist(), codes.tolist(), strict=True)
                if code in wrong
            }
            valid = valid.copy()
            valid[list(bad)] = False
    return Typed(column_of(known, valid), bad)


def column_of(known: NDArray[np.generic], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """An Arrow array over NumPy values, without a copy; null where not valid."""
    present = (
        None
        if valid is None or valid.all()
        else pa.py_buffer(np.packbits(valid, bitorder="little"))
    )
    type_ = pa.from_numpy_dtype(known.dtype)
    return pa.Array.from_buffers(type_, len(known), [present, pa.py_buffer(known)])


def _completed(
    texts: Cut,
    known: NDArray[Any],
    good: NDArray[np.bool_],
    convert: Callable[[pa.StringArray], Typed],
) -> Typed:
    """``known`` where it is ``good``, and the others converted as texts; it is changed in place."""
    rows = np.flatnonzero(~good)
    if not len(rows):
        return Typed(column_of(known))
    if len(rows) > len(texts) // 2:
        return convert(texts.strings)
    others = convert(texts.strings.take(pa.array(rows)))
    known[rows] = others.column.fill_null(0).to_numpy()
    good[rows] = others.column.is_valid().to_numpy(zero_copy_only=False)
    bad = {int(rows[row]): what for row, what in others.bad.items()}
    return Typed(column_of(known, good), bad)


def _convert(
    texts: pa.StringArray,
    memory: Memory,
    plain: NDArray[np.bool_],
    type_: pa.DataType,
    careful: Callable[[str], float],
) -> Typed:
    castable = memory.valid & plain
    if not castable.all():
        present = pa.py_buffer(np.packbits(castable, bitorder="little"))
        offsets = pa.py_buffer(np.append(memory.starts, memory.ends[-1:]))
        texts_cast = pa.Array.from_buffers(
            pa.string(), len(texts), [present, offsets, texts.buffers()[2]]
        )
    else:
        texts_cast = texts
    cast = texts_cast.cast(type_)
    known = np.frombuffer(cast.buffers()[1], type_.to_pandas_dtype(), len(texts))
    if pa.types.is_floating(type_):
        known = known + 0.0
        plain &= ~castable | (np.abs(known) <= values.LARGEST)
    elif not plain.all():
        known = known.copy()
    return patch(texts, memory.valid, plain, known, careful)


def _lengths_within(memory: Memory, largest: int) -> NDArray[np.bool_]:
    lengths = memory.ends - memory.starts
    return (lengths > 0) & (lengths <= largest)


def _leading_minus(
    memory: Memory, places: NDArray[np.intp], rows: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which places hold a minus that begins its text and isn't all of it."""
    leading: NDArray[np.bool_] = (memory.data[places] == ord("-")) & (places == memory.starts[rows])
    leading &= places < memory.ends[rows] - 1
    return leading


def _one_inner_point_each(memory: Memory, places: NDArray[np.intp]) -> bool:
    """Whether the places are one decimal point in each text, with a digit on both sides."""
    return len(places) == len(memory.starts) and bool(
        (memory.data[places] == ord(".")).all()
        and (places > memory.starts).all()
        and (places < memory.ends - 1).all()
    )
