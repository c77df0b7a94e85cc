"""A Redis server that keeps what it confirmed (an append-only file, synced at each write)."""

from collections.abc import Mapping
from typing import ClassVar

from redis import Redis as Client
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import RedisError
from redis.retry import Retry
from tests.servers.installed import program
from tests.servers.server import Server

SETTINGS = {"appendonly": "yes", "appendfsync": "always", "save": ""}
"""Those that `compose.yaml` gives to its image are the same."""


class Redis(Server):
    """`settings` are added to the server's own; `password` is wanted of clients."""

    name: ClassVar[str] = "redis"
    variable: ClassVar[str] = "TAILRACE_REDIS"
    usual_port: ClassVar[int] = 6379

    def __init__(
        self,
        *,
        given: str | None = None,
        password: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(given=given)
        self.password = password
        self.settings = dict(settings or {})
        self._client: Client | None = None

    @property
    def own_url(self) -> str:
        account = f":{self.password}@" if self.password else ""
        return f"redis://{account}127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        program("redis-server", "redis-server")
        settings = SETTINGS | {"bind": "127.0.0.1", "port": str(self.port)} | self.settings
        if self.password:
            settings["requirepass"] = self.password
        (self.folder / "redis.conf").write_text(
            "".join(f'{key} "{value}"\n' for key, value in settings.items())
        )

    def command(self) -> list[str]:
        return [program("redis-server", "redis-server"), "redis.conf"]

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except (RedisError, Unreachable):
            return False

    @property
    def client(self) -> Client:
        """A client that gets text, waits two seconds and doesn't try again."""
        if self._client is None:
            self._client = Client.from_url(
                self.url, decode_responses=True, socket_timeout=2, retry=Retry(NoBackoff(), 0)
            )
        return self._client
