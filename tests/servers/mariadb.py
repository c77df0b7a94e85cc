"""A MariaDB server with an account that has a password."""

from typing import ClassVar

from tests.servers.database import ACCOUNT, Database
from tests.servers.installed import program

PACKAGE = "mariadb-server"
SETTINGS = {
    "innodb-buffer-pool-size": "64M",
    "innodb-log-file-size": "16M",
    # What the server wrote outlives its process, not a power cut: enough here.
    "innodb-flush-log-at-trx-commit": "2",
    "max-connections": "50",
    "skip-name-resolve": "ON",
}
"""Those that `compose.yaml` gives to its image are the same."""
FIRST = f"""\
CREATE DATABASE IF NOT EXISTS {ACCOUNT};
CREATE USER IF NOT EXISTS {ACCOUNT}@'%' IDENTIFIED BY '{ACCOUNT}';
GRANT ALL ON *.* TO {ACCOUNT}@'%';
"""


class MariaDB(Database):
    name: ClassVar[str] = "mariadb"
    variable: ClassVar[str] = "TAILRACE_MARIADB"
    usual_port: ClassVar[int] = 3306
    user: ClassVar[str | None] = "mysql"
    driver: ClassVar[str] = "mysql+pymysql"
    # It takes /dev/shm for memory that outlives a power cut, and works differently there.
    in_memory: ClassVar[bool] = False
    # To connect is to read a greeting, too.
    patience: ClassVar[dict[str, int]] = {
        "connect_timeout": 2,
        "read_timeout": 5,
        "write_timeout": 5,
    }

    def prepare(self) -> None:
        program("mariadbd", PACKAGE)
        first = self.folder / "first.sql"
        first.write_text(FIRST)
        first.chmod(0o644)  # the folder is closed to others
        self.set_up(
            [
                *(program("mariadb-install-db", PACKAGE), "--no-defaults"),
                *(f"--datadir={self.folder}/data", "--skip-test-db"),
                "--auth-root-authentication-method=normal",
            ]
        )

    def command(self) -> list[str]:
        return [
            *(program("mariadbd", PACKAGE), "--no-defaults", f"--datadir={self.folder}/data"),
            *("--bind-address=127.0.0.1", f"--port={self.port}"),
            *(f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid"),
            f"--init-file={self.folder}/first.sql",
            *(f"--{key}={value}" for key, value in SETTINGS.items()),
        ]
