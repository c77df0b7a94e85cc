"""Arrow columns as fields: which types fit, what becomes of single wrong values."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.unit.api.pipelines import pipeline

from tailrace import Pipeline, SourceError

TEXT = """
name: typed
source: {{stdin: {{}}}}
time: {{field: at, zone: Europe/Berlin{time}}}
fields: {{value: {field}}}
rules:
  - alert: each
    when: true
"""


def run(field: str, values: Any, at: Any = None, time: str = "") -> tuple[list[Any], list[str]]:
    """The values of the events, and the reasons of the dead letters."""
    import json

    at = pa.array([0] * len(values)) if at is None else at
    table = pa.table({"value": values, "at": at})
    result = Pipeline.parse(TEXT.format(field=field, time=time)).run(tables=table)
    fields = [json.loads(text)["value"] for text in result.alerts["fields"].to_pylist()]
    return fields, result.dead_letters["reason"].to_pylist()


S = pa.string()
GOOD: list[tuple[str, pa.Array, list[Any]]] = [
    ("text", pa.array(["a", None]), ["a", None]),
    ("text", pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
    ("text", pa.array(["a"], pa.large_string()), ["a"]),
    ("text", pa.array(["a"], pa.string_view()), ["a"]),
    ("text", pa.nulls(2), [None, None]),
    ("integer", pa.array([1, None], pa.int8()), [1, None]),
    ("integer", pa.array([2**63 - 1], pa.uint64()), [2**63 - 1]),
    ("integer", pa.array([7.0, None]), [7, None]),
    ("integer", pa.nulls(1), [None]),
    ("double", pa.array([1, 2], pa.int32()), [1.0, 2.0]),
    ("double", pa.array([-0.0, 0.5], pa.float32()), [0.0, 0.5]),
    ("double", pa.array([Decimal("1.5")]), [1.5]),
    ("boolean", pa.array([True, None]), [True, None]),
    ("time", pa.array([1_500], pa.timestamp("ns", "UTC")), ["1970-01-01T00:00:00.000001Z"]),
    ("time", pa.array([-1], pa.timestamp("ns", "UTC")), ["1969-12-31T23:59:59.999999Z"]),
    ("time", pa.array([1], pa.timestamp("s", "Asia/Tokyo")), ["1970-01-01T00:00:01.000Z"]),
    ("time", pa.array([datetime(2024, 7, 1, 2)]), ["2024-07-01T00:00:00.000Z"]),  # noqa: DTZ001
    ("time", pa.array([datetime(2024, 10, 27, 2, 30)]), ["2024-10-27T00:30:00.000Z"]),  # noqa: DTZ001 - the hour that is there twice
    ("time", pa.array([date(2024, 1, 2)]), ["2024-01-01T23:00:00.000Z"]),
    ("time", pa.array(["2024-01-02T03:04:05Z"]), ["2024-01-02T03:04:05.000Z"]),
    ("time", pa.array([1.5]), ["1970-01-01T00:00:01.500Z"]),
]


@pytest.mark.parametrize(("field", "values", "expected"), GOOD)
def test_good(field: str, values: pa.Array, expected: list[Any]) -> None:
    assert run(field, values) == (expected, [])


BAD: list[tuple[str, pa.Array, str]] = [
    ("integer", pa.array([2**63], pa.uint64()), "value: an integer beyond 64 bits: '92233"),
    ("integer", pa.array([0.5]), "value: not an integer: '0.5'"),
    ("integer", pa.array([1e19]), "value: not an integer"),
    ("integer", pa.array([math.nan]), "value: not an integer: 'nan'"),
    ("double", pa.array([math.nan]), "value: not a number: 'nan'"),
    ("double", pa.array([-math.inf]), "value: not a number: '-inf'"),
    ("double", pa.array([2e18]), "value: a number beyond 1e18"),
    ("{type: integer, required: true}", pa.array([None], pa.int64()), "value: missing"),
    ("{type: integer, max: 5}", pa.array([6]), "value: above max 5: '6'"),
    ("{type: double, min: 0}", pa.array([-0.5]), "value: below min 0"),
    ("time", pa.array([2**62], pa.timestamp("us", "UTC")), "value: outside the years"),
    ("time", pa.array(["soon"]), "value: not a time: 'soon'"),
]


@pytest.mark.parametrize(("field", "values", "reason"), BAD)
def test_bad(field: str, values: pa.Array, reason: str) -> None:
    """The row is a dead letter; its neighbour is not."""
    neighbour = pa.array([None if "required" not in field else 1], values.type)
    found, reasons = run(field, pa.concat_arrays([values, neighbour]))
    assert len(found) == 1
    assert len(reasons) == 1
    assert reasons[0].startswith(reason)


REFUSED: list[tuple[str, pa.Array]] = [
    ("text", pa.array([1])),
    ("text", pa.array([b"x"])),
    ("integer", pa.array(["1"])),
    ("integer", pa.array([True])),
    ("double", pa.array(["1"])),
    ("boolean", pa.array([1])),
    ("time", pa.array([True])),
    ("time", pa.array([timedelta(1)])),
]


@pytest.mark.parametrize(("field", "values"), REFUSED)
def test_refused(field: str, values: pa.Array) -> None:
    with pytest.raises(
        SourceError, match=f"column 'value' is .*, which is no field of type {field}"
    ):
        run(field, values)


def test_times() -> None:
    """The event time by ``time.format``, and its own dead letters."""
    at = pa.array([1_000, None, 2_000])
    found, reasons = run("text", pa.array(["a", "b", "c"]), at, ", format: epoch_ms")
    assert (found, reasons) == (["a", "c"], ["at: missing"])


def test_future_times() -> None:
    table = pa.table({"at": [0, 9000], "seen": [0, None], "value": ["a", "b"]})
    text = TEXT.format(field="text", time=", arrival: seen")
    assert Pipeline.parse(text).run(tables=table).counts["dead"].to_pylist() == [0]
    table = pa.table({"at": [0, 9000], "seen": [0, 10], "value": ["a", "b"]})
    result = Pipeline.parse(text).run(tables=table)
    assert result.dead_letters["code"].to_pylist() == ["future_time"]


def test_raw_is_the_row() -> None:
    table = pa.table({"at": [0], "value": [0.5]})
    result = Pipeline.parse(TEXT.format(field="integer", time="")).run(tables=table)
    assert result.dead_letters["raw"].to_pylist() == [b'{"at": 0, "value": 0.5}']


def test_moments_of_results_are_utc() -> None:
    table = pa.table(
        {"at": [0], "client_ip": ["x"], "status": [418], "took": [1.0], "cached": [True]}
    )
    assert pipeline().run(tables=table).alerts["time"].to_pylist() == [
        datetime(1970, 1, 1, tzinfo=UTC)
    ]
