"""The corpus through the parts of the Spark engine, dealt out over shards; no Spark needed."""

import pytest
from tests.conformance.accounts import account
from tests.conformance.sharded import Sharded
from tests.conformance.test_corpus import CASES, by_oracle, expect, names
from tests.conformance.variations import PIECES

from tailrace.engines.spark.support import lacks
from tailrace.testing.case import Case
from tailrace.testing.compare import differences
from tailrace.testing.layout import config_of
from tailrace.testing.outcome import WHOLE

FEEDS = (WHOLE, *PIECES)
FITTING = [case for case in CASES if not lacks(config_of(case))]


@pytest.mark.parametrize(("number", "case"), list(enumerate(FITTING)), ids=names)
def test_agrees_dealt_out(number: int, case: Case) -> None:
    outcome = Sharded(case, FEEDS[number % len(FEEDS)]).outcome()
    expect(case, outcome)
    account(case, outcome)
    found = differences(by_oracle(case), outcome)
    assert not found, "oracle -, sharded +\n" + "\n".join(found)
