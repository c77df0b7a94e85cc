"""Rules that see events in order, drawn at random: engines and oracle must agree however fed."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.conformance.accounts import account
from tests.conformance.sharded import Sharded, without_notices
from tests.oracle.oracle import Oracle
from tests.property.ordered import ordered_rules
from tests.property.pipelines import cases, feeds
from tests.property.test_differential import SLOW, agree, embedded, survives

from tailrace.kernel import reducer
from tailrace.kernel.ordered import leaky_rounds, order, stateful
from tailrace.testing.case import Case
from tailrace.testing.format import loads
from tailrace.testing.outcome import WHOLE, Engine, Outcome, Variation

__all__ = ["embedded"]

CASES = cases(ordered_rules)
ORACLE = Oracle()


class Shards:
    """The classes of the Spark engine as an engine."""

    def run(self, case: Case, variation: Variation = WHOLE) -> Outcome:
        return without_notices(Sharded(case, variation).outcome())


@settings(SLOW, max_examples=100)
@given(text=CASES)
def test_the_oracle_accounts_for_every_event(text: str) -> None:
    (case,) = loads(text, "drawn.txt")
    account(case, ORACLE.run(case))


@settings(SLOW, max_examples=60)
@given(text=CASES, feed=feeds())
def test_embedded_agrees(text: str, feed: tuple[int | None, int], embedded: Engine) -> None:
    agree(text, embedded, Variation("drawn", records=feed[0], seed=feed[1]))


@settings(SLOW, max_examples=40)
@given(text=CASES, feed=feeds())
def test_shards_agree(text: str, feed: tuple[int | None, int]) -> None:
    assume("dedup:" not in text)  # the Spark engine has none
    agree(text, Shards(), Variation("drawn", records=feed[0], seed=feed[1]))


@settings(SLOW, max_examples=30)
@given(text=CASES, feed=feeds())
def test_embedded_agrees_where_room_is_tight(
    text: str, feed: tuple[int | None, int], embedded: Engine
) -> None:
    """Keys are renumbered, rows written anew and parts cut wherever that can happen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reducer, "_FEW_KEYS", 1)
        patch.setattr(stateful, "_SPARE", 0)
        patch.setattr(order, "MOST_ROWS", 2)
        patch.setattr(leaky_rounds, "FEW", 2)
        agree(text, embedded, Variation("tight", records=feed[0], seed=feed[1]))


@settings(SLOW, max_examples=15)
@given(text=CASES, records=st.sampled_from((None, 3)), point=st.integers(0, 999))
def test_embedded_survives_a_death(
    text: str, records: int | None, point: int, embedded: Engine
) -> None:
    survives(text, embedded, records, point)


@pytest.mark.soak
@settings(SLOW, max_examples=1200)
@given(text=CASES, feed=feeds())
def test_embedded_agrees_for_long(
    text: str, feed: tuple[int | None, int], embedded: Engine
) -> None:
    agree(text, embedded, Variation("drawn", records=feed[0], seed=feed[1]))
