"""NumPy columns as the kernel gives them: measures that failed, no rows, nulls on leftovers."""

from __future__ import annotations

import numpy as np
import pytest

from tailrace.expr.evaluate import evaluate
from tailrace.expr.nodes import Aggregate, AggregateFunction, Type
from tailrace.expr.parse import parse
from tailrace.expr.scope import Scope
from tailrace.expr.values import Values

SCOPE = Scope({"total": Type.INTEGER, "mean": Type.DOUBLE, "host": Type.TEXT})
COLUMNS = {
    # 5, null, a sum that left 64 bits
    "total": Values(
        np.array([5, 0, 0]), np.array([True, False, False]), np.array([False, False, True])
    ),
    "mean": Values(np.array([0.5, np.nan, np.inf]), np.array([True, False, False])),
    "host": Values(np.array(["a", None, "c"], object), np.array([True, False, True])),
}
FAILED_MEASURES = [
    ("total > 3", [True, None, None], [False, False, True]),
    ("total + 1", [6, None, None], [False, False, True]),
    ("total > 3 and host = 'a'", [True, None, False], [False, False, False]),
    ("total > 3 or host = 'c'", [True, None, True], [False, False, False]),
    ("coalesce(total, 0)", [5, 0, 0], [False, False, False]),
    ("total is null", [False, True, True], [False, False, False]),
    ("mean * 1e308 * 1e308", [None, None, None], [True, False, False]),
    ("cast(mean as integer) + round(mean)", [1.0, None, None], [False, False, False]),
    ("case when total > 3 then host else 'z' end", ["a", "z", "z"], [False, False, False]),
    ("case when total > 9 then host end", [None, None, None], [False, False, True]),
    ("upper(host) || '!'", ["A!", None, "C!"], [False, False, False]),
    ("host in ('a', 'b')", [True, None, False], [False, False, False]),
]


@pytest.mark.parametrize(("text", "expected", "failed"), FAILED_MEASURES)
def test_failed_measures_go_on_failing(
    text: str, expected: list[object], failed: list[bool]
) -> None:
    found = evaluate(parse(text, SCOPE), COLUMNS, 3)
    shown = [v if ok else None for v, ok in zip(found.data.tolist(), found.is_valid, strict=True)]
    assert (shown, found.has_failed.tolist()) == (expected, failed)


@pytest.mark.parametrize("text", [case[0] for case in FAILED_MEASURES] + ["1", "host like 'a%'"])
def test_no_rows_give_no_rows(text: str) -> None:
    none = {name: Values(values.data[:0]) for name, values in COLUMNS.items()}
    assert len(evaluate(parse(text, SCOPE), none, 0)) == 0


@pytest.mark.parametrize("text", ["coalesce(total, 1)", "nullif(total, 5)", "least(total, 1)"])
def test_columns_are_left_as_they_are(text: str) -> None:
    before = [values.data.tolist() for values in COLUMNS.values()]
    evaluate(parse(text, SCOPE), COLUMNS, 3)
    assert [values.data.tolist() for values in COLUMNS.values()][::2] == before[::2]


def test_what_is_for_rows_only_is_refused() -> None:
    for node in (
        parse("regexp_matches(host, 'a')", SCOPE),
        Aggregate(type=Type.INTEGER, function=AggregateFunction.COUNT),
    ):
        with pytest.raises(ValueError, match=r"rows only|replaced"):
            evaluate(node, COLUMNS, 3)
