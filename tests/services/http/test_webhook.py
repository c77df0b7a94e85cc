"""Rows as requests to a real service: ids, batches, what is repeated and what is refused."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.services.batches import made, window_batch
from tests.services.certificates import certificate

from tailrace.config.outputs import Output
from tailrace.errors import OutputError, UnreachableError

if TYPE_CHECKING:
    from tests.servers.receiver import Receiver

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def _forgotten(receiver: Receiver) -> None:
    receiver.forget()
    receiver.answer()


def config(receiver: Receiver, **options: object) -> Output:
    given = {"url": f"{receiver.url}/hook?x=1", **options}
    return Output.model_validate({"webhook": given, "rows": "windows"})


def test_what_may_be_secret_is_not_repeated(receiver: Receiver) -> None:
    chosen = Output.model_validate(
        {
            "webhook": {
                "url": f"{receiver.url}/services/T0/B0?sig=abcdefgh",
                "headers": {"X-Api-Key": "0123456789"},
            },
            "rows": "windows",
        }
    )
    output = made(chosen)
    output.open(None)
    body = "no POST /services/T0/B0?sig=abcdefgh for 0123456789 here"
    receiver.answer({"status": 400, "body": body})
    (refused,) = output.deliver(window_batch(chosen, 0, ["a"], [1])).refused
    assert refused.reason == "400: no POST ***?*** for *** here"


def test_a_request_for_each_row_with_its_id(receiver: Receiver) -> None:
    chosen = config(receiver, headers={"X-Team": "web"}, token="abc")  # noqa: S106 - made up
    output = made(chosen)
    output.open(None)
    assert output.deliver(window_batch(chosen, 7, ["a", "b"], [1, 2])).refused == ()
    first, second = receiver.received
    assert first.path == "/hook?x=1"
    assert first.json == {
        "id": "7-0",
        "window": {"start": "2026-01-01T00:00:00.000Z", "end": "2026-01-01T00:00:01.000Z"},
        "client_ip": "a",
        "count": 1,
    }
    assert {
        name: first.headers[name]
        for name in ("Idempotency-Key", "X-Tailrace-Id", "X-Team", "Authorization", "Content-Type")
    } == {
        "Idempotency-Key": "7-0",
        "X-Tailrace-Id": "7-0",
        "X-Team": "web",
        "Authorization": "Bearer abc",
        "Content-Type": "application/json",
    }
    assert second.json["id"] == "7-1"


HOSTILE = 'x"}, {"text": "own', "\\u0022", "{id}", "}}\n\0\x1b[2J\u2028"


@pytest.mark.parametrize("client", HOSTILE)
def test_values_cannot_leave_their_place_in_a_body(receiver: Receiver, client: str) -> None:
    body = {'te"{xt}': ['{{"{client_ip}" \\ made {count}}}', None], "id": "{id}"}
    chosen = config(receiver, body=body)
    output = made(chosen)
    output.open(None)
    output.deliver(window_batch(chosen, 0, [client], [None]))
    (request,) = receiver.received
    assert request.json == {
        'te"{xt}': [f'{{"{client}" \\ made null}}', None],
        "id": "0-0",
    }


def test_plain_text(receiver: Receiver) -> None:
    chosen = config(receiver, body="{client_ip}: {count}", username="u", password="pä")  # noqa: S106
    output = made(chosen)
    output.open(None)
    output.deliver(window_batch(chosen, 0, ["ä\n"], [3]))
    (request,) = receiver.received
    assert request.body == "ä\n: 3"
    assert request.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert request.headers["Authorization"] == "Basic dTpww6Q="


@pytest.mark.parametrize("form", ["array", "ndjson"])
def test_batches_and_who_is_to_blame(receiver: Receiver, form: str) -> None:
    receiver.answer({"when": "bad", "status": 422, "body": "no\x1b[2Jbad"})
    chosen = config(receiver, batch=4, format=form)
    output = made(chosen)
    output.open(None)
    keys = ["a", "b", "bad", "d", "e", "f"]
    receipt = output.deliver(window_batch(chosen, 0, keys, [1] * 6))
    assert [(one.row, one.reason) for one in receipt.refused] == [(2, "422: no\\x1b[2Jbad")]
    taken = [
        row["client_ip"]
        for request in receiver.taken
        for row in (
            request.json
            if form == "array"
            else [json.loads(line) for line in request.body.splitlines()]
        )
    ]
    assert taken == ["a", "b", "d", "e", "f"]
    whole = receiver.received[-1]
    assert whole.headers["Idempotency-Key"].startswith("batch-")
    assert "X-Tailrace-Id" not in whole.headers


DOWN: list[tuple[dict[str, Any], type[OutputError], str]] = [
    ({"status": 500, "body": "oops"}, UnreachableError, "answers 500: oops"),
    ({"status": 408}, UnreachableError, "answers 408"),
    ({"status": 429}, UnreachableError, "answers 429"),
    ({"status": 401}, OutputError, "answers 401"),
    ({"status": 404}, OutputError, "answers 404"),
    ({"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}, OutputError, "redirect"),
]


@pytest.mark.parametrize(("answer", "kind", "said"), DOWN, ids=[str(c[0]["status"]) for c in DOWN])
def test_rows_wait_where_it_is_not_about_them(
    receiver: Receiver, answer: dict[str, Any], kind: type[OutputError], said: str
) -> None:
    receiver.answer({"when": '"b"', "times": 1, **answer})
    chosen = config(receiver, token="very-secret")  # noqa: S106 - made up
    output = made(chosen)
    output.open(None)
    batch = window_batch(chosen, 0, ["a", "b", "c"], [1, 2, 3])
    with pytest.raises(OutputError, match=said) as caught:
        output.deliver(batch)
    assert isinstance(caught.value, kind)
    assert "secret" not in caught.value.render()
    assert "/hook" not in caught.value.render()
    assert output.deliver(batch).refused == ()
    # Those that were taken before it went wrong aren't sent again.
    assert [request.json["client_ip"] for request in receiver.taken] == ["a", "b", "c"]


def test_retry_after_is_heeded(receiver: Receiver) -> None:
    receiver.answer({"status": 503, "headers": {"Retry-After": "1"}, "times": 1})
    chosen = config(receiver)
    output = made(chosen)
    output.open(None)
    batch = window_batch(chosen, 0, ["a"], [1])
    for _ in range(3):
        with pytest.raises(UnreachableError, match="asks to wait 1 s"):
            output.deliver(batch)
    assert len(receiver.received) == 1
    deadline = time.monotonic() + 120
    while True:
        try:
            output.deliver(batch)
            break
        except UnreachableError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert len(receiver.received) == 2


def test_killed_and_paused_under_load(receiver: Receiver) -> None:
    chosen = config(receiver, batch=10, timeout="300ms")
    output = made(chosen)
    output.open(None)
    batches = [
        window_batch(chosen, seq, [f"{seq}.{n}" for n in range(40)], [1] * 40) for seq in range(60)
    ]

    def breaks() -> None:
        for number in range(4):
            time.sleep(0.1)
            if number % 2:
                receiver.pause()
                time.sleep(0.5)
                receiver.resume()
            else:
                receiver.kill()
                receiver.start()

    thread = threading.Thread(target=breaks)
    thread.start()
    failures = 0
    for batch in batches:
        while True:
            try:
                output.deliver(batch)
                break
            except OutputError:
                failures += 1
                time.sleep(0.02)
    thread.join()
    got: dict[str, str] = {}
    for request in receiver.taken:
        for row in request.json:
            # At least once: what comes again has the same id and is the same.
            assert got.setdefault(row["id"], row["client_ip"]) == row["client_ip"]
    assert failures
    assert set(got.values()) == {f"{seq}.{n}" for seq in range(60) for n in range(40)}


def test_nobody_there(receiver: Receiver) -> None:
    chosen = config(receiver, url="http://127.0.0.1:1/secret-path")
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:1 can't be reached") as caught:
        made(chosen).open(None)
    assert "secret" not in caught.value.render()


def test_tls(tmp_path: Path) -> None:
    made_up = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made_up.certificate, made_up.key)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}/"
        try:
            for tls, trusted in [
                ({}, False),
                ({"ca": str(made_up.certificate)}, True),
                ({"verify": False}, True),
            ]:
                output = made(Output.model_validate({"webhook": {"url": url, "tls": tls}}))
                if trusted:
                    assert output.open(None) == {"seq": -1}
                else:
                    with pytest.raises(UnreachableError, match="certificate is not trusted"):
                        output.open(None)
                output.close()
        finally:
            server.shutdown()
    with pytest.raises(OutputError, match="certificates for TLS can't be read"):
        made(Output.model_validate({"webhook": {"url": url, "tls": {"ca": "/nowhere.pem"}}}))
