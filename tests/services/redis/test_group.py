"""Servers are shared within a folder of tests and end when the next folder asks for some."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.group import Group
from tests.servers.redis import Redis
from tests.services.conftest import skipping

ONE, OTHER = Path("one"), Path("other")


@pytest.fixture
def own() -> Iterator[Group]:
    """A group apart from the one that the tests themselves use."""
    group = Group()
    yield group
    group.end()


@pytest.mark.parametrize("left", ["alive", "dead", "paused"])
def test_one_server_for_a_folder_mended(
    own: Group, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    monkeypatch.delenv(Redis.variable, raising=False)
    with skipping():
        first = own.lend(Redis, ONE)
    url = first.url
    first.client.set("kept", "1")
    {"alive": first.answers, "dead": first.kill, "paused": first.pause}[left]()
    again = own.lend(Redis, ONE)
    assert (again, again.url) == (first, url)
    assert again.client.get("kept") == "1"


def test_another_folder_begins_anew(own: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(Redis.variable, raising=False)
    with skipping():
        first = own.lend(Redis, ONE)
    folder = first.folder
    other = own.lend(Redis, OTHER)
    assert other is not first
    assert (first.alive, folder.exists(), other.answers()) == (False, False, True)


def test_a_server_that_runs_already(
    own: Group, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Redis.variable, redis.url)
    lent = own.lend(Redis, ONE)
    assert lent.url == redis.url
    own.end()
    assert redis.answers()
