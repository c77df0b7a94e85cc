"""Connections for calculations: of one database, and strangers to each other."""

import os
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import pytest

from tailrace import calculator


def test_a_table_is_its_connections_own() -> None:
    connections = [calculator.connect() for _ in range(3)]
    for number, connection in enumerate(connections[:2]):
        connection.register("rows", pa.table({"n": [number]}))
    assert [each.sql("select n from rows").fetchall() for each in connections[:2]] == [
        [(0,)],
        [(1,)],
    ]
    with pytest.raises(duckdb.CatalogException):
        connections[2].sql("select n from rows")


@pytest.mark.parametrize(
    ("name", "value"),
    [("TimeZone", "UTC"), ("threads", 1), ("enable_external_access", False)],
)
def test_settings_are_made_once_and_stay(name: str, value: object) -> None:
    connection = calculator.connect()
    assert connection.execute(f"select current_setting('{name}')").fetchone() == (value,)
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        connection.execute(f"set {name} = '{value}'")


def test_threads_calculate_at_the_same_time() -> None:
    def total(number: int) -> int:
        connection = calculator.connect()
        connection.register("rows", pa.table({"n": range(number * 50_000)}))
        (found,) = connection.sql("select count(distinct n) from rows").fetchall()
        return int(found[0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(total, range(1, 9))) == [n * 50_000 for n in range(1, 9)]


def test_a_forked_process_opens_its_own() -> None:
    before = calculator.connect()
    child = os.fork()
    if not child:
        answer = calculator.connect().execute("select 40 + 2").fetchone()
        os._exit(answer[0] if answer else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert before.execute("select 1").fetchone() == (1,)
