"""Random expressions over random data: SQL never raises, and NumPy gives what DuckDB gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.expr.generated import (
    SCOPE,
    Row,
    as_outcome,
    as_values,
    connection,
    in_duckdb,
    rows,
    typed_expressions,
)

from tailrace.expr.evaluate import evaluate
from tailrace.expr.parse import parse
from tailrace.expr.render import render

if TYPE_CHECKING:
    import duckdb


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    return connection()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=typed_expressions, data=rows)
def test_numpy_gives_what_duckdb_gives(
    duck: duckdb.DuckDBPyConnection, text: str, data: list[Row]
) -> None:
    node = parse(text, SCOPE)
    assert parse(render(node), SCOPE) == node
    in_sql = in_duckdb(duck, node, data)
    in_numpy = as_outcome(evaluate(node, as_values(data), len(data)))
    assert in_sql == in_numpy
    for value, failed in zip(in_sql.values, in_sql.failed, strict=True):
        assert not (failed and value is not None)
        if isinstance(value, float):
            assert math.isfinite(value)
            assert math.copysign(1.0, value) > 0 or value != 0
