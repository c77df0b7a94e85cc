from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.kernel import hashing
from tailrace.plan import identity
from tailrace.plan.identity import Scalar, Time

INT64 = st.integers(-(2**63), 2**63 - 1)
KINDS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): st.text(max_size=20)
    | st.sampled_from(["", "n0:", "'", "\0", "a\0'b", "\U0001f600"]),
    pa.int64(): INT64,
    pa.bool_(): st.booleans(),
    pa.timestamp("us", "UTC"): INT64.map(Time),
    pa.float64(): st.floats(allow_nan=False, allow_infinity=False) | st.just(-0.0),
    pa.null(): st.none(),
}


def _array(values: list[Scalar], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[pa.Array | Scalar], list[tuple[Scalar, ...]]]:
    length = draw(st.integers(0, 5))
    columns: list[pa.Array | Scalar] = []
    values: list[list[Scalar]] = []
    for kind in draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=4)):
        one = KINDS[kind] | st.none()
        if draw(st.booleans()):
            values.append(draw(st.lists(one, min_size=length, max_size=length)))
            columns.append(_array(values[-1], kind))
        else:
            scalar = draw(one)
            values.append([scalar] * length)
            columns.append(scalar)
    return columns, list(zip(*values, strict=True))


@pytest.fixture(autouse=True, scope="module", params=["statement", "python"])
def _path(request: pytest.FixtureRequest) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "FEW", -1 if request.param == "statement" else 1000)
        yield


@settings(deadline=None)
@given(table=_tables(), salt=st.text(max_size=5))
def test_columns_hash_as_single_values_do(
    table: tuple[list[pa.Array | Scalar], list[tuple[Scalar, ...]]], salt: str
) -> None:
    columns, rows = table
    length = len(rows)
    assert hashing.digests(columns, length).to_pylist() == [identity.digest(*row) for row in rows]
    arrays = [column for column in columns if isinstance(column, pa.Array)]
    keys = [
        tuple(hashing.typed_values(column, length)[row] for column in arrays)
        for row in range(length)
    ]
    assert hashing.salted(salt, arrays, length).tolist() == [
        identity.salted_hash(salt, key) for key in keys
    ]
    if arrays:
        assert hashing.buckets(arrays, length).tolist() == [identity.bucket(key) for key in keys]


def test_sliced_columns_and_the_empty_key() -> None:
    column = pa.array(["no", "a", None]).slice(1)
    assert hashing.digests(["r", column], 2).to_pylist() == [
        identity.digest("r", "a"),
        identity.digest("r", None),
    ]
    assert hashing.buckets([], 2).tolist() == [identity.bucket(())] * 2


def test_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="decimal"):
        hashing.digests([pa.array([Decimal(1), Decimal(2)])], 2)
