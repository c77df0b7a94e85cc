"""The conformance corpus: every case on every engine, through one comparator.

The oracle must give what a case expects. An engine must give that and, beyond what the case
mentions, the oracle's complete outcome, however it is fed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.variations import FEEDS, SEEDS, shuffled, spread
from tests.oracle.oracle import Oracle

from tailrace.testing.case import Also, Case, End, Reload
from tailrace.testing.compare import check, differences, unconfirmed
from tailrace.testing.format import load
from tailrace.testing.outcome import Engine, Outcome, Variation
from tailrace.testing.runner import numbers_of

FILES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
CASES = [case for file in FILES for case in load(file)]
TRANSFORMATIONS: dict[Also, Callable[[Case, int], Case]] = {
    Also.SHUFFLED: shuffled,
    Also.SPREAD: spread,
}
TRANSFORMED = [
    (case, also, seed) for case in CASES for also in sorted(case.also) for seed in SEEDS[also]
]
ORACLE = Oracle()
KNOWN: dict[str, Outcome] = {}


def name_of(case: Case) -> str:
    return f"{Path(case.where.file).stem}: {case.name}"


def names(value: object) -> str:
    return name_of(value) if isinstance(value, Case) else str(getattr(value, "name", value))


@pytest.fixture(scope="module")
def embedded() -> Engine:
    module = pytest.importorskip(
        "tailrace.engines.embedded.testing", reason="the embedded engine has no adapter yet"
    )
    engine: Engine = module.embedded_engine()
    return engine


def by_oracle(case: Case) -> Outcome:
    """The oracle's outcome, computed once for each case as it stands in its file."""
    name = name_of(case)
    if name not in KNOWN:
        KNOWN[name] = ORACLE.run(case)
    return KNOWN[name]


def expect(case: Case, outcome: Outcome) -> None:
    failures = check(case, outcome, numbers_of(case))
    assert not failures, "\n" + "\n".join(failure.render() for failure in failures)


def account(case: Case, outcome: Outcome) -> None:
    """Semantics 6, and that early notices are confirmed when the input has ended."""
    counts = outcome.counts
    assert counts.read == counts.events + counts.dead + counts.blank
    assert len(outcome.dead) == counts.dead
    if not any(isinstance(step, Reload) for step in case.steps):
        for rule, each in outcome.rules.items():
            judged = each.filtered + each.late + each.evicted + each.accepted
            assert judged == counts.events, rule
    if any(isinstance(step, End) for step in case.steps):
        assert unconfirmed(outcome) == ()


@pytest.mark.parametrize("case", CASES, ids=names)
def test_oracle_gives_what_is_expected(case: Case) -> None:
    outcome = by_oracle(case)
    expect(case, outcome)
    account(case, outcome)


@pytest.mark.parametrize(("case", "also", "seed"), TRANSFORMED, ids=names)
def test_oracle_gives_the_same_transformed(case: Case, also: Also, seed: int) -> None:
    changed = TRANSFORMATIONS[also](case, seed)
    expect(case, ORACLE.run(changed))


@pytest.mark.parametrize("feed", FEEDS, ids=names)
@pytest.mark.parametrize("case", CASES, ids=names)
def test_embedded_agrees(case: Case, feed: Variation, embedded: Engine) -> None:
    outcome = embedded.run(case, feed)
    expect(case, outcome)
    account(case, outcome)
    found = differences(by_oracle(case), outcome)
    assert not found, "\noracle -, embedded +\n" + "\n".join(found)


@pytest.mark.parametrize(("case", "also", "seed"), TRANSFORMED, ids=names)
def test_embedded_agrees_transformed(case: Case, also: Also, seed: int, embedded: Engine) -> None:
    changed = TRANSFORMATIONS[also](case, seed)
    outcome = embedded.run(changed, FEEDS[seed % len(FEEDS)])
    expect(case, outcome)
    found = differences(ORACLE.run(changed), outcome)
    assert not found, "\noracle -, embedded +\n" + "\n".join(found)
