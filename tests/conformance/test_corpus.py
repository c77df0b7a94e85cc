"""The conformance corpus: every case on every engine, through one comparator.

The oracle must give what a case expects. An engine must give that and, beyond what the case
mentions, the oracle's complete outcome, however it is fed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.accounts import account
from tests.conformance.variations import PIECES, SEEDS, shuffled, spread
from tests.oracle.oracle import Oracle

from tailrace.testing.case import Also, Case
from tailrace.testing.compare import check, differences
from tailrace.testing.format import load
from tailrace.testing.outcome import WHOLE, Engine, Outcome, Variation
from tailrace.testing.runner import numbers_of

FILES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
CASES = [case for file in FILES for case in load(file)]
TRANSFORMATIONS: dict[Also, Callable[[Case, int], Case]] = {
    Also.SHUFFLED: shuffled,
    Also.SPREAD: spread,
}
TRANSFORMED = [(case, also) for case in CASES for also in sorted(case.also)]
ORACLE = Oracle()
KNOWN: dict[str, Outcome] = {}

GAPS: dict[str, str] = {}
"""What the embedded engine is known not to do, by the case that shows it."""


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


@pytest.mark.parametrize("case", CASES, ids=names)
def test_oracle_gives_what_is_expected(case: Case) -> None:
    outcome = by_oracle(case)
    expect(case, outcome)
    account(case, outcome)


@pytest.mark.parametrize(("case", "also"), TRANSFORMED, ids=names)
def test_oracle_gives_the_same_transformed(case: Case, also: Also) -> None:
    for seed in SEEDS:
        expect(case, ORACLE.run(TRANSFORMATIONS[also](case, seed)))


def agree(case: Case, known: Outcome, engine: Engine, feed: Variation) -> None:
    outcome = engine.run(case, feed)
    expect(case, outcome)
    account(case, outcome)
    found = differences(known, outcome)
    assert not found, f"fed {feed.name}\noracle -, embedded +\n" + "\n".join(found)


def known_gap(request: pytest.FixtureRequest, case: Case) -> None:
    reason = GAPS.get(name_of(case))
    if reason:
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))


@pytest.mark.parametrize("case", CASES, ids=names)
def test_embedded_agrees(case: Case, embedded: Engine, request: pytest.FixtureRequest) -> None:
    known_gap(request, case)
    agree(case, by_oracle(case), embedded, WHOLE)


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=names)
def test_embedded_agrees_in_pieces(
    number: int, case: Case, embedded: Engine, request: pytest.FixtureRequest
) -> None:
    known_gap(request, case)
    agree(case, by_oracle(case), embedded, PIECES[number % len(PIECES)])


@pytest.mark.parametrize(("case", "also"), TRANSFORMED, ids=names)
def test_embedded_agrees_transformed(case: Case, also: Also, embedded: Engine) -> None:
    changed = TRANSFORMATIONS[also](case, SEEDS[0])
    agree(changed, ORACLE.run(changed), embedded, WHOLE)


@pytest.mark.soak
@pytest.mark.parametrize("feed", PIECES, ids=names)
@pytest.mark.parametrize("case", CASES, ids=names)
def test_embedded_agrees_in_all_pieces(
    case: Case, feed: Variation, embedded: Engine, request: pytest.FixtureRequest
) -> None:
    known_gap(request, case)
    agree(case, by_oracle(case), embedded, feed)
    for also in sorted(case.also):
        for seed in SEEDS:
            changed = TRANSFORMATIONS[also](case, seed)
            agree(changed, ORACLE.run(changed), embedded, feed)
