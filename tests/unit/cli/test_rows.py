import json
import math
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from tailrace.cli.rows import csv_lines, json_lines, table_lines

TABLE = pa.table(
    {
        "key": ["a", "b\x1b[2J\nc", None],
        "n": [1, 22, 3],
        "mean": [0.5, math.nan, None],
        "at": pa.array([0, 1_500_000, None], pa.timestamp("us", "UTC")),
        "raw": [b"\xff\x00", b"ok", None],
        "sum": pa.array([Decimal(2**100), Decimal(1), None], pa.decimal128(38, 0)),
        "flags": [["x"], [], None],
    }
)


def test_a_table_for_people() -> None:
    assert list(table_lines(TABLE.select(["key", "n"]))) == [
        "key             n",
        "-----------------",
        "a               1",
        "b\\x1b[2J\\x0ac  22",
        "null            3",
        "(3 rows)",
    ]


def test_no_control_character_in_a_table() -> None:
    assert all(line.isprintable() for line in table_lines(TABLE))


def test_an_empty_table() -> None:
    assert list(table_lines(TABLE.select(["n"]).slice(0, 0))) == ["n", "-", "(0 rows)"]


def test_one_row() -> None:
    assert list(table_lines(TABLE.select(["n"]).slice(0, 1)))[-1] == "(1 row)"


def test_long_values_are_cut() -> None:
    (_, _, row, _) = table_lines(pa.table({"a": ["x" * 1000]}))
    assert len(row) == 200


@pytest.mark.parametrize(("escaped", "cell"), [(False, '"b\x1b[2J\nc"'), (True, "b\\x1b[2J\\x0ac")])
def test_csv(escaped: bool, cell: str) -> None:
    header, first, second, third = csv_lines(TABLE.select(["key", "n", "at"]), escaped=escaped)
    assert header == "key,n,at"
    assert first == "a,1,1970-01-01 00:00:00Z"
    assert second == f"{cell},22,1970-01-01 00:00:01.500000Z"
    assert third == ",3,"


def test_json() -> None:
    rows = [json.loads(line) for line in json_lines(TABLE, ascii_only=False)]
    assert rows[0] == {
        "key": "a",
        "n": 1,
        "mean": 0.5,
        "at": "1970-01-01T00:00:00Z",
        "raw": "\\xff\x00",
        "sum": 2**100,
        "flags": ["x"],
    }
    assert rows[1]["mean"] is None
    assert rows[2] == dict.fromkeys(TABLE.column_names, None) | {"n": 3}


def test_json_for_a_terminal_is_ascii() -> None:
    line = next(json_lines(pa.table({"a": ["\x9bé"]}), ascii_only=True))
    assert line == '{"a":"\\u009b\\u00e9"}'


def test_times_without_a_zone_have_none() -> None:
    table = pa.table({"at": [datetime(2024, 5, 1, tzinfo=UTC).replace(tzinfo=None)]})
    assert next(json_lines(table, ascii_only=False)) == '{"at":"2024-05-01T00:00:00"}'
