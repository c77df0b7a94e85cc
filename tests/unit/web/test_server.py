from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from tests.unit.cli.moments import STATUS

from tailrace.engines.status import OutputStatus, Status
from tailrace.errors import StoreError, TailraceError
from tailrace.web.application import application
from tailrace.web.health import STUCK_SECONDS
from tailrace.web.server import WebServer

WELL = replace(STATUS, outputs=(OutputStatus("o", "file", 1, 0, 0),))


@dataclass
class Told:
    """What an engine has told."""

    newest: Status | None = WELL
    seconds: float | None = 0.1

    def status(self) -> Status:
        if self.newest is None:
            raise StoreError("still starting")
        return self.newest

    def latest(self) -> Status | None:
        return self.newest

    def age(self) -> float | None:
        return self.seconds

    def lookup(self, name: str, key: Sequence[str]) -> list[dict[str, object]] | None:
        if name != "bots":
            return None
        return [{"live": True, "key": {"ip": key[0]}}] if key[0] != "nobody" else []


@contextmanager
def served(told: Told, token: str | None = None) -> Iterator[str]:
    server = WebServer(application(told, token=token, version="1"), "127.0.0.1", 0)
    try:
        yield server.address
    finally:
        server.close()


def asked(url: str, token: str | None = None, **more: str) -> tuple[int, str]:
    headers = more if token is None else {**more, "Authorization": f"Bearer {token}"}
    try:
        asking = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own server
        with urllib.request.urlopen(asking, timeout=60) as answer:  # noqa: S310 - as above
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics() -> None:
    with served(Told()) as url:
        code, text = asked(f"{url}/metrics")
        assert code == 200
        assert "tailrace_events_total 1e+06" in text
        assert asked(f"{url}/nothing")[0] == 404
    with served(Told(newest=None)) as url:
        assert asked(f"{url}/metrics") == (503, "still starting\n")


LOOKUPS = [
    ("bots?key=192.0.2.7", 200, '{"list":"bots","listed":true,"entry":{"live":true,"key":{"ip":'),
    ("bots?key=nobody", 200, '{"list":"bots","listed":false,"entry":null}'),
    ("bots?a=1&b=2", 200, '"ip":"a=1"'),
    ("bots?key=%3Cscript%3E%26%E2%80%AE%00", 200, '"\\u003cscript\\u003e\\u0026\\u202e\\u0000"'),
    ("bots", 400, '{"error":"name the key'),
    ("bots?" + "&".join(f"f{i}=1" for i in range(40)), 400, '{"error":"name the key'),
    ("b%3Cb%3E?key=x", 404, '{"error":"there is no list of verdicts b\\u003cb\\u003e"}'),
]


@pytest.mark.parametrize(("asked_for", "code", "said"), LOOKUPS)
def test_lookup(asked_for: str, code: int, said: str) -> None:
    with served(Told()) as url:
        found, text = asked(f"{url}/lookup/{asked_for}")
    assert found == code
    assert said in text


def test_lookup_needs_the_token() -> None:
    with served(Told(), token="hush") as url:  # noqa: S106 - a made-up one
        assert asked(f"{url}/lookup/bots?key=x")[0] == 401
        assert asked(f"{url}/lookup/bots?key=x", token="wrong")[0] == 401  # noqa: S106
        assert asked(f"{url}/lookup/bots?key=x", token="hush")[0] == 200  # noqa: S106


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("Host", "localhost:9464", 200),
        ("Host", "127.0.0.2", 200),
        ("Host", "[::1]:80", 200),
        ("Host", "evil.example", 421),
        ("Host", "127.0.0.1.evil.example:9464", 421),
        ("Host", "127.0.0.1@evil.example", 421),
        ("Host", "[", 421),
        ("Host", "", 421),
        ("Origin", "http://localhost:8080", 200),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
    ],
)
def test_without_a_token_only_local_names_are_answered(name: str, value: str, code: int) -> None:
    with served(Told()) as url:
        for page in ("metrics", "readyz"):
            assert asked(f"{url}/{page}", **{name: value})[0] == code
    with served(Told(), token="s3cret") as url:  # noqa: S106 - the one of this test
        assert asked(f"{url}/metrics", "s3cret", **{name: value})[0] in (200, 400)


@pytest.mark.parametrize(("given", "code"), [(None, 401), ("wrong", 401), ("s3cret", 200)])
def test_a_token(given: str | None, code: int) -> None:
    with served(Told(), token="s3cret") as url:  # noqa: S106 - the one of this test
        assert asked(f"{url}/metrics", given)[0] == code
        assert asked(f"{url}/healthz", given)[0] == 200


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Told(), 200),
        (Told(newest=None, seconds=None), 200),
        (Told(seconds=STUCK_SECONDS + 1), 503),
    ],
)
def test_health(told: Told, code: int) -> None:
    with served(told) as url:
        assert asked(f"{url}/healthz")[0] == code


def test_readiness() -> None:
    down = (OutputStatus("raw", "opensearch", 1, 7, 70, "no route"),)
    reason = "no broker answers"
    away = replace(WELL, source_error=reason, source_away_since=60_000_000)
    cases: list[tuple[Told, int, list[str]]] = [
        (Told(), 200, []),
        (Told(newest=None), 503, ["it is starting"]),
        (Told(newest=replace(WELL, outputs=down)), 503, ["output raw takes no rows; 7 wait"]),
        (Told(newest=away), 503, [f"the source: {reason} (since 1970-01-01T00:01:00.000Z)"]),
    ]
    for told, code, reasons in cases:
        with served(told) as url:
            found, body = asked(f"{url}/readyz")
            assert (found, json.loads(body)) == (code, {"ready": not reasons, "reasons": reasons})
    with served(cases[2][0], token="s3cret") as url:  # noqa: S106 - the one of this test
        assert json.loads(asked(f"{url}/readyz")[1]) == {"ready": False, "reasons": []}


def test_a_port_that_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(TailraceError, match="nobody can be answered"):
            WebServer(application(Told(), token=None, version="1"), *other.getsockname()[:2])
