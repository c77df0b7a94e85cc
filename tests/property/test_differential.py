"""Random pipelines over random streams, fed in random pieces: engine and oracle must agree."""

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.conformance.accounts import account
from tests.oracle.oracle import Oracle
from tests.property.pipelines import cases, feeds

from tailrace.testing.compare import differences
from tailrace.testing.format import loads
from tailrace.testing.outcome import Engine, Variation

SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
ORACLE = Oracle()


@pytest.fixture(scope="module")
def embedded() -> Engine:
    module = pytest.importorskip("tailrace.engines.embedded.testing")
    engine: Engine = module.embedded_engine()
    return engine


def agree(text: str, engine: Engine, feed: Variation) -> None:
    note(text)
    (case,) = loads(text, "drawn.txt")
    expected, outcome = ORACLE.run(case), engine.run(case, feed)
    found = differences(expected, outcome)
    assert not found, f"{text}\noracle -, engine + ({feed})\n" + "\n".join(found)
    account(case, outcome)


def survives(text: str, engine: Engine, records: int | None, point: int) -> None:
    """Die at one of the run's commit points, start again, and end up where the oracle does."""
    note(text)
    (case,) = loads(text, "drawn.txt")
    engine.run(case, Variation("counted", records=records))
    kill = point % max(1, getattr(engine, "commit_points", 1))
    agree(text, engine, Variation("killed", records=records, kill=kill))


@settings(SLOW, max_examples=200)
@given(text=cases())
def test_the_oracle_accounts_for_every_event(text: str) -> None:
    (case,) = loads(text, "drawn.txt")
    account(case, ORACLE.run(case))


@settings(SLOW, max_examples=60)
@given(text=cases(), feed=feeds())
def test_embedded_agrees(text: str, feed: tuple[int | None, int], embedded: Engine) -> None:
    agree(text, embedded, Variation("drawn", records=feed[0], seed=feed[1]))


@pytest.mark.soak
@settings(SLOW, max_examples=1200)
@given(text=cases(), feed=feeds())
def test_embedded_agrees_for_long(
    text: str, feed: tuple[int | None, int], embedded: Engine
) -> None:
    agree(text, embedded, Variation("drawn", records=feed[0], seed=feed[1]))


@settings(SLOW, max_examples=12)
@given(text=cases(), records=st.sampled_from((None, 3)), point=st.integers(0, 999))
def test_embedded_survives_a_death(
    text: str, records: int | None, point: int, embedded: Engine
) -> None:
    survives(text, embedded, records, point)


@pytest.mark.soak
@settings(SLOW, max_examples=400)
@given(text=cases(), records=st.sampled_from((None, 1, 3)), point=st.integers(0, 999))
def test_embedded_survives_many_deaths(
    text: str, records: int | None, point: int, embedded: Engine
) -> None:
    survives(text, embedded, records, point)
