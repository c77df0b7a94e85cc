"""The corpus with the engine dying at commit points and started again: nothing may change.

Every commit point of every case is in the slow suite; here is one of every third case.
"""

from __future__ import annotations

import pytest
from tests.conformance.test_corpus import CASES, agree, by_oracle, name_of, names

from tailrace.engines.embedded.testing import EmbeddedEngine
from tailrace.testing.case import Case
from tailrace.testing.compare import differences
from tailrace.testing.outcome import Variation

ENGINE = EmbeddedEngine()


def dies_anywhere(case: Case, points: slice, records: int | None) -> int:
    """Kill a run of the case at some of its commit points, one run each.

    How many runs there were.
    """
    undisturbed = ENGINE.run(case, Variation("counted", records=records))
    chosen = range(ENGINE.commit_points)[points]
    for point in chosen:
        killed = ENGINE.run(case, Variation(f"killed at {point}", records=records, kill=point))
        found = differences(undisturbed, killed)
        assert not found, f"killed at commit point {point}\n" + "\n".join(found)
    return len(chosen)


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES))[::3], ids=names)
def test_killed_once(number: int, case: Case) -> None:
    point = 1 + number // 3 % 7  # a case with fewer commit points than that isn't killed
    agree(case, by_oracle(case), ENGINE, Variation(f"killed at {point}", kill=point))


def test_cases_are_killed() -> None:
    """Most cases have the commit points at which the test before kills them."""
    killed = 0
    for case in CASES[::30]:
        ENGINE.run(case)
        killed += ENGINE.commit_points > 4
    assert killed > len(CASES[::30]) / 2


def test_a_record_that_was_too_long_is_so_when_it_is_read_again() -> None:
    (case,) = (case for case in CASES if name_of(case) == "dead: one row of each kind")
    for point in range(5, 8):
        agree(case, by_oracle(case), ENGINE, Variation(f"killed at {point}", kill=point))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES, ids=names)
def test_killed_at_every_commit_point(case: Case) -> None:
    assert dies_anywhere(case, slice(None), records=None) > 0
    dies_anywhere(case, slice(0, None, 7), records=3)
