"""The server that the tests start: it keeps what it confirmed, and can be broken and mended."""

import pytest
import redis as client
from tests.servers.redis import Redis
from tests.services.conftest import Fresh


def test_keeps_keys_when_killed(redis: Redis) -> None:
    url = redis.url
    redis.client.set("kept", "1")
    redis.kill()
    assert not redis.answers()
    redis.start()
    assert redis.url == url
    assert redis.client.get("kept") == "1"


def test_paused_and_resumed(redis: Redis) -> None:
    redis.pause()
    assert not redis.answers()
    redis.resume()
    assert redis.answers()


def test_password(fresh: Fresh[Redis]) -> None:
    redis = fresh(Redis(password="right"))  # noqa: S106 - of this server alone
    wrong = client.Redis.from_url(redis.url.replace("right", "wrong"))
    with pytest.raises(client.AuthenticationError):
        wrong.ping()
