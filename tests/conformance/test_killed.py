"""The corpus with the engine dying at commit points and started again: nothing may change.

Every commit point of every case is in the slow suite; here is one of every third case.
"""

from __future__ import annotations

import pytest
from tests.conformance.test_corpus import CASES, names

from tailrace.engines.embedded.testing import EmbeddedEngine
from tailrace.testing.case import Case
from tailrace.testing.compare import differences
from tailrace.testing.outcome import Variation


def dies_anywhere(case: Case, points: slice, records: int | None) -> int:
    """Kill a run of the case at some of its commit points, one run each.

    How many runs there were.
    """
    engine = EmbeddedEngine()
    undisturbed = engine.run(case, Variation("counted", records=records))
    chosen = range(engine.commit_points)[points]
    for point in chosen:
        killed = engine.run(case, Variation(f"killed at {point}", records=records, kill=point))
        found = differences(undisturbed, killed)
        assert not found, f"killed at commit point {point}\n" + "\n".join(found)
    return len(chosen)


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES))[::3], ids=names)
def test_killed_once(number: int, case: Case) -> None:
    assert dies_anywhere(case, slice(1 + number % 11, None, 1000), records=None) <= 1


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES, ids=names)
def test_killed_at_every_commit_point(case: Case) -> None:
    assert dies_anywhere(case, slice(None), records=None) > 0
    dies_anywhere(case, slice(0, None, 7), records=3)
