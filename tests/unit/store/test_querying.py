import threading

import duckdb
import pytest

from tailrace.errors import StoreError
from tailrace.store.querying import Bounds, read


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"enable_external_access": False})
    connection.execute("create table t as select range as a from range(10)")
    connection.execute("create sequence s")
    return connection


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select a from t where a > 7", [{"a": 8}, {"a": 9}]),
        ("from t limit 1;", [{"a": 0}]),
        ("with u as (select 1 as x) from u", [{"x": 1}]),
        ("select 1 as x, 2 as x", None),
        ("describe t", None),
        ("show tables", [{"name": "t"}]),
        ("summarize t", None),
        ("values (1)", None),
    ],
)
def test_statements_that_read(
    connection: duckdb.DuckDBPyConnection, sql: str, rows: list[dict[str, object]] | None
) -> None:
    answer = read(connection, sql)
    assert not answer.cut
    assert answer.rows.num_rows > 0
    if rows is not None:
        assert answer.rows.to_pylist() == rows


@pytest.mark.parametrize(
    "sql",
    [
        "insert into t values (1)",
        "with x as (insert into t values (1) returning a) select * from x",
        "with x as (delete from t returning a) select count(*) from x",
        "select nextval('s')",
        "drop table t",
        "create table u as select 1",
        "copy t to 'x.csv'",
        "attach 'x.db'",
        "set threads = 1",
        "begin",
        "select 1; drop table t",
        "",
        "selct 1",
        "select * from missing",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/hostname'",
        "select * from glob('*')",
        "select * from connection",
    ],
)
def test_nothing_else_is_done(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    with pytest.raises(StoreError):
        read(connection, sql)
    assert connection.execute("select count(*), sum(a) from t").fetchall() == [(10, 45)]
    assert connection.execute("select nextval('s')").fetchall() == [(1,)]


def test_more_rows_than_the_bound(connection: duckdb.DuckDBPyConnection) -> None:
    answer = read(connection, "select range from range(1000000000)", Bounds(rows=10))
    assert answer.cut
    assert answer.rows["range"].to_pylist() == list(range(10))


def test_exactly_as_many_rows_as_the_bound(connection: duckdb.DuckDBPyConnection) -> None:
    answer = read(connection, "from t order by a", Bounds(rows=10))
    assert not answer.cut
    assert answer.rows.num_rows == 10


def test_more_bytes_than_the_bound(connection: duckdb.DuckDBPyConnection) -> None:
    answer = read(
        connection, "select repeat('x', 1000) as x from range(1000000)", Bounds(bytes=10 << 20)
    )
    assert answer.cut
    assert 0 < answer.rows.nbytes <= 10 << 20


def test_a_query_that_takes_too_long(connection: duckdb.DuckDBPyConnection) -> None:
    endless = "with recursive r(i) as (select 1 union all select i + 1 from r) select max(i) from r"
    with pytest.raises(StoreError, match="took over"):
        read(connection, endless, Bounds(seconds=0.2))
    assert read(connection, "from t").rows.num_rows == 10


def test_no_thread_outlives_an_answer(connection: duckdb.DuckDBPyConnection) -> None:
    before = threading.active_count()
    for _ in range(100):
        read(connection, "select 1")
        assert threading.active_count() == before
