"""Who may write, and by which certificate the server is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.services.opensearch.gate import certificate, gate
from tests.services.opensearch.indices import Target

from tailrace.errors import OutputError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.opensearch import OpenSearch

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def gated(opensearch: OpenSearch, ca: Path) -> Iterator[str]:
    with gate(opensearch.url, ca) as url:
        yield url


USER = {"username": "writer", "password": "p@ss/word"}


@pytest.mark.parametrize("who", [USER, {"api_key": "c2VjcmV0"}, {}], ids=str)
def test_known_people_may_write(
    opensearch: OpenSearch, gated: str, ca: Path, who: dict[str, str]
) -> None:
    # Without options they are in the address.
    url = gated if who else gated.replace("://", "://writer:p%40ss%2Fword@")
    target = Target(opensearch, url=url, tls={"ca": str(ca)}, **who).prepared()
    output = target.opened()
    assert output.deliver(target.windows(0, ["a"], [1])).refused == ()
    output.close()
    assert len(target.found()) == 1


@pytest.mark.parametrize(
    "who", [{}, {**USER, "password": "mistake"}, {"api_key": "mistake"}], ids=str
)
def test_others_may_not(opensearch: OpenSearch, gated: str, ca: Path, who: dict[str, str]) -> None:
    target = Target(opensearch, url=gated, tls={"ca": str(ca)}, **who)
    with pytest.raises(OutputError, match="doesn't know who asks") as error:
        target.opened()
    assert not isinstance(error.value, UnreachableError)
    assert "mistake" not in error.value.render()


@pytest.mark.parametrize(
    ("tls", "trusted"), [({}, False), ({"verify": False}, True), ({"verify": True}, False)]
)
def test_certificates(
    opensearch: OpenSearch, gated: str, tls: dict[str, Any], *, trusted: bool
) -> None:
    target = Target(opensearch, url=gated, tls=tls, **USER)
    if trusted:
        target.prepared().opened()
    else:
        with pytest.raises(UnreachableError, match="TLS"):
            target.opened()
