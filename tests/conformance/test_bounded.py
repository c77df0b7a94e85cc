"""Bounds that are too great for the corpus, made small: every engine has them at one place."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.accounts import account
from tests.conformance.sharded import Sharded
from tests.conformance.test_corpus import expect, names
from tests.conformance.variations import PIECES
from tests.oracle import windows
from tests.oracle.oracle import Oracle

from tailrace.engines.embedded.testing import embedded_engine
from tailrace.kernel import empties
from tailrace.testing.case import Case
from tailrace.testing.compare import differences
from tailrace.testing.format import load
from tailrace.testing.outcome import WHOLE, Outcome, Variation

CASES = load(Path(__file__).parent / "bounded" / "silence.txt")
FEEDS = (WHOLE, *PIECES)

ENGINES: dict[str, Callable[[Case, Variation], Outcome]] = {
    "oracle": Oracle().run,
    "embedded": lambda case, feed: embedded_engine().run(case, feed),
    "sharded": lambda case, feed: Sharded(case, feed).outcome(),
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(empties, "MOST", 3)
    monkeypatch.setattr(empties, "MOST_OF_ALL", 6)
    monkeypatch.setattr(windows, "MOST_EMPTY", 3)
    monkeypatch.setattr(windows, "MOST_OF_ALL", 6)


def test_bounds_are_those_of_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert (empties.MOST, empties.MOST_OF_ALL) == (windows.MOST_EMPTY, windows.MOST_OF_ALL)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=names)
def test_empty_windows_in_a_row(case: Case, engine: str) -> None:
    known = Oracle().run(case)
    for feed in FEEDS if engine != "oracle" else [WHOLE]:
        outcome = ENGINES[engine](case, feed)
        expect(case, outcome)
        account(case, outcome)
        found = differences(known, outcome)
        assert not found, f"fed {feed.name}\noracle -, {engine} +\n" + "\n".join(found)
