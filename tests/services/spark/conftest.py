"""What tests with Spark need: Java, and processes that end with the test."""

from collections.abc import Callable, Iterator

import pytest
from tests.servers.spark import home
from tests.services.conftest import skipping
from tests.services.spark.runs import Run

Made = Callable[..., Run]


@pytest.fixture(autouse=True)
def installed() -> None:
    with skipping():
        home()


@pytest.fixture
def run() -> Iterator[Made]:
    """Makes runs, of which nothing is left when the test ends."""
    made: list[Run] = []

    def make(*args: object, **keys: object) -> Run:
        made.append(Run(*args, **keys))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.end()
