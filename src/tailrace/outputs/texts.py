"""Columns of typed values as text, byte for byte as single values are written.

``plain_texts`` is ``plan.templates.as_text`` for columns, ``json_texts`` is ``json.dumps`` and
``iso_texts`` is ``plan.instants.iso``. Nothing is done value by value that Arrow can do at once:
rows of a flood are written by the million.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.outputs.coding import Coded, Part, condensed, recurring
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from numpy.typing import NDArray

Parts = tuple[Part, ...]
"""Texts that stand one after another in each row."""

_THOUSAND = range(1000)
_MILLISECONDS = pa.array([f".{number:03}" for number in _THOUSAND])
_MICROSECONDS = pa.array([f"{number:03}" if number else "" for number in _THOUSAND])
_CONTROL = "[\\x00-\\x1f]"
_QUOTE, _BACKSLASH, _CONTROLS = 0x22, 0x5C, 0x20
"""Bytes that JSON strings escape, and below which all are escaped."""
_PIECE_BYTES = 1 << 18
_QUOTE_OR_NULL = pa.array(["null", '"'])
_QUOTE_OR_NOTHING = pa.array(["", '"'])
_NOTHING_OR_NULL = pa.array(["null", ""])


as_json: Callable[[str], str] = json.JSONEncoder(ensure_ascii=False).encode
"""A text as JSON."""


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts put together row by row; a ``str`` is the same in every row. Null if a part is."""
    return _joined(parts, nulls="emit_null")


def _joined(parts: Parts, *, nulls: Literal["emit_null", "replace"]) -> pa.Array:
    """As ``joined``; ``replace``: a part that is null is an empty text."""
    merged = list(condensed(parts))
    if len(merged) == 1:
        return merged[0]
    return pc.binary_join_element_wise(
        *(pa.scalar(part) if isinstance(part, str) else part for part in merged),
        "",
        null_handling=nulls,
    )


def iso_texts(microseconds: NDArray[np.int64], zone: tzinfo = UTC) -> pa.Array:
    """ISO 8601 text of instants given as microseconds since the epoch."""
    # A batch has few different seconds.
    seconds = pa.array(microseconds // 1_000_000).dictionary_encode()
    texts = [
        iso(second * 1_000_000, zone).rpartition(".000")
        for second in seconds.dictionary.to_pylist()
    ]
    heads = pa.array([head for head, _, _ in texts], pa.string())
    offsets = pa.array([offset for _, _, offset in texts], pa.string())
    fraction = microseconds % 1_000_000
    return joined(
        heads.take(seconds.indices),
        _MILLISECONDS.take(pa.array(fraction // 1000)),
        _MICROSECONDS.take(pa.array(fraction % 1000)),
        offsets.take(seconds.indices),
    )


def plain_texts(column: pa.Array, zone: tzinfo = UTC) -> pa.Array:
    """Values as people read them: doubles shortest, times ISO 8601; null stays null."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_dictionary(kind):
        return plain_texts(column.dictionary, zone).take(column.indices)
    if pa.types.is_timestamp(kind):
        known = column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
        instants = pc.fill_null(known, 0).to_numpy(zero_copy_only=False)
        return _nulls_of(column, iso_texts(instants, zone))
    if pa.types.is_float64(kind):
        return _double_texts(column)
    if pa.types.is_int64(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    raise TypeError(f"a column of type {kind} has no text")


def json_texts(column: pa.Array, zone: tzinfo = UTC) -> pa.Array:
    """Values as JSON, as ``json.dumps(value, ensure_ascii=False)`` writes them; times as text."""
    parts = _json_parts(column, zone)
    texts = _joined(parts, nulls="replace")
    return pa.repeat(texts, len(column)) if isinstance(texts, str) else texts


def json_objects(
    columns: Sequence[tuple[str, pa.Array]], zone: tzinfo = UTC, *, before: Parts = ()
) -> pa.Array:
    """JSON objects of typed values; ``before`` is JSON of fields that come first."""
    texts = raw_objects([(name, *_json_parts(column, zone)) for name, column in columns], before)
    return pa.repeat(texts, len(columns[0][1])) if isinstance(texts, str) else texts


def raw_objects(fields: Sequence[tuple[str, *Parts]], before: Parts = ()) -> pa.Array:
    """JSON objects of fields whose values are JSON already: a name and parts of its value."""
    parts: list[Part] = ["{", *before]
    for name, *value in fields:
        comma = "," if len(parts) > 1 else ""
        parts += [f"{comma}{as_json(name)}:", *value]
    return _joined((*parts, "}"), nulls="replace")


def _json_parts(column: pa.Array, zone: tzinfo) -> Parts:
    """JSON of a column as parts for ``_joined``: quotes and nulls need no pass of their own.

    Where a value is null its text is, and what stands before it says so.
    """
    kind = column.type
    if column.null_count == len(column):
        return ("null",)
    known = recurring(column)
    if known is not None:
        return (_coded(known, zone),)
    quoted = pa.types.is_timestamp(kind) or pa.types.is_string(kind)
    texts = _escaped(column) if pa.types.is_string(kind) else plain_texts(column, zone)
    if not texts.null_count:
        return ('"', texts, '"') if quoted else (texts,)
    there = texts.is_valid().cast(pa.int32()).to_numpy()
    if quoted:
        return (Coded(_QUOTE_OR_NULL, there), texts, Coded(_QUOTE_OR_NOTHING, there))
    return (Coded(_NOTHING_OR_NULL, there), texts)


def _coded(column: pa.DictionaryArray, zone: tzinfo) -> Coded:
    """JSON of a column by its distinct values."""
    texts = json_texts(column.dictionary, zone)
    places = column.indices
    if places.null_count:
        places = pc.fill_null(places.cast(pa.int32()), len(texts))
        texts = pa.concat_arrays([texts, pa.array(["null"])])
    return Coded(texts, places.to_numpy().astype(np.int32, copy=False))


def _escaped(column: pa.Array) -> pa.Array:
    """What stands between the quotes of JSON strings.

    Quotes and backslashes are common, control characters are not.
    """
    special = _special_octets(column)
    texts = column
    for octet, character in ((_BACKSLASH, "\\"), (_QUOTE, '"')):
        if octet in special:
            texts = pc.replace_substring(texts, character, f"\\{character}")
    if _CONTROLS not in special:
        return texts
    coded = pc.fill_null(pc.match_substring_regex(column, _CONTROL), False)  # noqa: FBT003 - a value
    known = column.filter(coded).dictionary_encode()
    rare = pa.array([as_json(value)[1:-1] for value in known.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(texts, coded, rare.take(known.indices))


def _special_octets(column: pa.Array) -> set[int]:
    """Those of ``_QUOTE``, ``_BACKSLASH`` and ``_CONTROLS`` that are among the texts' bytes.

    Piece by piece, so that what is compared stays in the cache: the bytes of a batch don't.
    """
    octets = _octets(column)
    found: set[int] = set()
    for start in range(0, len(octets), _PIECE_BYTES):
        piece = octets[start : start + _PIECE_BYTES]
        for octet in (_QUOTE, _BACKSLASH):
            if octet not in found and bool((piece == octet).any()):
                found.add(octet)
        if _CONTROLS not in found and int(piece.min()) < _CONTROLS:
            found.add(_CONTROLS)
    return found


def _octets(column: pa.Array) -> NDArray[np.uint8]:
    """All bytes of a column of texts, one after another."""
    data = column.buffers()[2]
    if data is None or not len(column):
        return np.empty(0, np.uint8)
    offsets = np.frombuffer(column.buffers()[1], np.int32)
    start, end = offsets[column.offset], offsets[column.offset + len(column)]
    return np.frombuffer(data, np.uint8)[start:end]


def _double_texts(column: pa.Array) -> pa.Array:
    """As ``repr`` writes doubles: Arrow has the same digits, but not always the same notation."""
    values = pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False) + 0.0
    size = np.abs(values)
    texts = pa.array(values).cast(pa.string())
    whole = (values == np.floor(values)) & (size < 1e10)
    if whole.any():
        mask = pa.array(whole)
        texts = pc.replace_with_mask(texts, mask, joined(texts.filter(mask), ".0"))
    odd = ~whole & ((size < 1e-3) | (size >= 1e10))
    if odd.any():
        rare = pa.array([repr(value) for value in values[odd].tolist()], pa.string())
        texts = pc.replace_with_mask(texts, pa.array(odd), rare)
    return _nulls_of(column, texts)


def _nulls_of(column: pa.Array, texts: pa.Array) -> pa.Array:
    if not column.null_count:
        return texts
    return pc.if_else(column.is_valid(), texts, pa.scalar(None, pa.string()))
