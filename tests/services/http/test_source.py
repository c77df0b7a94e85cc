"""Lines sent by POST to a real process: who is answered what, and what a 200 is worth."""

from __future__ import annotations

import gzip
import json
import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from tests.servers.ports import free_port
from tests.servers.receiver import Receiver
from tests.services.certificates import certificate
from tests.services.processes import Running

if TYPE_CHECKING:
    from tests.services.conftest import Fresh

pytestmark = pytest.mark.services

PIPELINE = """\
name: web
source: {http: {listen: "127.0.0.1:PORT", path: /events, OPTIONS}}
time: {field: ts, grace: 1h}
fields: {ip: text, n: integer}
rules:
  - {record: counts, by: ip, window: 10s, select: {events: count(*), sum: sum(n)}, to: [counts]}
archive: {to: [raw]}
outputs:
  raw: {file: {path: raw.ndjson}}
  counts: {file: {path: counts.ndjson}}
store: {path: s.duckdb}
"""
COUNT = 60_000
START = 1_767_225_600


def line(number: int) -> str:
    return json.dumps({"ts": START + number / 50, "ip": f"ip{number % 7}", "n": number}) + "\n"


@dataclass
class Sender:
    """A pipeline that listens, and who sends to it."""

    running: Running
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    def start(self) -> None:
        self.running.start()
        self.wait()

    def wait(self) -> None:
        self.running.eventually(self.answers)

    def answers(self) -> bool:
        try:
            return urllib3.request("GET", self.url, timeout=5, retries=False).status > 0
        except urllib3.exceptions.HTTPError:
            return False

    def post(self, body: str | bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = urllib3.request(
            "POST", self.url, body=body, headers=named, timeout=30, retries=False
        )
        return answer.status, json.loads(answer.data)

    def raw(self, sent: bytes, seconds: float = 15) -> bytes:
        """What is answered to bytes, until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as connection:
            connection.sendall(sent)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
            return b"".join(parts)


def sender(folder: Path, **options: object) -> Sender:
    port = free_port()
    text = ", ".join(f"{name}: {value}" for name, value in options.items()) or "timeout: 20s"
    return Sender(
        Running(folder, PIPELINE.replace("PORT", str(port)).replace("OPTIONS", text)), port
    )


@pytest.fixture(scope="module")
def open_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    """One that listens to everybody on this machine, with small bounds."""
    made = sender(
        tmp_path_factory.mktemp("open"), timeout="1s", max_body_bytes=2000, max_connections=3
    )
    made.start()
    yield made
    made.running.end()


def test_answered_when_committed(open_one: Sender) -> None:
    before = len(open_one.running.rows("raw.ndjson"))
    assert open_one.post(line(1) + line(2).strip()) == (200, {"lines": 2})
    assert open_one.post(b"") == (200, {"lines": 0})
    packed = gzip.compress(line(3).encode()) + gzip.compress(line(4).encode())
    assert open_one.post(packed, Content_Encoding="gzip") == (200, {"lines": 2})
    assert open_one.post(line(5), Expect="100-continue") == (200, {"lines": 1})
    open_one.running.eventually(lambda: len(open_one.running.rows("raw.ndjson")) == before + 5)


def test_a_key_is_taken_once(open_one: Sender) -> None:
    before = len(open_one.running.rows("raw.ndjson"))
    for _ in range(3):
        assert open_one.post(line(6), Idempotency_Key="six") == (200, {"lines": 1})
    assert open_one.post(line(7), Idempotency_Key="six")[0] == 422
    assert open_one.post(line(7), Idempotency_Key="seven")[0] == 200
    open_one.running.eventually(lambda: len(open_one.running.rows("raw.ndjson")) == before + 2)


WRONG: list[tuple[int, bytes | str, Mapping[str, str]]] = [
    (413, "x" * 3000, {}),
    (413, gzip.compress(b"x" * 3000, mtime=0), {"Content_Encoding": "gzip"}),
    (413, gzip.compress(b"x" * 10_000_000, mtime=0), {"Content_Encoding": "gzip"}),
    (400, b"no gzip", {"Content_Encoding": "gzip"}),
    (400, gzip.compress(b"abc", mtime=0)[:-3], {"Content_Encoding": "gzip"}),
    (415, "x", {"Content_Encoding": "br"}),
    (403, "x", {"Origin": "http://elsewhere"}),
    (400, "x", {"Idempotency_Key": "x" * 300}),
]


@pytest.mark.parametrize(("status", "body", "headers"), WRONG)
def test_refused(
    open_one: Sender, status: int, body: bytes | str, headers: Mapping[str, str]
) -> None:
    answered, said = open_one.post(body, **headers)
    assert (answered, list(said)) == (status, ["error"])


RAW = [
    (b"GARBAGE\r\n\r\n", b"400"),
    (b"GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b"404"),
    (b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\nabcdef", b"400"),
    (
        b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n"
        + b"x" * 1024
        + b"\r\n"
        + b"ffffffff\r\nyy",
        b"408",
    ),
    (b"POST /events HTTP/1.1\r\nHost: x\r\nX: " + b"x" * COUNT, b"431"),
    (b"POST /eve", b"408"),
    (b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc", b"408"),
    (b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nabc", b"413"),
    (b"", b""),
]


@pytest.mark.parametrize(("sent", "status"), RAW)
def test_what_is_no_request_or_never_ends(open_one: Sender, sent: bytes, status: bytes) -> None:
    answer = open_one.raw(sent)
    assert answer.split(b" ")[1:2] == ([status] if status else [])
    assert open_one.post(b"")[0] == 200


def test_no_more_connections_than_allowed(open_one: Sender) -> None:
    held = [socket.create_connection(("127.0.0.1", open_one.port)) for _ in range(3)]
    time.sleep(0.1)
    assert b" 503 " in open_one.raw(b"POST /events HTTP/1.1\r\n\r\n")
    for connection in held:
        connection.close()
    open_one.running.eventually(lambda: open_one.post(b"")[0] == 200)


def test_token(tmp_path: Path) -> None:
    one = sender(tmp_path, token="right-one")  # noqa: S106 - made up
    try:
        one.start()
        assert one.post(line(1))[0] == 401
        assert one.post(line(1), Authorization="Bearer wrong-one")[0] == 401
        assert one.post(line(1), Authorization="Bearer right-one")[0] == 200
        assert one.running.stop() == 0
    finally:
        one.running.end()
    assert "right-one" not in one.running.log
    # All of it is committed: nothing is left but the keys, of which there are none.
    assert list((tmp_path / "s.duckdb.received").iterdir()) == []


def test_tls(tmp_path: Path) -> None:
    made_up = certificate(tmp_path)
    one = sender(tmp_path / "run", certificate=f"'{made_up.certificate}'", key=f"'{made_up.key}'")
    pool = urllib3.PoolManager(ca_certs=str(made_up.certificate), retries=False, timeout=20)
    url = one.url.replace("http:", "https:")

    def answers() -> bool:
        try:
            return pool.request("POST", url, body=line(1)).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    try:
        one.running.start()
        one.running.eventually(answers)
        assert one.answers() is False
    finally:
        one.running.end()


def test_full_outbox_pushes_back(tmp_path: Path, fresh: Fresh[Receiver]) -> None:
    """An output that takes nothing more: senders wait or get 503; nothing is lost or twice."""
    receiver = fresh(Receiver())
    one = sender(tmp_path, timeout="1s")
    path = tmp_path / "p.yaml"
    hook = f"raw: {{webhook: {{url: '{receiver.url}', batch: 1000}}}}"
    text = path.read_text().replace("raw: {file: {path: raw.ndjson}}", hook)
    path.write_text(text + "outbox: {max_bytes: 1MiB}\n")
    bodies = {
        str(start): "".join(map(line, range(start, start + 6000)))
        for start in range(0, COUNT, 6000)
    }
    try:
        one.start()
        receiver.kill()
        first = {key: one.post(body, Idempotency_Key=key)[0] for key, body in bodies.items()}
        assert set(first.values()) == {200, 503, 504}
        receiver.start()
        for key, body in bodies.items():
            one.running.eventually(
                lambda key=key, body=body: one.post(body, Idempotency_Key=key)[0] == 200  # type: ignore[misc]
            )
        got: dict[str, int] = {}

        def all_there() -> bool:
            for request in receiver.taken:
                got.update({row["id"]: row["n"] for row in request.json})
            return len(got) >= COUNT

        one.running.eventually(all_there)
        assert sorted(got.values()) == list(range(COUNT))
    finally:
        one.running.end()


class Senders:
    """Threads that send bodies until each is answered with 200."""

    def __init__(self, url: str, todo: list[range]) -> None:
        self.url = url
        self.failures = 0
        self._todo = todo
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(3)]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)
        assert not self.alive

    def _run(self) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=10)
        while (numbers := self._next()) is not None:
            while not self._taken(pool, numbers):
                self.failures += 1
                time.sleep(0.02)

    def _next(self) -> range | None:
        with self._lock:
            return self._todo.pop(0) if self._todo else None

    def _taken(self, pool: urllib3.PoolManager, numbers: range) -> bool:
        body = "".join(map(line, numbers))
        try:
            answer = pool.request(
                "POST", self.url, body=body, headers={"Idempotency-Key": f"{numbers[0]}"}
            )
        except urllib3.exceptions.HTTPError:
            return False
        assert answer.status in (200, 503, 504), answer.data
        return answer.status == 200


@pytest.mark.parametrize(
    ("most", "count"), [(3, 2000), pytest.param(25, 20_000, marks=pytest.mark.soak)]
)
def test_killed_at_any_moment_each_line_once(tmp_path: Path, most: int, count: int) -> None:
    """Three senders repeat until they are answered, with keys; the process is killed meanwhile."""
    size = 25
    chance = random.Random(20)
    one = sender(tmp_path / "killed")
    one.start()
    senders = Senders(one.url, [range(start, start + size) for start in range(0, count, size)])
    kills = 0
    try:
        while senders.alive and kills < most:
            time.sleep(chance.uniform(0.05, 0.4))
            one.running.kill()
            kills += 1
            one.start()
        senders.join()
        one.running.kill()
        one.running.finish()
    finally:
        one.running.end()
    assert kills
    assert senders.failures
    plain = Running(
        tmp_path / "undisturbed",
        one.running.text.replace(
            next(text for text in PIPELINE.splitlines() if "http" in text)
            .replace("PORT", str(one.port))
            .replace("OPTIONS", "timeout: 20s"),
            "source: {file: {path: log.ndjson}}",
        ),
    )
    (plain.folder / "log.ndjson").write_text("".join(map(line, range(count))))
    plain.finish()
    for name in ("raw.ndjson", "counts.ndjson"):
        assert sorted(map(json.dumps, one.running.rows(name))) == sorted(
            map(json.dumps, plain.rows(name))
        ), name
