"""Looking a key up: found however many others there are, whatever types its fields have."""

import json

import duckdb
import pytest

from tailrace.engines.lookup import MOST_ROWS, entries, matching, statement
from tailrace.outputs.rows import dumps

LISTS = {"bots": ("account",), "pairs": ("ip", "n"), "odd": ("k",)}

ROWS: list[tuple[str, dict[str, object]]] = [
    ("bots", {"account": number}) for number in range(MOST_ROWS * 2, -1, -1)
]  # the one that is asked for stands behind thousands that look like it
ROWS += [
    ("odd", {"k": "7"}),
    ("odd", {"k": "k=7"}),
    ("odd", {"k": "a\"b'é"}),
    ("odd", {"k": True}),
    ("odd", {"k": None}),
    ("odd", {"k": 1.5}),
    ("odd", {"k": "{}"}),
    ("pairs", {"ip": "a", "n": 7}),
    ("pairs", {"ip": "a", "n": "x=y"}),
]

CASES = [
    (["7"], "bots", [{"account": 7}]),
    (["7"], None, [{"account": 7}, {"k": "7"}]),
    (["account=7"], None, [{"account": 7}]),
    (["k=7"], "odd", [{"k": "7"}, {"k": "k=7"}]),
    (["07"], None, []),
    (["a\"b'é"], None, [{"k": "a\"b'é"}]),
    (["true"], None, [{"k": True}]),
    (["null"], None, [{"k": None}]),
    (["1.5"], None, [{"k": 1.5}]),
    (["{}"], None, [{"k": "{}"}]),
    (["n=7", "ip=a"], None, [{"ip": "a", "n": 7}]),
    (["ip=a", "n=x=y"], None, [{"ip": "a", "n": "x=y"}]),
    (["ip=a"], None, []),
    (["ip=a", "ip=a"], None, []),
    (["7"], "nothing", []),
]


@pytest.fixture(scope="module")
def store() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create table verdicts (verdict varchar, key varchar, body varchar)")
    table = [(name, dumps(key), json.dumps({"verdict": name, "key": key})) for name, key in ROWS]
    columns = [list(column) for column in zip(*table, strict=True)]
    connection.execute("insert into verdicts select unnest(?), unnest(?), unnest(?)", columns)
    return connection


@pytest.mark.parametrize(("texts", "name", "expected"), CASES)
def test_found(
    store: duckdb.DuckDBPyConnection,
    texts: list[str],
    name: str | None,
    expected: list[dict[str, object]],
) -> None:
    rows = store.execute(statement(texts, LISTS, name)).fetchmany(MOST_ROWS)
    assert [one.key for one in matching(entries(row[0] for row in rows), texts)] == expected
