"""Gives decoders' connections back before the interpreter ends."""

from collections.abc import Iterator

import pytest
from tests.unit.formats import given


@pytest.fixture(scope="session", autouse=True)
def _decoders() -> Iterator[None]:
    yield
    given.decoder.cache_clear()
