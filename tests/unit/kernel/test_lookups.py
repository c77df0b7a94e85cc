"""Finding rows of references, against going through all of them; and what is made only once."""

import random
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from tailrace.expr.nodes import Type
from tailrace.kernel import key_codes, lookups
from tailrace.kernel.key_codes import KeyCodes
from tailrace.kernel.lookups import NOWHERE, Index
from tailrace.plan.references import Shape
from tailrace.reference.snapshot import ARROW, snapshot_of

KINDS = {Type.TEXT: "ab\0é", Type.INTEGER: [-3, 0, 7], Type.BOOLEAN: [True, False]}


def index_of(kinds: Sequence[Type], rows: Sequence[tuple[object, ...]], *, dated: bool) -> Index:
    """An index of rows that have their key, and perhaps a date at the end."""
    names = [f"k{place}" for place in range(len(kinds))]
    columns = dict(zip(names, kinds, strict=True)) | ({"date": Type.TIME} if dated else {})
    columns["value"] = Type.INTEGER
    shape = Shape("r", columns, tuple(names), "date" if dated else None, single=True)
    arrays = {
        name: pa.array([row[place] for row in rows], ARROW[kind])
        for place, (name, kind) in enumerate(columns.items())
        if name != "value"
    }
    arrays["value"] = pa.array(range(len(rows)))
    return Index(shape, snapshot_of(shape, pa.table(arrays)))


def test_keys_of_many_columns_are_told_apart() -> None:
    # The product of the sizes of the columns is 2 ** 72.
    index = index_of([Type.INTEGER] * 9, [(number,) * 9 for number in range(256)], dated=False)
    wanted = [(200, *[7] * 8), (7,) * 9, (*[7] * 8, 200), (255,) * 9]
    key = [pa.array([one[place] for one in wanted]) for place in range(9)]
    assert index.find(key, np.zeros(4, np.int64)).tolist() == [NOWHERE, 7, NOWHERE, 255]


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_rows_are_those_that_a_search_of_all_finds(seed: int, *, dated: bool) -> None:
    draw = random.Random(seed)
    kinds = [draw.choice(list(KINDS)) for _ in range(draw.randint(0, 4))]
    values = [list(KINDS[kind]) for kind in kinds]
    drawn = {
        (*(draw.choice(own) for own in values), *([draw.randint(0, 20)] if dated else []))
        for _ in range(draw.randint(1, 40))
    }
    rows = sorted(drawn)
    index = index_of(kinds, rows, dated=dated)
    wanted = [
        tuple(draw.choice([*own, None]) if draw.random() < 0.9 else None for own in values)
        for _ in range(60)
    ]
    times = [draw.randint(-1, 22) for _ in wanted]
    key = [pa.array([w[p] for w in wanted], ARROW[kind]) for p, kind in enumerate(kinds)]
    found = index.find(key, np.array(times, np.int64)).tolist()
    for row, one, time in zip(found, wanted, times, strict=True):
        match = [
            place
            for place, each in enumerate(rows)
            if each[: len(kinds)] == one and (not dated or int(str(each[-1])) <= time)
        ]
        assert row == (match[-1] if match else NOWHERE), (one, time)


def test_texts_with_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_codes, "hash", lambda text: len(text) // 2, raising=False)
    words = pa.array(["a", "b", "cc", "dd", "eee", "f" * 9])
    codes = KeyCodes([words], len(words))
    wanted = pa.array(["dd", "x", None, "b", "eee", "yy", "f" * 9, "cc", "g" * 20])
    found = codes.find([wanted], len(wanted)).tolist()
    assert found == [3, -1, -1, 1, 4, -1, 5, 2, -1]


def test_a_version_is_numbered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(KeyCodes):
        def __init__(self, columns: Sequence[pa.Array], length: int) -> None:
            made.append(length)
            super().__init__(columns, length)

    index = index_of([Type.TEXT], [("a", 1), ("a", 5), ("b", 3)], dated=True)
    monkeypatch.setattr(lookups, "KeyCodes", Counted)
    assert index.find([pa.array(["a"])], np.array([4])).tolist() == [0]

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("sorted once more")

    monkeypatch.setattr(np, "unique", refused)
    monkeypatch.setattr(np, "argsort", refused)
    for time in range(7):
        index.find([pa.array(["a"])], np.array([time]))
        assert index.dates_in(time - 1, time).tolist() == ([time] if time in {1, 3, 5} else [])
    assert made == [3]
