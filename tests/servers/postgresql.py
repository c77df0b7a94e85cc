"""A PostgreSQL server with an account that has a password."""

import signal
from typing import ClassVar

from tests.servers.database import ACCOUNT, Database
from tests.servers.installed import program

PACKAGE = "postgresql"
SETTINGS = {"max_connections": "50", "shared_buffers": "32MB"}
"""Those that `compose.yaml` gives to its image are the same."""


class PostgreSQL(Database):
    name: ClassVar[str] = "postgresql"
    variable: ClassVar[str] = "TAILRACE_POSTGRESQL"
    usual_port: ClassVar[int] = 5432
    user: ClassVar[str | None] = "postgres"
    driver: ClassVar[str] = "postgresql+psycopg"
    # Without waiting for clients to leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def prepare(self) -> None:
        initdb, postgres = program("initdb", PACKAGE), program("postgres", PACKAGE)
        password = self.folder / "password"
        password.write_text(ACCOUNT)
        password.chmod(0o644)  # the folder is closed to others
        self.set_up(
            [
                *(initdb, "--pgdata=data", "--no-sync", "--auth=scram-sha-256"),
                *(f"--username={ACCOUNT}", f"--pwfile={password}"),
                *("--encoding=UTF8", "--locale=C"),
            ]
        )
        self.set_up([postgres, "--single", "-D", "data", "postgres"], f"CREATE DATABASE {ACCOUNT}")

    def command(self) -> list[str]:
        settings = SETTINGS | {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            # What a killed one leaves behind goes with its folder.
            "dynamic_shared_memory_type": "mmap",
        }
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return [program("postgres", PACKAGE), "-D", "data", *options]
