"""Rows while a database or Tailrace breaks: none lost, none twice, none different."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import NullPool, create_engine, inspect, text
from tests.services.running import OUTPUTS, Running, disturbed
from tests.services.sql.tables import Target

from tailrace.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.database import Database
    from tests.services.running import Contents

pytestmark = pytest.mark.services
AT = 1_767_225_600_000_000
ROW = (AT, "/", 0.5, True, 7)
WITHOUT_KEY = "CREATE TABLE kept (path varchar(9), number bigint)"
MAPPED = {"path": "path", "number": "number"}


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


def targets(url: str, **options: Any) -> list[Target]:
    """One table with a key, one without."""
    keyed = Target(url, table="keyed", **options)
    without = Target(url, columns=MAPPED, **options)
    without.run(WITHOUT_KEY)
    return [target.prepared() for target in (keyed, without)]


def test_a_server_that_is_killed_and_comes_back(server: Database) -> None:
    for target in targets(server.fresh_database()):
        output = target.opened()
        output.deliver(target.batch(0, ROW))
        server.kill()
        with pytest.raises(UnreachableError):
            output.deliver(target.batch(1, ROW, ROW))
        server.start()
        assert output.deliver(target.batch(1, ROW, ROW)).refused == ()
        assert target.count() == 3


def test_a_connection_that_went_stale_is_replaced(server: Database) -> None:
    for target in targets(server.fresh_database()):
        output = target.opened()
        output.deliver(target.batch(0, ROW))
        server.restart()
        output.deliver(target.batch(1, ROW))
        assert target.count() == 2


def test_a_server_that_is_paused_past_the_timeout(server: Database) -> None:
    url = server.fresh_database()
    for prepared in targets(url):
        options = {} if prepared.table == "keyed" else {"columns": MAPPED}
        target = Target(url, table=prepared.table, timeout="2s", **options)
        output = target.opened()
        output.deliver(target.batch(0, ROW))
        server.pause()
        try:
            with pytest.raises(UnreachableError):
                output.deliver(target.batch(1, ROW, ROW))
        finally:
            server.resume()
        server.wait_until_it_answers()
        # What was under way when the server stood still may be done now, or not.
        assert output.deliver(target.batch(1, ROW, ROW)).refused == ()
        assert target.count() == 3


def test_a_locked_sqlite_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    target = Target(f"sqlite:///{path}", timeout="100ms").prepared()
    output = target.opened()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnreachableError, match="locked"):
        output.deliver(target.batch(0, ROW))
    other.execute("COMMIT")
    other.close()
    output.deliver(target.batch(0, ROW))
    assert target.count() == 1


# -- whole runs ------------------------------------------------------------------------------------


def outputs(url: str) -> Callable[[str], str]:
    def made(prefix: str) -> str:
        return "".join(
            f"  {name}: {{sql: {{url: '{url}', table: {prefix}_{name}, timeout: 3s}}}}\n"
            for name in OUTPUTS
        )

    return made


def contents(url: str) -> Callable[[str], Contents]:
    def read(prefix: str) -> dict[str, list[str]]:
        engine = create_engine(url, poolclass=NullPool)
        found = {}
        with engine.connect() as connection:
            for name in OUTPUTS:
                columns = {one["name"] for one in inspect(engine).get_columns(f"{prefix}_{name}")}
                rows = connection.execute(text(f"SELECT * FROM {prefix}_{name}")).mappings()
                found[name] = sorted(
                    str({key: row[key] for key in sorted(columns - {"notices"})})
                    for row in rows
                    if row.get("state") != "notice"
                )
        engine.dispose()
        return found

    return read


def without_keys(url: str) -> Callable[[str], str]:
    """Tables that people made themselves, without keys, for the archive and the windows."""

    def made(prefix: str) -> str:
        Target(url).run(
            f"CREATE TABLE {prefix}_windows (host varchar(50), mean double precision,"
            " requests bigint)",
            f"CREATE TABLE {prefix}_archive (client_ip varchar(50), status bigint)",
        )
        columns = {
            "windows": "{host: host, mean: mean, requests: requests}",
            "archive": "{client_ip: client_ip, status: status}",
        }
        lines = outputs(url)(prefix)
        for name, chosen in columns.items():
            lines = lines.replace(f"_{name}, ", f"_{name}, columns: {chosen}, ")
        return lines

    return made


def crash(running: Running, _step: int) -> None:
    running.kill()
    running.start()


def test_tailrace_killed(server: Database, tmp_path: Path) -> None:
    url = server.fresh_database()
    disturbed(tmp_path, without_keys(url), contents(url), crash)


def test_server_killed_under_load(server: Database, tmp_path: Path) -> None:
    def disturb(_running: Running, step: int) -> None:
        if step in (0, 2):
            server.kill()
            server.start()

    url = server.fresh_database()
    disturbed(tmp_path, without_keys(url), contents(url), disturb)


def test_tailrace_killed_with_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rows.db'}"
    disturbed(tmp_path, without_keys(url), contents(url), crash)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 6))
def test_everything_breaks(server: Database, tmp_path: Path, seed: int) -> None:
    def disturb(running: Running, step: int) -> None:
        match (step + seed) % 4:
            case 0:
                server.kill()
                crash(running, step)
                server.start()
            case 1:
                crash(running, step)
            case 2:
                server.pause()
                time.sleep(4)
                server.resume()
            case 3:
                later = threading.Timer(0.5, server.start)
                server.kill()
                later.start()
                later.join()

    url = server.fresh_database()
    given = without_keys(url) if seed % 2 else outputs(url)
    disturbed(tmp_path, given, contents(url), disturb, seed=seed, steps=12, count=12_000)
