"""Servers for tests: shared by the modules of a folder, or a test's own.

Servers take memory and time to start, so those of one folder of tests run at a time. A test that
asks for `kafka` gets the broker of its folder, alive, whatever the test before did to it.
"""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from tests.servers.installed import Missing
from tests.servers.kafka import Kafka
from tests.servers.mariadb import MariaDB
from tests.servers.opensearch import OpenSearch
from tests.servers.postgresql import PostgreSQL
from tests.servers.redis import Redis
from tests.servers.server import Server

S = TypeVar("S", bound=Server)
Fresh = Callable[[S], S]


class Group:
    """The servers of one folder; a test in the next folder ends them."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.servers: dict[type[Server], Server] = {}

    def lend(self, kind: type[S], folder: Path) -> S:
        if folder != self.folder:
            self.end()
            self.folder = folder
        server = self.servers.get(kind)
        if not isinstance(server, kind):
            server = kind.found()
            started(server)
            self.servers[kind] = server
        self.mend()
        return server

    def mend(self) -> None:
        """Start or resume what the test before left dead or paused."""
        for server in self.servers.values():
            if server.given is None:
                if server.alive:
                    server.resume()
                else:
                    server.start()

    def end(self) -> None:
        for server in self.servers.values():
            server.remove()
        self.servers.clear()


def started(server: Server) -> None:
    try:
        server.start()
    except Missing as missing:
        server.remove()
        pytest.skip(str(missing))
    except BaseException:
        server.remove()
        raise


@pytest.fixture(scope="session")
def group() -> Iterator[Group]:
    group = Group()
    yield group
    group.end()


@pytest.fixture(scope="module")
def kafka(group: Group, request: pytest.FixtureRequest) -> Kafka:
    return group.lend(Kafka, request.path.parent)


@pytest.fixture(scope="module")
def opensearch(group: Group, request: pytest.FixtureRequest) -> OpenSearch:
    return group.lend(OpenSearch, request.path.parent)


@pytest.fixture(scope="module")
def redis(group: Group, request: pytest.FixtureRequest) -> Redis:
    return group.lend(Redis, request.path.parent)


@pytest.fixture(scope="module")
def postgresql(group: Group, request: pytest.FixtureRequest) -> PostgreSQL:
    return group.lend(PostgreSQL, request.path.parent)


@pytest.fixture(scope="module")
def mariadb(group: Group, request: pytest.FixtureRequest) -> MariaDB:
    return group.lend(MariaDB, request.path.parent)


@pytest.fixture(autouse=True)
def mended(group: Group) -> None:
    group.mend()


@pytest.fixture
def fresh() -> Iterator[Fresh[Server]]:
    """A function that starts a server for this test alone: `fresh(Kafka(heap="1g"))`."""
    with ExitStack() as stack:

        def start(server: S) -> S:
            started(server)
            stack.callback(server.remove)
            return server

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the logs of the servers of a test that failed."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        label = re.sub(r"[^\w.-]+", "-", item.nodeid)
        for server in item.funcargs.values():
            if isinstance(server, Server) and (kept := server.keep_log(label)):
                report.sections.append((f"log of {server.name}", str(kept)))
    return report
