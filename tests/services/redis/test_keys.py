"""Rows as keys of a real server: every type, each row once, whatever breaks in between."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers.ports import free_port
from tests.servers.redis import Redis
from tests.services.batches import SECOND, START, made, window_batch
from tests.services.certificates import certificate

from tailrace.config.outputs import Output
from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.redis import keys as module
from tailrace.outputs.redis import server as connection

if TYPE_CHECKING:
    from tests.services.conftest import Fresh

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def _empty(redis: Redis) -> None:
    redis.client.flushall()


def config(redis: Redis, **options: object) -> Output:
    given = {"url": redis.url, "key": "ip:{client_ip}", "value": "{count}", **options}
    given = {name: value for name, value in given.items() if value is not None}
    return Output.model_validate({"redis": given, "rows": "windows"})


def contents(redis: Redis) -> dict[str, Any]:
    """Every key but the markers, with what it holds."""
    client: Any = redis.client
    read = {
        "string": client.get,
        "hash": client.hgetall,
        "set": lambda key: sorted(client.smembers(key)),
        "list": lambda key: client.lrange(key, 0, -1),
        "stream": lambda key: [fields for _, fields in client.xrange(key)],
    }
    return {
        key: read[client.type(key)](key)
        for key in sorted(client.keys("*"))
        if not key.startswith("tailrace:")
    }


CASES: dict[str, tuple[dict[str, object], dict[str, Any]]] = {
    "string": ({}, {"ip:a": "3", "ip:b": "2"}),
    "row": (
        {"value": None, "key": "k"},
        {
            "k": '{"window":{"start":"2026-01-01T00:00:02.000Z",'
            '"end":"2026-01-01T00:00:03.000Z"},"client_ip":"a","count":3}'
        },
    ),
    "hash": (
        {"type": "hash", "value": None, "key": "{client_ip}"},
        {
            "a": {
                "window.start": "2026-01-01T00:00:02.000Z",
                "window.end": "2026-01-01T00:00:03.000Z",
                "client_ip": "a",
                "count": "3",
            },
            "b": {
                "window.start": "2026-01-01T00:00:01.000Z",
                "window.end": "2026-01-01T00:00:02.000Z",
                "client_ip": "b",
                "count": "2",
            },
        },
    ),
    "set": ({"type": "set", "key": "bots", "value": "{client_ip}"}, {"bots": ["a", "b"]}),
    "list": ({"type": "list", "key": "bots"}, {"bots": ["1", "2", "3"]}),
    "bounded list": ({"type": "list", "key": "bots", "max_entries": 2}, {"bots": ["2", "3"]}),
    "stream": (
        {"type": "stream", "key": "s"},
        {"s": [{"id": f"0-{n}", "value": str(n + 1)} for n in range(3)]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_types(redis: Redis, name: str) -> None:
    options, expected = CASES[name]
    chosen = config(redis, **options)
    output = made(chosen)
    output.open(None)
    batch = window_batch(chosen, 0, ["a", "b", "a"], [1, 2, 3])
    assert output.deliver(batch).refused == ()
    assert contents(redis) == expected
    # A process that lost the confirmation sends all of it again.
    again = made(chosen)
    again.open({"seq": -1})
    assert again.deliver(batch).refused == ()
    assert contents(redis) == expected


def test_ttl_from_delivery_and_from_event_time(redis: Redis) -> None:
    for seq, (options, least, most) in enumerate(
        [
            ({"ttl": "10m"}, 590_000, 600_000),
            ({"ttl": "10m", "ttl_from": "delivery"}, 590_000, 600_000),
        ]
    ):
        chosen = config(redis, **options)
        output = made(chosen, f"o{seq}")
        output.open(None)
        output.deliver(window_batch(chosen, seq, ["a"], [1]))
        assert least < redis.client.pttl("ip:a") <= most
    now = int(time.time())
    lasting = now - START // SECOND + 600
    chosen = config(redis, ttl=f"{lasting}s", ttl_from="time")
    output = made(chosen, "timed")
    output.open(None)
    output.deliver(window_batch(chosen, 0, ["a"], [1]))
    assert redis.client.expiretime("ip:a") == START // SECOND + 1 + lasting
    past = config(redis, ttl="1s", ttl_from="time")
    output = made(past, "past")
    output.open(None)
    output.deliver(window_batch(past, 0, ["a"], [1]))
    assert contents(redis) == {}


@pytest.mark.parametrize("lost", [False, True], ids=["first time", "answer lost"])
def test_a_key_of_another_type_is_refused(redis: Redis, *, lost: bool) -> None:
    redis.client.set("ip:b", "mine")
    chosen = config(redis, type="list")
    output = made(chosen)
    output.open(None)
    batch = window_batch(chosen, 0, ["a", "b", "c"], [1, 2, 3])
    receipt = output.deliver(batch)
    if lost:
        output = made(chosen)
        output.open({"seq": -1})
        receipt = output.deliver(batch)
    assert [one.row for one in receipt.refused] == [1]
    assert contents(redis) == {"ip:a": ["1"], "ip:b": "mine", "ip:c": ["3"]}


def test_pieces_go_on_where_a_transaction_ended(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", 10)
    chosen = config(redis, type="list", key="all", value="{client_ip}")
    batch = window_batch(chosen, 4, [str(n) for n in range(95)], [1] * 95)
    for stop in range(0, 13, 3):
        output = made(chosen)
        output.open({"seq": 3})
        done = 0

        def apply(*given: Any, own: Any = output, stop: int = stop) -> bool:
            nonlocal done
            if done == stop:
                raise UnreachableError("cut")
            done += 1
            return module.RedisKeys._apply(own, *given)

        monkeypatch.setattr(output, "_apply", apply)
        try:
            output.deliver(batch)
        except UnreachableError:
            continue
    assert redis.client.lrange("all", 0, -1) == [str(n) for n in range(95)]


def test_what_the_server_comes_to_late_is_not_applied_twice(redis: Redis) -> None:
    """The transaction of a process that was killed is still on its way."""
    chosen = config(redis, type="list", key="all")
    batch = window_batch(chosen, 0, ["a"], [1])
    marker = "tailrace:s1:alerts"
    with redis.client.pipeline() as late:
        late.watch(marker)  # type: ignore[no-untyped-call]
        late.get(marker)
        late.multi()
        late.rpush("all", "1")
        late.set(marker, "0:1")
        output = made(chosen)
        output.open({"seq": -1})
        output.deliver(batch)
        with pytest.raises(Exception, match="changed"):
            late.execute()
    assert redis.client.lrange("all", 0, -1) == ["1"]


def test_killed_under_load_and_started_again(redis: Redis) -> None:
    chosen = config(redis, type="list", key="all", value="{client_ip}")
    output = made(chosen)
    state = output.open(None)
    batches = [
        window_batch(chosen, seq, [f"{seq}.{n}" for n in range(300)], [1] * 300)
        for seq in range(120)
    ]
    ended = threading.Event()

    def breaks() -> None:
        for _ in range(3):
            time.sleep(0.15)
            redis.kill()
            time.sleep(0.1)
            redis.start()
        ended.set()

    thread = threading.Thread(target=breaks)
    thread.start()
    failures = 0
    for batch in batches:
        while True:
            try:
                state = output.deliver(batch).state
                break
            except OutputError:
                failures += 1
                time.sleep(0.05)
    thread.join()
    assert ended.is_set()
    assert failures
    assert state == {"seq": 119}
    expected = [f"{seq}.{n}" for seq in range(120) for n in range(300)]
    assert redis.client.lrange("all", 0, -1) == expected


def test_paused_past_the_time_out(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.3)
    chosen = config(redis, type="list", key="all")
    output = made(chosen)
    output.open(None)
    output.deliver(window_batch(chosen, 0, ["a"], [1]))
    redis.pause()
    second = window_batch(chosen, 1, ["b"], [2])
    for _ in range(3):
        with pytest.raises(UnreachableError, match="can't be reached"):
            output.deliver(second)
    redis.resume()
    assert output.deliver(second).state == {"seq": 1}
    assert redis.client.lrange("all", 0, -1) == ["1", "2"]


def test_a_server_that_lost_its_data_gets_what_follows(redis: Redis) -> None:
    chosen = config(redis, type="list", key="all")
    output = made(chosen)
    output.open(None)
    for seq in range(3):
        state = output.deliver(window_batch(chosen, seq, ["a"], [seq])).state
    redis.client.flushall()
    output = made(chosen)
    output.open(state)
    output.deliver(window_batch(chosen, 3, ["a"], [3]))
    assert redis.client.lrange("all", 0, -1) == ["3"]


def test_a_full_server_is_waited_for(redis: Redis) -> None:
    chosen = config(redis)
    output = made(chosen)
    output.open(None)
    redis.client.config_set("maxmemory", "1")
    try:
        with pytest.raises(UnreachableError, match="maxmemory") as caught:
            output.deliver(window_batch(chosen, 0, ["a"], [1]))
        assert "ttl" in caught.value.render()
    finally:
        redis.client.config_set("maxmemory", "0")
    assert output.deliver(window_batch(chosen, 0, ["a"], [1])).refused == ()


def test_time_series_need_the_module(redis: Redis) -> None:
    chosen = config(redis, type="timeseries")
    with pytest.raises(OutputError, match="has no TIMESERIES commands") as caught:
        made(chosen).open(None)
    assert "module" in caught.value.render()


def test_wrong_password_address_and_marker(redis: Redis, fresh: Fresh[Redis]) -> None:
    locked = fresh(Redis(password="right-one"))  # noqa: S106 - of this server alone
    for url, password, expected in [
        (locked.url.replace("right-one", "wrong-one"), "", "password"),
        (locked.url.replace(":right-one@", ""), "wrong-two", "password"),
        (locked.url.replace(":right-one@", ""), "", "password"),
    ]:
        chosen = config(locked, url=url, password=password)
        with pytest.raises(OutputError) as caught:
            made(chosen).open(None)
        text = caught.value.render()
        assert expected in text
        assert "wrong-" not in text
    assert made(config(locked)).open(None) == {"seq": -1}
    gone = config(redis, url="redis://:secret-word@127.0.0.1:1/0")
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1") as unreachable:
        made(gone).open(None)
    assert "secret-word" not in unreachable.value.render()
    redis.client.set("tailrace:s1:alerts", "hello")
    with pytest.raises(OutputError, match="written by somebody else"):
        made(config(redis)).open(None)


def test_unix_socket(fresh: Fresh[Redis]) -> None:
    server = Redis(settings={"unixsocket": "r.sock"})
    fresh(server)
    chosen = config(server, url=f"unix://{server.folder}/r.sock?db=3")
    output = made(chosen)
    output.open(None)
    output.deliver(window_batch(chosen, 0, ["a"], [1]))
    client: Any = server.client
    assert client.info("keyspace")["db3"]["keys"] == 2


def test_tls(fresh: Fresh[Redis], tmp_path: Path) -> None:
    made_up = certificate(tmp_path)
    port = free_port()
    files = {"tls-cert-file": made_up.certificate, "tls-key-file": made_up.key}
    settings = {"tls-port": str(port), "tls-auth-clients": "no"}
    server = fresh(Redis(settings=settings | {name: str(path) for name, path in files.items()}))
    url = f"rediss://127.0.0.1:{port}/0"
    with pytest.raises(OutputError, match="can't be reached"):
        made(config(server, url=url)).open(None)
    for tls in ({"ca": str(made_up.certificate)}, {"verify": False}):
        chosen = config(server, url=url, tls=tls)
        assert made(chosen, f"o{len(tls)}").open(None) == {"seq": -1}


def test_an_older_copy_of_the_store_is_noticed(redis: Redis) -> None:
    chosen = config(redis)
    output: Any = made(chosen)
    output.open(None)
    output.deliver(window_batch(chosen, 5, ["a"], [1]))
    output = made(chosen)
    output.expect(5)
    output.open({"seq": 4})
    output.expect(4)
    with pytest.raises(OutputError, match="an older copy") as caught:
        output.open({"seq": 4})
    assert "tailrace:s1:alerts" in caught.value.render()
