"""References by HTTP, from a server of our own: forms, errors, changes; no secrets in words."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.services.references.watched import came, loaded, watching

from tailrace.errors import TableError

pytestmark = pytest.mark.services
COLUMNS = {"id": "integer", "device": "text"}


@dataclass
class Answers:
    """What a server answers, and the headers of the last request."""

    status: int = 200
    kind: str = "application/json"
    body: bytes = b'[{"id": "7", "device": "phone"}]'
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""
    url: str = ""


@pytest.fixture
def server() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.headers = dict(self.headers)
            answers.path = self.path
            self.send_response(answers.status)
            self.send_header("Content-Type", answers.kind)
            self.end_headers()
            self.wfile.write(answers.body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    answers.url = f"http://127.0.0.1:{http.server_address[1]}/users?token=topsecret"
    yield answers
    http.shutdown()
    http.server_close()
    thread.join()


def given(server: Answers, **more: object) -> dict[str, object]:
    place = {"url": server.url, "headers": {"Authorization": "Bearer hunter22"}, **more}
    return {"http": place, "key": "id", "columns": COLUMNS}


def test_json_and_csv(server: Answers) -> None:
    assert loaded(**given(server)) == [{"id": 7, "device": "phone"}]
    assert server.headers["Authorization"] == "Bearer hunter22"
    assert server.path == "/users?token=topsecret"
    server.kind, server.body = "text/csv; charset=utf-8", b"id,device\n8,tablet\n"
    assert loaded(**given(server)) == [{"id": 8, "device": "tablet"}]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b"", "answers 404"),
        (500, b"[]", "answers 500"),
        (302, b"[]", "answers 302"),
        (200, b"<html>", "line 1 is not JSON"),
        (200, b"[1]", "row 1 is not an object"),
        (200, b"[]", "there are no rows"),
        (200, b"[" + b" " * 2000 + b"]", "more than max_bytes"),
    ],
)
def test_answers_that_are_no_table(server: Answers, status: int, body: bytes, message: str) -> None:
    server.status, server.body = status, body
    with pytest.raises(TableError) as raised:
        loaded(**given(server, max_bytes=1000))
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "hunter22" not in str(raised.value)


def test_nobody_answers() -> None:
    place = {"url": "http://user:hunter22@127.0.0.1:1/users?token=topsecret"}
    with pytest.raises(TableError) as raised:
        loaded(http=place, key="id", columns=COLUMNS)
    assert "http://127.0.0.1:1: no answer" in str(raised.value)
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", id="text"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nid,device\n", id="text without an end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", id="head"),
    ],
)
def test_one_deadline_for_a_whole_answer(head: bytes) -> None:
    """A byte comes again and again, each of them soon after the other."""
    cut = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        caller, _ = server.accept()
        with caller:
            caller.recv(1 << 16)
            caller.sendall(head)
            try:
                for _ in itertools.repeat(None, 400):
                    caller.sendall(b"1")
                    time.sleep(0.05)
            except OSError:
                cut.set()

    thread = threading.Thread(target=drip)
    thread.start()
    place = {"url": f"http://127.0.0.1:{server.getsockname()[1]}/", "timeout": "500ms"}
    with pytest.raises(TableError, match="no answer in time"):
        loaded(http={**place, "format": "csv"}, key="id", columns={"id": "integer"})
    thread.join()
    server.close()
    assert cut.is_set()


def test_it_is_asked_again_and_a_failure_changes_nothing(server: Answers) -> None:
    with watching(**given(server), refresh="100ms") as watcher:
        server.status = 503
        while watcher.error is None:
            watcher.take()
        assert "answers 503" in str(watcher.error)
        server.body = b'{"id": 9, "device": "other"}\n'
        server.status = 200
        assert came(watcher, [{"id": 9, "device": "other"}])
