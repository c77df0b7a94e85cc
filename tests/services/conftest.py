"""Servers for tests: shared by the modules of a folder, or a test's own.

Servers take memory and time to start, so those of one folder of tests run at a time. A test that
asks for `kafka` gets the broker of its folder, alive, whatever the test before did to it.
"""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.servers.group import Group, S, start_or_remove
from tests.servers.installed import Missing
from tests.servers.kafka import Kafka
from tests.servers.mariadb import MariaDB
from tests.servers.opensearch import OpenSearch
from tests.servers.postgresql import PostgreSQL
from tests.servers.receiver import Receiver
from tests.servers.redis import Redis
from tests.servers.server import Server
from tests.servers.spark import Spark

Fresh = Callable[[S], S]


@contextmanager
def skipping() -> Iterator[None]:
    """Skip the test if a server can't be had; in CI that counts as a failure."""
    try:
        yield
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def group() -> Iterator[Group]:
    group = Group()
    yield group
    group.end()


@pytest.fixture(scope="module")
def kafka(group: Group, request: pytest.FixtureRequest) -> Kafka:
    with skipping():
        return group.lend(Kafka, request.path.parent)


@pytest.fixture(scope="module")
def opensearch(group: Group, request: pytest.FixtureRequest) -> OpenSearch:
    with skipping():
        return group.lend(OpenSearch, request.path.parent)


@pytest.fixture(scope="module")
def redis(group: Group, request: pytest.FixtureRequest) -> Redis:
    with skipping():
        return group.lend(Redis, request.path.parent)


@pytest.fixture(scope="module")
def postgresql(group: Group, request: pytest.FixtureRequest) -> PostgreSQL:
    with skipping():
        return group.lend(PostgreSQL, request.path.parent)


@pytest.fixture(scope="module")
def mariadb(group: Group, request: pytest.FixtureRequest) -> MariaDB:
    with skipping():
        return group.lend(MariaDB, request.path.parent)


@pytest.fixture(scope="module")
def receiver(group: Group, request: pytest.FixtureRequest) -> Receiver:
    with skipping():
        return group.lend(Receiver, request.path.parent)


@pytest.fixture(scope="module")
def spark(group: Group, request: pytest.FixtureRequest) -> Spark:
    with skipping():
        return group.lend(Spark, request.path.parent)


@pytest.fixture(autouse=True)
def mended(group: Group) -> None:
    group.mend()


@pytest.fixture
def fresh() -> Iterator[Fresh[Server]]:
    """A function that starts a server for this test alone: `fresh(Kafka(heap="1g"))`."""
    with ExitStack() as stack:

        def start(server: S) -> S:
            with skipping():
                start_or_remove(server)
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
