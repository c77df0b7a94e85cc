"""Rows of tables of real databases, and of SQLite: typed, by key or by marker, each once."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from sqlalchemy import make_url
from tests.services.sql.tables import ARCHIVE, Target
from tests.unit.outputs.samples import HOSTILE, rows_of

from tailrace.errors import HaltedError, OutputError, UnreachableError
from tailrace.outputs import Content, Form, OutboxBatch
from tailrace.outputs.addressing import addressed
from tailrace.outputs.batches import INSTANT
from tailrace.outputs.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.database import Database

pytestmark = pytest.mark.services
KINDS = ("postgresql", "mariadb", "sqlite")
SECOND = 1_000_000
AT = 1_767_225_600 * SECOND + 5
WHEN = datetime(2026, 1, 1, 0, 0, 0, 5)  # noqa: DTZ001 - as the databases give it
ROW = (AT, "/", 0.5, True, 7)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'rows.db'}"
    return str(request.getfixturevalue(kind).fresh_database())


@pytest.fixture
def empty(url: str, kind: str) -> str:
    """A database that exists and has no table."""
    if kind == "sqlite":
        Target(url).run("CREATE TABLE other (x integer)")
    return url


def plain(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """With instants as naive datetimes and booleans as such, however a driver gives them."""

    def value(one: Any) -> Any:
        if isinstance(one, datetime):
            return one.replace(tzinfo=None)
        if isinstance(one, str) and one.startswith("2026-01-01 "):
            return datetime.fromisoformat(one)
        return one

    return [tuple(value(one) for one in row) for row in rows]


def test_rows_have_types_and_their_id(url: str) -> None:
    target = Target(url).prepared()
    nulls = (AT, None, None, None, None)
    assert target.opened().deliver(target.batch(0, ROW, nulls)).refused == ()
    found = plain(target.run("SELECT id, seen, path, ms, ok, number FROM kept ORDER BY id"))
    assert found == [
        ("0-0", WHEN, "/", 0.5, True, 7),
        ("0-1", WHEN, None, None, None, None),
    ]


def test_text_is_what_it_was(url: str, kind: str) -> None:
    target = Target(url).prepared()
    # The first would end COPY in some versions of PostgreSQL.
    texts = [HOSTILE, "a\n\\.\nb", "\\.", "\\N", "", "null", "'; DROP TABLE kept; --", "%s", "\t"]
    rows = [(AT, text, None, None, None) for text in texts]
    assert target.opened().deliver(target.batch(0, *rows)).refused == ()
    found = [path for (path,) in target.run("SELECT path FROM kept ORDER BY id")]
    # No text of PostgreSQL has this character.
    kept = [t.replace("\0", "\ufffd") for t in texts] if kind == "postgresql" else texts
    assert found == kept


def test_a_row_replaces_the_one_of_its_id(url: str) -> None:
    target = Target(url).prepared()
    output = target.opened()
    for number in (1, 2):
        output.deliver(target.batch(number, (AT, "/", 0.5, True, number), ids=["same"]))
    again = target.batch(3, *((AT, "/", 0.5, True, n) for n in (3, 4)), ids=["same", "same"])
    assert output.deliver(again).refused == ()
    assert target.run("SELECT id, number FROM kept") == [("same", 4)]


def test_a_key_of_ones_own(url: str) -> None:
    target = Target(url, key="path").prepared()
    output = target.opened()
    rows = [(AT, path, 0.5, True, n) for n, path in enumerate(["a", "b", "a"])]
    assert output.deliver(target.batch(0, *rows)).refused == ()
    assert output.deliver(target.batch(1, (AT, "b", 0.5, True, 9))).refused == ()
    assert target.run("SELECT path, number FROM kept ORDER BY path") == [("a", 2), ("b", 9)]


WITHOUT_KEY = "CREATE TABLE kept (moment varchar(50), path varchar(9) NOT NULL, number bigint)"
MAPPED = {"moment": "seen", "path": "path", "number": "number"}


def test_a_table_without_a_key_gets_rows_once(empty: str) -> None:
    target = Target(empty, columns=MAPPED)
    target.run(WITHOUT_KEY)
    with pytest.raises(OutputError, match="tailrace_delivered"):
        target.opened()
    assert [step.state for step in target.steps()] == ["present", "missing"]
    target.prepared()
    output = target.made()
    begun = output.open(None)
    first = output.deliver(target.batch(4, ROW, ROW)).state
    assert target.count() == 2
    # The confirmation got lost.
    for saved in (begun, None):
        again = target.made()
        again.open(saved)
        assert again.deliver(target.batch(4, ROW, ROW)).state == first
        assert target.count() == 2
    again.deliver(target.batch(5, ROW))
    assert target.count() == 3


def test_refused_rows_are_told_again_when_the_confirmation_got_lost(empty: str) -> None:
    target = Target(empty, columns=MAPPED)
    target.run(WITHOUT_KEY)
    output = target.prepared().opened()
    batch = target.batch(0, ROW, (AT, None, 0.5, True, 1), ROW)
    receipts = [output.deliver(batch), target.opened().deliver(batch)]
    assert [[one.row for one in receipt.refused] for receipt in receipts] == [[1], [1]]
    assert receipts[0] == receipts[1]
    assert target.count() == 2


def test_a_marker_that_vanished_stops(empty: str) -> None:
    target = Target(empty, columns=MAPPED)
    target.run(WITHOUT_KEY)
    output = target.prepared().opened()
    state = output.deliver(target.batch(0, ROW)).state
    target.run("DELETE FROM tailrace_delivered")
    with pytest.raises(HaltedError):
        output.deliver(target.batch(1, ROW))
    with pytest.raises(HaltedError) as error:
        target.made().open(state)
    statement = error.value.render().partition("that they are: ")[2]
    target.run(statement)
    again = target.made()
    again.open(state)
    again.deliver(target.batch(1, ROW))
    assert target.count() == 2


def test_refused_rows_leave_the_others_in(empty: str, kind: str) -> None:
    target = Target(empty)
    short = "varchar(4)" if kind != "sqlite" else "varchar(4) CHECK (length(path) <= 4)"
    target.run(
        f"CREATE TABLE kept (id varchar(32) PRIMARY KEY, seen varchar(50), path {short},"
        " ms double precision, ok boolean, number integer CHECK (number <> 13))"
    )
    rows = [
        (AT, "long!" if n in (0, 40) else "/", 0.5, True, 13 if n == 99 else n) for n in range(100)
    ]
    receipt = target.opened().deliver(target.batch(0, *rows))
    assert [one.row for one in receipt.refused] == [0, 13, 40, 99]
    assert all(one.reason for one in receipt.refused)
    assert target.count() == 96


@pytest.mark.parametrize("content", Content)
def test_rows_of_every_content(url: str, content: Content) -> None:
    rows = rows_of(content, Form.TYPED)
    keys: dict[str, pa.DataType] = {}
    values: dict[str, pa.DataType] = {}
    if content in (Content.WINDOWS, Content.ARCHIVE):
        own = [c for c in rows.schema if c.name not in ("window_start", "window_end")]
        values = {column.name: column.type for column in own}
    target = Target(url, Shape(content, "flood", keys, values)).prepared()
    ids = pa.array([f"{n}" for n in range(rows.num_rows)])
    times = pa.array([AT] * rows.num_rows, pa.int64()).cast(INSTANT)
    receipt = target.opened().deliver(OutboxBatch(0, addressed(rows, ids, times, {}, {})))
    assert receipt.refused == ()
    assert target.count() == rows.num_rows
    assert target.steps()[0].state == "present"


def test_a_missing_table(empty: str) -> None:
    target = Target(empty)
    with pytest.raises(OutputError, match="there is no table kept") as error:
        target.opened()
    assert "tailrace init" in error.value.render()
    steps = target.steps()
    assert [step.state for step in steps] == ["missing"]
    for _ in range(2):
        target.preparation.create(steps[0])
    assert [step.state for step in target.steps()] == ["present"]


def test_a_table_that_differs(empty: str, kind: str) -> None:
    target = Target(empty)
    target.run(
        "CREATE TABLE kept (id varchar(32) PRIMARY KEY, seen varchar(50), path integer,"
        " ok boolean, number bigint, extra integer, due integer NOT NULL)"
    )
    with pytest.raises(OutputError, match="doesn't fit") as error:
        target.opened()
    said = error.value.render()
    for part in ("path is int", "ms is missing (double)", "due needs a value", "init --plan"):
        assert part in said
    assert "extra" not in said
    (step,) = target.steps()
    assert step.state == "differs"
    assert len(step.by_hand) == 3
    # What is printed can be run as it is.
    done = [part for line in step.by_hand for part in line.split(";") if part.strip()]
    target.run(*(part for part in done if not part.startswith("--")))
    if kind != "postgresql":
        target.run("DROP TABLE kept", "CREATE TABLE kept AS SELECT 1 AS x", "DROP TABLE kept")
        return
    assert target.steps()[0].state == "present"
    assert target.opened().deliver(target.batch(0, ROW)).refused == ()


def test_names_are_quoted(empty: str, kind: str) -> None:
    name = 'select "x" 100%\'s' if kind != "mariadb" else "select `x` 100%'s"
    shape = Shape(Content.ARCHIVE, values={"path": pa.string(), "number": pa.int64()})
    target = Target(
        empty, shape, table=name, columns={'a%"b': "path", "order": "number", "id": "id"}
    )
    target.prepared()
    output = target.opened()
    assert output.deliver(target.batch(0, ROW)).refused == ()
    assert output.deliver(target.batch(0, ROW)).refused == ()
    assert [step.state for step in target.steps()] == ["present"]


def test_a_schema_of_its_own(kind: str, empty: str) -> None:
    schema = {"postgresql": "logs", "sqlite": "main"}.get(kind) or empty.rpartition("/")[2]
    if kind == "postgresql":
        Target(empty).run("CREATE SCHEMA logs")
    target = Target(empty, table=f"{schema}.kept").prepared()
    assert target.opened().deliver(target.batch(0, ROW)).refused == ()
    assert target.count() == 1


def test_rows_with_an_id_of_their_own(url: str) -> None:
    values = {"id": pa.int64(), **ARCHIVE.values}
    target = Target(url, Shape(Content.ARCHIVE, values=values)).prepared()
    batch = target.batch(0, ROW)
    rows = batch.rows.append_column("id", pa.array([42], pa.int64()))
    target.opened().deliver(
        OutboxBatch(0, rows.replace_schema_metadata(batch.rows.schema.metadata))
    )
    assert target.run("SELECT tailrace_id, id FROM kept") == [("0-0", 42)]


def test_columns_that_rows_do_not_have(url: str) -> None:
    with pytest.raises(OutputError, match="rows have no column 'nope'") as error:
        Target(url, columns={"a": "nope"}).made()
    assert "tailrace_time" in error.value.render()


def test_rules_that_disagree_on_a_type(url: str) -> None:
    one = Shape(Content.WINDOWS, "a", values={"n": pa.int64()})
    other = Shape(Content.WINDOWS, "b", values={"n": pa.float64()})
    with pytest.raises(OutputError, match="'n' would be integer in rows of a"):
        Target(url, one, other).made()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.usefixtures("kind")
def test_wrong_password(url: str) -> None:
    wrong = url.replace(":tailrace@", ":mistake@")
    with pytest.raises(OutputError, match="refuses") as error:
        Target(wrong).opened()
    assert not isinstance(error.value, UnreachableError)
    assert "mistake" not in error.value.render()
    assert Target(wrong, password="mistake").config.sql is not None  # noqa: S106
    right = Target(url.replace(":tailrace@", "@"), password="tailrace")  # noqa: S106
    right.prepared().opened()


@pytest.fixture
def elsewhere(url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database, with a name that takes quoting, that nobody has made."""
    name = f"{make_url(url).database} 100%"
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    server = request.getfixturevalue(request.getfixturevalue("kind"))
    quote = {"postgresql": '"', "mariadb": "`"}[server.name]
    server.run(f"DROP DATABASE IF EXISTS {quote}{name}{quote}")


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.usefixtures("kind")
def test_a_database_that_is_not_there_is_made(elsewhere: str) -> None:
    target = Target(elsewhere)
    with pytest.raises(OutputError, match=r"there is no database .* 100% at .*127") as caught:
        target.opened()
    assert "tailrace init" in caught.value.render()
    made = [step.target.split()[0] for step in target.steps() if step.state == "missing"]
    assert made == ["database", "table"]
    database = target.steps()[0]
    assert target.prepared().count() == 0
    target.preparation.create(database)
    assert [step.state for step in target.steps()] == ["present"]


def test_a_database_that_may_not_be_made(postgresql: Database) -> None:
    name = f"nobody_{uuid.uuid4().hex[:12]}"
    postgresql.run(f"CREATE USER {name} PASSWORD '{name}'")
    url = make_url(postgresql.url).set(username=name, password=name, database="gone")
    target = Target(url.render_as_string(hide_password=False))
    try:
        with pytest.raises(OutputError, match="refuses: permission denied") as caught:
            target.prepared()
    finally:
        postgresql.run(f"DROP USER {name}")
    assert f":{name}@" not in caught.value.render()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.usefixtures("kind")
def test_nobody_there(url: str) -> None:
    begin, _, rest = url.rpartition("@")
    nobody = f"{begin}@127.0.0.1:9/{rest.rpartition('/')[2]}"
    with pytest.raises(UnreachableError) as error:
        Target(nobody).opened()
    assert ":tailrace@" not in error.value.render()


def test_a_large_batch(url: str) -> None:
    target = Target(url).prepared()
    rows = [(AT + n, f"/{n}", n / 8, n % 2 == 0, n) for n in range(25_000)]
    assert target.opened().deliver(target.batch(0, *rows)).refused == ()
    found = target.run("SELECT count(*), min(number), max(number), sum(ms) FROM kept")
    assert found == [(25_000, 0, 24_999, sum(n / 8 for n in range(25_000)))]


def test_an_older_copy_of_the_store_stops(empty: str) -> None:
    target = Target(empty, columns=MAPPED)
    target.run(WITHOUT_KEY)
    output = target.prepared().opened()
    older = output.deliver(target.batch(4, ROW)).state
    output.deliver(target.batch(5, ROW))
    copy: Any = target.made()
    copy.expect(4)
    with pytest.raises(HaltedError, match="older copy") as error:
        copy.open(older)
    target.run(error.value.render().partition("makes them: ")[2])
    copy.open(older)
    copy.deliver(target.batch(5, ROW))
    assert target.count() == 3
