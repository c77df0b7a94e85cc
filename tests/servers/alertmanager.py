"""A Prometheus Alertmanager that tells nobody: its interface shows what it was told."""

import json
import urllib.request
from typing import Any, ClassVar
from urllib.error import URLError

from tests.servers.installed import program
from tests.servers.server import Server

SETTINGS = """\
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""


class Alertmanager(Server):
    name: ClassVar[str] = "alertmanager"
    variable: ClassVar[str] = "TAILRACE_ALERTMANAGER"
    usual_port: ClassVar[int] = 9093

    @property
    def own_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        program("prometheus-alertmanager", "prometheus-alertmanager")
        (self.folder / "alertmanager.yml").write_text(SETTINGS)

    def command(self) -> list[str]:
        return [
            program("prometheus-alertmanager", "prometheus-alertmanager"),
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def answers(self) -> bool:
        try:
            self._get("/api/v2/status")
        except (URLError, OSError):
            return False
        return True

    def alerts(self) -> list[dict[str, Any]]:
        """What fires now, as its version 2 interface tells it."""
        found = self._get("/api/v2/alerts")
        assert isinstance(found, list)
        return found

    def _get(self, path: str) -> object:
        with urllib.request.urlopen(self.url + path, timeout=2) as answer:  # noqa: S310 - our own
            return json.load(answer)
