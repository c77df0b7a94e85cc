"""The servers that the tests start: they keep what they confirmed, and can be broken and mended."""

import pytest
from sqlalchemy.exc import OperationalError
from tests.servers.database import Database

SERVERS = ("postgresql", "mariadb")


@pytest.fixture(params=SERVERS)
def database(request: pytest.FixtureRequest) -> Database:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, Database)
    return server


def test_keeps_rows_when_killed(database: Database) -> None:
    url = database.fresh_database()
    database.run("CREATE TABLE kept (number integer PRIMARY KEY)", url)
    database.run("INSERT INTO kept VALUES (1), (2)", url)
    database.kill()
    assert not database.answers()
    database.start()
    assert database.run("SELECT number FROM kept ORDER BY number", url) == [(1,), (2,)]


def test_stopped_with_a_client_and_restarted(database: Database) -> None:
    with database.engine().connect():
        database.restart()
    assert database.answers()


def test_paused_and_resumed(database: Database) -> None:
    database.pause()
    assert not database.answers()
    database.resume()
    assert database.answers()


def test_wrong_password(database: Database) -> None:
    wrong = database.url.replace(":tailrace@", ":wrong@")
    with pytest.raises(OperationalError, match=r"(?i)password"):
        database.run("SELECT 1", wrong)
