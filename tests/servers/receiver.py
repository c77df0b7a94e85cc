"""A service that is called over HTTP: it writes down what it got and answers as it is told.

Run as a program it is the service itself.
"""

import json
import socketserver
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError, URLError

ANSWERS = "answers.json"
RECEIVED = "received.ndjson"

if __name__ != "__main__":
    from tests.servers.server import Server

    @dataclass(frozen=True)
    class Request:
        """What came, as text."""

        path: str
        headers: Mapping[str, str]
        body: str
        status: int

        @property
        def json(self) -> Any:
            return json.loads(self.body)

    class Receiver(Server):
        """It answers 200 unless told otherwise."""

        name: ClassVar[str] = "receiver"
        variable: ClassVar[str] = "TAILRACE_NO_RECEIVER"
        usual_port: ClassVar[int] = 8080

        @property
        def own_url(self) -> str:
            return f"http://127.0.0.1:{self.port}"

        def prepare(self) -> None:
            self.answer()

        def command(self) -> list[str]:
            return [sys.executable, str(Path(__file__).absolute()), str(self.port)]

        def answers(self) -> bool:
            try:
                with urllib.request.urlopen(self.own_url, timeout=2):  # noqa: S310 - our own
                    return True
            except HTTPError:
                return True
            except (URLError, OSError):
                return False

        def answer(self, *rules: Mapping[str, object]) -> None:
            """Answer from now on as the first rule says whose `when` is part of the body.

            `status`, `body`, `headers`; `wait`: seconds before it; `times`: so often.
            """
            path = self.folder / f"{ANSWERS}.new"
            path.write_text(json.dumps([dict(rule) for rule in rules]))
            path.rename(self.folder / ANSWERS)

        @property
        def received(self) -> list[Request]:
            """The POST requests so far, those that were not taken, too."""
            path = self.folder / RECEIVED
            lines = path.read_text().splitlines() if path.exists() else []
            return [Request(**json.loads(line)) for line in lines]

        @property
        def taken(self) -> list[Request]:
            return [request for request in self.received if request.status < 300]

        def forget(self) -> None:
            (self.folder / RECEIVED).unlink(missing_ok=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    used: ClassVar[dict[str, int]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        rule = self._rule(body)
        status = int(rule.get("status", 200))
        kept = {
            "path": self.path,
            "headers": dict(self.headers.items()),
            "body": body,
            "status": status,
        }
        with Path(RECEIVED).open("a") as file:
            file.write(json.dumps(kept) + "\n")
        time.sleep(float(rule.get("wait", 0)))
        self._send(status, str(rule.get("body", "")).encode(), rule.get("headers", {}))

    def do_GET(self) -> None:
        self._send(404, b"", {})

    def do_OPTIONS(self) -> None:
        self._send(204, b"", {})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _rule(self, body: str) -> Mapping[str, Any]:
        for rule in json.loads(Path(ANSWERS).read_text()):
            key = json.dumps(rule)
            if rule.get("when", "") in body and self.used.get(key, 0) < rule.get("times", 1e9):
                self.used[key] = self.used.get(key, 0) + 1
                return dict(rule)
        return {}

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Threads(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    Threads(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
