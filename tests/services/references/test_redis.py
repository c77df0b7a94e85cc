"""References in Redis: hashes by key, one hash, a set."""

import pytest
from tests.servers.redis import Redis
from tests.services.references.watched import came, loaded, watching

from tailrace.errors import TableError

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def empty(redis: Redis) -> None:
    redis.client.flushall()


def test_hashes_by_key(redis: Redis) -> None:
    redis.client.hset("user:7:of", mapping={"device": "phone", "level": "1.5"})
    redis.client.hset("user:8:of", mapping={"device": "tablet"})
    redis.client.set("user:9:of", "no hash")
    columns = {"key": "integer", "device": "text", "level": "double"}
    place = {"url": redis.url, "keys": "user:*:of"}
    assert loaded(redis=place, key="key", columns=columns) == [
        {"key": 7, "device": "phone", "level": 1.5},
        {"key": 8, "device": "tablet", "level": None},
    ]


def test_the_fields_of_a_hash_with_a_pivot(redis: Redis) -> None:
    redis.client.hset("limits", mapping={"Minimum": "1024", "max": "2048"})
    found = loaded(
        redis={"url": redis.url, "hash": "limits"},
        columns={"field": "text", "value": "integer"},
        pivot={"name": "field", "value": "value", "columns": {"min": ["Minimum"], "max": ["max"]}},
    )
    assert found == [{"min": 1024, "max": 2048}]


def test_the_members_of_a_set_as_they_change(redis: Redis) -> None:
    redis.client.sadd("trusted", "10.0.0.1")
    place = {"url": redis.url, "set": "trusted"}
    given = {"redis": place, "key": "value", "columns": {"value": "text"}, "refresh": "100ms"}
    assert loaded(**given) == [{"value": "10.0.0.1"}]
    with watching(**given) as watcher:
        redis.client.sadd("trusted", "10.0.0.2")
        assert came(watcher, [{"value": "10.0.0.1"}, {"value": "10.0.0.2"}])
        redis.client.delete("trusted")
        redis.client.sadd("trusted", "10.0.0.3")
        assert came(watcher, [{"value": "10.0.0.3"}])


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("hash", {"field": "text", "value": "text"}),
        ("set", {"value": "text"}),
        ("keys", {"key": "text", "value": "text"}),
    ],
)
def test_no_more_is_asked_for_than_is_allowed(
    redis: Redis, kind: str, columns: dict[str, str]
) -> None:
    many = [f"{number:05}" for number in range(20_000)]
    with redis.client.pipeline(transaction=False) as pipe:
        if kind == "hash":
            pipe.hset("many", mapping=dict.fromkeys(many, "x"))
        elif kind == "set":
            pipe.sadd("many", *many)
        else:
            for one in many:
                pipe.hset(f"many:{one}", mapping={"value": one})
        pipe.execute()
    place = {"url": redis.url, kind: "many:*" if kind == "keys" else "many"}
    given = {"redis": place, "key": next(iter(columns)), "columns": columns}
    assert len(loaded(**given)) == 20_000
    redis.client.config_resetstat()
    with pytest.raises(TableError, match=r"more .*than max_rows \(10\)|than max_rows \(10\)"):
        loaded(**given, max_rows=10)
    asked = redis.client.info("commandstats")
    assert "cmdstat_hgetall" not in asked
    assert "cmdstat_smembers" not in asked
    (scan,) = [asked[name] for name in asked if name.endswith("scan")]
    assert scan["calls"] <= 2


def test_no_answer_is_waited_for_longer_than_the_time_out(redis: Redis) -> None:
    redis.client.sadd("trusted", "10.0.0.1")
    place = {"url": redis.url, "set": "trusted", "timeout": "200ms"}
    given = {"redis": place, "key": "value", "columns": {"value": "text"}}
    redis.client.client_pause(2_000)
    try:
        with pytest.raises(TableError, match="can't be reached"):
            loaded(**given)
    finally:
        redis.client.client_unpause()
    assert loaded(**given) == [{"value": "10.0.0.1"}]


def test_keys_that_are_not_there_are_no_rows(redis: Redis) -> None:
    with pytest.raises(TableError, match="there are no rows"):
        loaded(redis={"url": redis.url, "set": "x"}, key="value", columns={"value": "text"})


def test_a_key_of_another_type_is_told_without_the_password() -> None:
    place = {"url": "redis://:hunter22@127.0.0.1:1/0", "set": "x"}
    with pytest.raises(TableError) as raised:
        loaded(redis=place, key="value", columns={"value": "text"})
    assert "hunter22" not in str(raised.value)
