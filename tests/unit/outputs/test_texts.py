from __future__ import annotations

import json
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.outputs.coding import FEW
from tailrace.outputs.texts import iso_texts, json_objects, json_texts, plain_texts
from tailrace.plan.identity import Scalar, Time
from tailrace.plan.instants import iso
from tailrace.plan.templates import as_text

INT64 = st.integers(-(2**63), 2**63 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
KINDS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): st.text()
    | st.sampled_from(['"', "\\", "\n", "\x7f\x1b[31m", "\u2028", "\0", "é"]),
    pa.int64(): INT64,
    pa.bool_(): st.booleans(),
    pa.timestamp("us", "UTC"): (INT64 | st.integers(0, 2 * 10**15)).map(Time),
    pa.float64(): FINITE
    | st.integers(-(2**60), 2**60).map(float)
    | st.integers(-400, 400).map(lambda number: number / 8)
    | st.tuples(st.integers(1, 10**17), st.integers(-20, 22)).map(lambda p: p[0] * 10.0 ** p[1]),
    pa.null(): st.none(),
}
ZONES = st.sampled_from(
    [UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("America/St_Johns")]
)


def array(values: list[Scalar], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[Scalar], pa.Array]:
    kind = draw(st.sampled_from(list(KINDS)))
    values = draw(st.lists(KINDS[kind] | st.none(), max_size=8))
    start = draw(st.integers(0, len(values)))
    column = array(values, kind).slice(start)
    if draw(st.booleans()) and not pa.types.is_null(kind):
        column = column.dictionary_encode()
    return values[start:], column


def plain(value: Scalar, zone: tzinfo) -> Scalar:
    if isinstance(value, float):
        return value + 0.0
    return iso(value, zone) if isinstance(value, Time) else value


@settings(deadline=None, max_examples=300)
@given(columns(), ZONES)
def test_json_is_what_the_json_module_writes(
    column: tuple[list[Scalar], pa.Array], zone: tzinfo
) -> None:
    values, texts = column
    assert json_texts(texts, zone).to_pylist() == [
        json.dumps(plain(value, zone), ensure_ascii=False) for value in values
    ]


@settings(deadline=None, max_examples=200)
@given(columns())
def test_plain_text_is_what_templates_show(column: tuple[list[Scalar], pa.Array]) -> None:
    values, texts = column
    expected = [None if value is None else as_text(plain(value, UTC)) for value in values]
    assert plain_texts(texts).to_pylist() == expected


@settings(deadline=None)
@given(st.lists(INT64), ZONES)
def test_instants_are_written_as_single_ones(instants: list[int], zone: tzinfo) -> None:
    assert iso_texts(np.array(instants, np.int64), zone).to_pylist() == [
        iso(instant, zone) for instant in instants
    ]


def test_objects_keep_names_and_order() -> None:
    rows = json_objects([('b"', pa.array([1, None])), ("a", pa.array(["x", "y"]))])
    assert rows.to_pylist() == ['{"b\\"":1,"a":"x"}', '{"b\\"":null,"a":"y"}']


@settings(deadline=None, max_examples=60)
@given(st.lists(columns(), min_size=1, max_size=5), ZONES, st.integers(0, 2**32))
def test_values_that_recur_are_written_as_single_ones(
    drawn: list[tuple[list[Scalar], pa.Array]], zone: tzinfo, seed: int
) -> None:
    random = np.random.default_rng(seed)
    columns_ = []
    expected: list[list[str]] = [[] for _ in range(2 * FEW)]
    for number, (values, column) in enumerate([*drawn, own_values()]):
        if not values:
            continue
        rows = random.integers(0, len(values), 2 * FEW)
        columns_.append((f"c{number}", column.take(pa.array(rows))))
        written = [json.dumps(plain(value, zone), ensure_ascii=False) for value in values]
        for fields, row in zip(expected, rows.tolist(), strict=True):
            fields.append(f'"c{number}":{written[row]}')
    assert json_objects(columns_, zone).to_pylist() == [f"{{{','.join(row)}}}" for row in expected]


def own_values() -> tuple[list[Scalar], pa.Array]:
    """So many values that hardly any recurs, some of them null."""
    values: list[Scalar] = [None if row % 7 == 0 else f'"{row}' for row in range(20 * FEW)]
    return values, pa.array(values, pa.string())


@pytest.mark.parametrize("length", [0, 1, 3])
def test_objects_of_nothing_but_nulls_are_as_many(length: int) -> None:
    nulls = pa.nulls(length, pa.int64())
    expected = ['{"a":null,"b":null}'] * length
    assert json_objects([("a", nulls), ("b", nulls)]).to_pylist() == expected


def test_a_type_of_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="int32"):
        json_texts(pa.array([1], pa.int32()))
