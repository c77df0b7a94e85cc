"""What PostgreSQL and MariaDB have in common for tests: an account, databases, SQLAlchemy."""

import pwd
import subprocess
import uuid
from typing import Any, ClassVar

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from tests.servers.server import Server, ServerFailed

ACCOUNT = "tailrace"
"""User, password and database of servers of our own."""


class Database(Server):
    """A server of SQL databases; `url` is SQLAlchemy's."""

    driver: ClassVar[str]
    patience: ClassVar[dict[str, int]] = {"connect_timeout": 2}
    """How many seconds clients wait, as the driver calls it."""

    @property
    def own_url(self) -> str:
        where = URL.create(self.driver, ACCOUNT, ACCOUNT, "127.0.0.1", self.port, ACCOUNT)
        return where.render_as_string(hide_password=False)

    def answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except OperationalError:
            return False
        return True

    def engine(self, url: str | None = None) -> Engine:
        """Return SQLAlchemy's engine, without a pool: a connection for each use."""
        return create_engine(url or self.url, poolclass=NullPool, connect_args=self.patience)

    def run(self, statement: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement outside any transaction and return its rows."""
        with self.engine(url).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    def fresh_database(self) -> str:
        """Make a database that no other test knows, and return its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def set_up(self, command: list[str], told: str = "") -> None:
        """Run a program that makes the data folder, as the server's own user.

        `told`: its standard input.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            user=self.runs_as,
            group=pwd.getpwnam(self.runs_as).pw_gid if self.runs_as else None,
            extra_groups=[] if self.runs_as else None,
            input=told,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            raise ServerFailed(f"could not set {self.name} up: {done.stdout}")
