"""Keys that references list, windows without events between those that have some, and panes."""

import numpy as np
import pyarrow as pa
import pytest

from tailrace.config import loads
from tailrace.kernel import empties
from tailrace.kernel.elsewhere import full_ends, panes_of, stretches
from tailrace.kernel.empties import Gaps, most_of
from tailrace.kernel.keys import DenseKeys
from tailrace.kernel.listing import Listing
from tailrace.kernel.lookups import Lookups
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Rule, Window
from tailrace.plan.references import Shape
from tailrace.reference.snapshot import ARROW, snapshot_of

PIPELINE = """
name: p
source: {stdin: {}}
time: {field: t}
fields: {host: text, port: integer}
references:
  limits: {file: {path: l.csv}, key: [host, port], columns: {COLUMNS}, MORE}
rules: [{alert: a, by: BY, window: 1m, when: "count(*) < limits.least"}]
"""
COLUMNS = "host: text, port: integer, least: integer, since: time"


def rule_of(by: str, more: str = "refresh: 1m") -> Rule:
    text = PIPELINE.replace("COLUMNS", COLUMNS).replace("BY", by).replace("MORE", more)
    return compile_pipeline(loads(text, "p.yaml", env={})).rules[0]


def use(known: Lookups, shape: Shape, rows: list[tuple[str, int, int, int]]) -> None:
    table = pa.table(
        {
            name: pa.array([row[place] for row in rows], ARROW[kind])
            for place, (name, kind) in enumerate(shape.columns.items())
        }
    )
    known.use(shape, snapshot_of(shape, table))


def values(keys: DenseKeys, numbers: np.ndarray) -> set[tuple[object, ...]]:
    return {keys.values(number) for number in numbers.tolist()}


def test_keys_are_numbered_once_for_each_version(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = rule_of("[port, host]", "valid_from: since")
    shape, known, keys = rule.joins[0].reference.shape, Lookups(), DenseKeys()
    numbered = []
    number = DenseKeys.number

    def counted(self: DenseKeys, codes: pa.ChunkedArray, fields: list[pa.ChunkedArray]) -> object:
        numbered.append(len(codes))
        return number(self, codes, fields)

    monkeypatch.setattr(DenseKeys, "number", counted)
    listing = Listing(rule)
    listing.use(known, keys)
    assert not len(listing.at(100))
    use(known, shape, [("a", 1, 5, 0), ("a", 1, 6, 9), ("a", 2, 5, 3), ("b", 1, 5, 7)])
    for _ in range(3):
        listing.use(known, keys)
    assert numbered == [0, 3]
    assert values(keys, listing.at(-1)) == set()
    assert values(keys, listing.at(3)) == {(1, "a"), (2, "a")}
    assert values(keys, listing.at(7)) == {(1, "a"), (2, "a"), (1, "b")}
    # Numbers of keys change where others are forgotten.
    listing.renumber(keys.keep(np.array([1, 2])))
    use(known, shape, [("b", 1, 5, 0)])
    listing.use(known, keys)
    assert values(keys, listing.at(0)) == {(1, "b")}
    present = np.zeros(len(keys), np.bool_)
    listing.mark(present)
    assert present.sum() == 1


def test_only_keys_that_find_rows_are_listed() -> None:
    rule = rule_of("host", "match: {port: '80'}")
    known, keys = Lookups(), DenseKeys()
    rows = [("a", 80, 1, 0), ("a", 81, 1, 0), ("b", 81, 1, 0), ("c", 80, 1, 0)]
    use(known, rule.joins[0].reference.shape, rows)
    listing = Listing(rule)
    listing.use(known, keys)
    assert values(keys, listing.at(0)) == {("a",), ("c",)}


def test_a_jump_of_the_clock_makes_few_windows() -> None:
    window = Window(10, 5, 5)
    far = 10**17
    gaps = Gaps.between(0, 0, far, window, np.array([far - 5, far]))
    assert len(gaps.ends) == empties.MOST + 2
    assert gaps.left_out == far // 5 - len(gaps.ends)
    assert gaps.distances(gaps.ends[[0, -3, -2, -1]]).tolist() == [1, empties.MOST, 0, 0]


def test_many_keys_have_few_windows_each() -> None:
    found = [most_of(keys) for keys in (0, 1, 10, 11, 1000, 1_000_000, 10_000_000)]
    assert found == [100_000, 100_000, 100_000, 90_909, 1000, 1, 1]


@pytest.mark.parametrize(
    ("panes", "expected"),
    [([], []), ([5], [(5, 1)]), ([3, -1, 0, 4, 4, 7], [(-1, 2), (3, 2), (7, 1)])],
)
def test_stretches_of_panes(panes: list[int], expected: list[tuple[int, int]]) -> None:
    found = stretches(np.array(panes, np.int64))
    assert found == expected
    assert panes_of(found).tolist() == sorted(set(panes))


@pytest.mark.parametrize(("size", "every", "width"), [(10, 10, 10), (10, 5, 5), (12, 8, 4)])
def test_windows_that_hold_a_pane(size: int, every: int, width: int) -> None:
    for pane in range(-7, 8):
        begin = pane * width
        expected = [
            start + size
            for start in range(-80 * every, 80 * every, every)
            if start <= begin and begin + width <= start + size
        ]
        window = Window(size, every, width)
        assert full_ends(np.array([pane]), window, -1000, 1000).tolist() == expected
        least, greatest = expected[0], expected[-1]
        inside = [end for end in expected if least < end <= greatest - 1]
        assert full_ends(np.array([pane]), window, least, greatest - 1).tolist() == inside
