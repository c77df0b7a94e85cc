"""References in PostgreSQL, MariaDB and SQLite: rows, word of changes, tables made and seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import NullPool, create_engine, text
from tests.services.references.watched import came, loaded, reference, rows, watching

from tailrace.engines.references.seeding import Seeding
from tailrace.engines.references.watching import Watcher
from tailrace.errors import TableError
from tailrace.outputs.preparing import StepState

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.services
KINDS = ("postgresql", "mariadb", "sqlite")
COLUMNS = {"name": "text", "value": "integer", "since": "time"}
SEED = [
    {"name": "Minimum", "value": "1024", "since": "2019-10-20T22:56:44Z"},
    {"name": "Maximum", "value": "1073741824", "since": "2019-10-20T22:56:44Z"},
]
DAY = 1_571_612_204_000_000


class Place:
    """A database of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *statements: str) -> list[Any]:
        found: list[Any] = []
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.connect() as connection:
            for statement in statements:
                result = connection.execute(text(statement.replace(":", "\\:")))
                found = list(result) if result.returns_rows else []
            connection.commit()
        engine.dispose()
        return found


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        made = Place(f"sqlite:///{tmp_path / 'r.db'}")
        made.run("CREATE TABLE made (x integer)")
        return made
    return Place(request.getfixturevalue(request.param).fresh_database())


def limits(place: Place, **more: Any) -> dict[str, Any]:
    sql = {"url": place.url, "table": "limits", **more.pop("sql", {})}
    return {"sql": sql, "columns": COLUMNS, "key": "name", "valid_from": "since", **more}


def test_rows_of_a_table_and_of_a_query(place: Place) -> None:
    place.run(
        "CREATE TABLE limits (name varchar(20), value varchar(20), since timestamp, other integer)",
        "INSERT INTO limits VALUES ('max', '7', '2019-10-20 22:56:44', 1)",
        "INSERT INTO limits VALUES ('100%', NULL, '2019-10-20 22:56:44', 2)",
    )
    assert loaded(**limits(place)) == [
        {"name": "100%", "value": None, "since": DAY},
        {"name": "max", "value": 7, "since": DAY},
    ]
    query = "select name, value, since from limits where other = 1 and name like 'm%'"
    given = limits(place)
    given["sql"] = {"url": place.url, "query": query}
    assert [row["name"] for row in loaded(**given)] == ["max"]


NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n"
)
FAILS = {
    "postgresql": "1 / (800 - i)",
    "mariadb": "cast(18446744073709550815 as unsigned) + i",
    "sqlite": "abs(-9223372036854775808 + 800 - i)",
}
"""What can't be computed of the eight hundredth row, or the one behind it."""


@pytest.mark.parametrize("form", ["table", "query"])
def test_no_more_rows_are_asked_for_than_are_allowed(place: Place, form: str) -> None:
    kind = next((name for name in FAILS if place.url.startswith(name)), "mariadb")
    place.run("CREATE TABLE numbers (i integer)", f"INSERT INTO numbers {NUMBERS}")
    query = f"SELECT i, {FAILS[kind]} AS x FROM numbers"
    place.run(f"CREATE VIEW many AS {query}")
    sql = {"url": place.url, form: "many" if form == "table" else query}
    given = {"sql": sql, "key": "i", "columns": {"i": "integer", "x": "text"}}
    with pytest.raises(TableError, match="11 rows, more than max_rows"):
        loaded(**given, max_rows=10)
    with pytest.raises(TableError, match="says: "):
        loaded(**given)


def test_the_first_row_is_the_same_whatever_order_they_come_in(place: Place) -> None:
    place.run("CREATE TABLE users (id integer, device varchar(20))")
    place.run("INSERT INTO users VALUES (1, 'b'), (1, 'c'), (1, 'a'), (2, 'd')")
    given = {"key": "id", "columns": {"id": "integer", "device": "text"}, "duplicates": "first"}

    def device(**sql: str) -> object:
        return loaded(sql={"url": place.url, **sql}, **given)[0]["device"]

    assert device(table="users") == "a"
    assert device(query="SELECT id, device FROM users") == "a"
    inner = "SELECT id, device FROM (SELECT * FROM users ORDER BY device DESC LIMIT 9) AS u"
    assert device(query=inner) == "a"
    assert device(query="SELECT id, device FROM users order  by lower(device) desc") == "c"


def test_queries_with_a_column_twice_and_with_a_semicolon(place: Place) -> None:
    place.run("CREATE TABLE users (id integer)", "INSERT INTO users VALUES (1)")
    given = {"key": "id", "columns": {"id": "integer"}}
    with pytest.raises(TableError, match="the column 'id' is there 2 times"):
        loaded(sql={"url": place.url, "query": "SELECT id, 2 AS id FROM users"}, **given)
    assert loaded(sql={"url": place.url, "query": "SELECT id FROM users;"}, **given) == [{"id": 1}]


def test_what_cannot_be_loaded_is_told_without_the_password(place: Place) -> None:
    with pytest.raises(TableError) as raised:
        loaded(**limits(place))
    assert "tailrace:tailrace" not in str(raised.value)
    place.run("CREATE TABLE limits (name varchar(20))")
    with pytest.raises(TableError, match="reference 'r'"):
        loaded(**limits(place))


def test_init_makes_the_table_and_seeds_it_once(place: Place) -> None:
    seeding = Seeding("limits", reference(**limits(place, seed=SEED)))
    states = [step.state for step in seeding.inspect()]
    assert states == [StepState.MISSING, StepState.MISSING]
    for step in seeding.inspect():
        seeding.create(step)
    assert [row["value"] for row in loaded(**limits(place))] == [1073741824, 1024]
    assert {row["since"] for row in loaded(**limits(place))} == {DAY}
    for step in seeding.inspect():
        assert step.state is StepState.PRESENT
        seeding.create(step)
    assert len(place.run("SELECT * FROM limits")) == 2


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_init_makes_the_database_too(kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(kind)
    place = Place(f"{server.fresh_database()}_too")
    seeding = Seeding("limits", reference(**limits(place, seed=SEED)))
    steps = seeding.inspect()
    assert [step.target.split()[0] for step in steps] == ["database", "table", "rows"]
    try:
        for step in steps:
            seeding.create(step)
        assert len(loaded(**limits(place))) == 2
    finally:
        server.run(f"DROP DATABASE {place.url.rpartition('/')[2]}")


def test_init_changes_nothing_that_is_there(place: Place) -> None:
    place.run("CREATE TABLE limits (name varchar(20), value integer)")
    seeding = Seeding("limits", reference(**limits(place, seed=SEED)))
    (step,) = seeding.inspect()
    assert step.state is StepState.DIFFERS
    assert "since" in step.by_hand[0]
    place.run(
        "DROP TABLE limits",
        "CREATE TABLE limits (name varchar(20), value integer, since timestamp)",
        "INSERT INTO limits VALUES ('mine', 1, '2019-10-20 22:56:44')",
    )
    assert [step.state for step in seeding.inspect()] == [StepState.PRESENT] * 2
    for step in seeding.inspect():
        seeding.create(step)
    assert len(place.run("SELECT * FROM limits")) == 1


def test_it_is_asked_again_and_again(place: Place) -> None:
    place.run(
        "CREATE TABLE limits (name varchar(20), value integer, since timestamp)",
        "INSERT INTO limits VALUES ('max', 1, '2019-10-20 22:56:44')",
    )
    with watching(**limits(place, refresh="100ms")) as watcher:
        place.run("UPDATE limits SET value = 2")
        assert came(watcher, [{"name": "max", "value": 2, "since": DAY}])
        place.run("DELETE FROM limits")
        place.run("INSERT INTO limits VALUES ('max', 3, '2019-10-20 22:56:44')")
        assert came(watcher, [{"name": "max", "value": 3, "since": DAY}])


def test_postgresql_notifies(request: pytest.FixtureRequest) -> None:
    place = Place(request.getfixturevalue("postgresql").fresh_database())
    place.run(
        "CREATE TABLE limits (name text, value integer, since timestamptz)",
        "INSERT INTO limits VALUES ('max', 1, '2019-10-20 22:56:44Z')",
    )
    given = limits(place, refresh="off", sql={"channel": "changed-limits"})
    with watching(**given) as watcher:
        # What was loaded as it began to listen may be the same rows once more.
        place.run("UPDATE limits SET value = 2", 'NOTIFY "changed-limits"')
        assert came(watcher, [{"name": "max", "value": 2, "since": DAY}])


def test_a_server_that_is_gone_and_comes_back(request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgresql")
    place = Place(server.fresh_database())
    place.run(
        "CREATE TABLE limits (name text, value integer, since timestamptz)",
        "INSERT INTO limits VALUES ('max', 1, '2019-10-20 22:56:44Z')",
    )
    watcher = Watcher("r", reference(**limits(place)))
    first = watcher.load()
    assert first is not None
    server.kill()
    assert watcher.load() is None
    assert "tailrace:tailrace" not in str(watcher.error)
    server.start()
    again = watcher.load()
    assert again is not None
    assert rows(again) == rows(first)
    assert watcher.error is None
