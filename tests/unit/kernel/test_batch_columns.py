"""Expressions over a batch by NumPy: what of them is asked of distinct texts, and when none is."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tailrace import calculator
from tailrace.expr.nodes import Type
from tailrace.expr.parse import parse
from tailrace.expr.scope import Scope
from tailrace.kernel.batch_columns import BatchColumns, spelled_out
from tailrace.kernel.row_expressions import row_expression
from tailrace.kernel.words import keyed

SCOPE = Scope({"u": Type.TEXT, "v": Type.TEXT, "i": Type.INTEGER, "t": Type.TIME})
FITS = {
    "u = 'a'": 1,
    "u = 'a' and i > 3": 1,
    "u = 'a' or v like 'b%' or u = 'a'": 2,
    "i + length(u) > 3": 1,
    "coalesce(cidr_contains(u, '10.0.0.0/8'), false) and not starts_with(v, 'x')": 2,
    "i between 1 and 3": 0,
    "1 = 1": 0,
}


@pytest.mark.parametrize("text", FITS)
def test_parts_are_asked_once(text: str) -> None:
    found = row_expression(parse(text, SCOPE))
    assert found is not None
    assert len(found.parts) == FITS[text]


@pytest.mark.parametrize(
    "text", ["u = v", "u || v = 'ab'", "t > timestamp '2024-01-01'", "lower(u)"]
)
def test_what_needs_the_rows(text: str) -> None:
    assert row_expression(parse(text, SCOPE)) is None


def batch(texts: list[str]) -> BatchColumns:
    return BatchColumns(pa.table({"u": texts}), calculator.connect(), {}, {}, None)


@pytest.mark.parametrize(
    ("distinct", "fits"), [(10, True), (3000, True), (20_000, False)], ids=["few", "some", "all"]
)
def test_texts_that_hardly_recur_are_left_to_statements(distinct: int, *, fits: bool) -> None:
    expression = row_expression(parse("u = '7'", SCOPE))
    assert expression is not None
    columns = batch([str(row * 7919 % distinct) for row in range(20_000)])
    found = columns.values(expression)
    assert (found is not None) == fits
    if found is not None:
        assert found.data.sum() == sum(row * 7919 % distinct == 7 for row in range(20_000))


def test_codes_are_of_words_that_occur() -> None:
    words = pa.array(["a", "b", "c"])
    code = keyed(words, pa.array([2, 0, 2]).to_numpy())
    assert code.dictionary.to_pylist() == ["a", "c"]
    table = spelled_out(pa.table({"code": code, "n": [1, 2, 3]}))
    assert table.schema.types == [pa.string(), pa.int64()]
    assert table["code"].to_pylist() == ["c", "a", "c"]
