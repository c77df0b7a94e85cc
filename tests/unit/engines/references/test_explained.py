"""A window is explained by the version of a reference that it was judged by, not by a later one."""

from pathlib import Path

import pytest
from tests.unit.engines.references.live import Live, until

from tailrace import Pipeline
from tailrace.engines.explain import Explanation
from tailrace.store.versions import MOST_BYTES, MOST_VERSIONS, outdated_versions

LIMITS = (10, 100, 20, 10)
"""What ``a`` may have in the windows from 0, 10, 20 and 30 seconds; each has 15."""


@pytest.fixture
def live(tmp_path: Path) -> Live:
    found = Live(tmp_path)
    found.limits("host,most\na,10\n")
    return found


def judged(live: Live) -> None:
    """Each window closes before the next version comes."""
    with live.running():
        until(lambda: live.standings and live.standings[0].version)
        for place, most in enumerate(LIMITS):
            if place:
                before = live.standings[0].version
                live.limits(f"host,most\na,{most}\n")
                until(lambda: live.standings[0].version != before)  # noqa: B023 - waited for here
            start = 10 * place
            live.event(start + 1, "a", 15)
            live.event(start + 10, f"end{place}", 0)
            told = place + 1
            until(lambda: sum(row["rule"] == "unknown" for row in live.told()) == told)  # noqa: B023


@pytest.mark.parametrize("retain", ["1h", "0s"])
def test_each_window_by_its_own_version(live: Live, retain: str) -> None:
    explain = f"explain: {{retain: {retain}}}\nstore:"
    live.pipeline(follow=True, change=lambda text: text.replace("store:", explain))
    judged(live)
    pipeline = Pipeline.load(live.folder / "p.yaml")
    basis = "kept state" if retain == "1h" else "the source, read again"
    for place, most in enumerate(LIMITS[:-1]):
        told: Explanation = pipeline.explain(
            "much", "a", 10 * place + 1, store=live.folder / "s.duckdb"
        )
        assert told.basis == basis
        (part,) = told.chosen.parts
        assert dict(part.terms) == {"sum(n)": 15, "limits.most": most}
        assert told.chosen.outcome == ("fired" if most < 15 else "did not fire")
        earlier = "limits: version" in " ".join(told.notes)
        assert earlier == (most != LIMITS[-1])


def test_a_version_that_is_kept_no_longer_is_told(live: Live) -> None:
    judged(live)
    for number in range(MOST_VERSIONS + 1):
        live.limits(f"host,most\na,{1000 + number}\n")
        with live.running():
            until(lambda: live.standings and live.standings[0].version)
    pipeline = Pipeline.load(live.folder / "p.yaml")
    told = pipeline.explain("much", "a", 11, store=live.folder / "s.duckdb")
    assert "is not kept any more" in " ".join(told.notes)


OUTDATED = [
    ("in force", [("a", "2", 1), ("a", "1", 1)], {"a": "2"}, {"a"}, set()),
    ("named no longer", [("a", "2", 1), ("b", "1", 1)], {"a": "2"}, set(), {("b", "1")}),
    ("named anew", [("b", "1", 1)], {}, {"b"}, set()),
    (
        "too many",
        [("a", str(n), 1) for n in range(MOST_VERSIONS + 3, 0, -1)],
        {"a": str(MOST_VERSIONS + 3)},
        set(),
        {("a", "1"), ("a", "2")},
    ),
    (
        "too much",
        [("a", "3", MOST_BYTES), ("a", "2", MOST_BYTES), ("a", "1", 1)],
        {"a": "3"},
        set(),
        {("a", "1")},
    ),
]


@pytest.mark.parametrize(
    ("there", "keep", "news", "gone"), [case[1:] for case in OUTDATED], ids=[c[0] for c in OUTDATED]
)
def test_what_a_store_keeps(
    there: list[tuple[str, str, int]],
    keep: dict[str, str],
    news: set[str],
    gone: set[tuple[str, str]],
) -> None:
    assert outdated_versions(there, keep, news) == gone
