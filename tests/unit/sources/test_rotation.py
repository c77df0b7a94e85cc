"""Which names are rotated forms of which, and what is older."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.sources.rotation import (
    natural,
    reading_order,
    rotated,
    rotated_age,
    rotation_bases,
    split_rotation,
)


@pytest.mark.parametrize(
    ("base", "oldest_first"),
    [
        ("access.log", ["access.log.10.gz", "access.log.3.zst", "access.log.2", "access.log.1"]),
        ("access.log", ["access.log-20231231.gz", "access.log-20240101"]),
        ("access.log", ["access.log-20240131-1706745600", "access.log-20240201-1706832000"]),
        ("access.log", ["access.log.2024-01-31-17.gz", "access.log.2024-02-01-01"]),
        ("access.log", ["access-20240101.log.gz", "access-20240102.log"]),
        ("access.log", ["access.2.log", "access.1.log"]),
        ("messages", ["messages.2", "messages.1"]),
        ("x", ["x-1706745600", "x.1"]),
    ],
)
def test_rotated_files_of_a_path(tmp_path: Path, base: str, oldest_first: list[str]) -> None:
    others = ["error.log.1", f"{base}.bak", f"{base}.1.bak", f"other-{base}.1", f"{base}x.1", base]
    names = [*oldest_first, *others]
    for name in random.Random(3).sample(names, len(names)):
        (tmp_path / name).touch()
    assert rotated(str(tmp_path / base)) == [str(tmp_path / name) for name in oldest_first]
    for name in oldest_first:
        assert base in set(rotation_bases(name))
    for name in others:
        assert rotated_age(base, name) is None


def test_a_file_counts_before_its_archive(tmp_path: Path) -> None:
    for name in ("a.log.1", "a.log.1.gz", "a.log.2.gz"):
        (tmp_path / name).touch()
    assert [Path(path).name for path in rotated(str(tmp_path / "a.log"))] == [
        "a.log.2.gz",
        "a.log.1",
    ]


@pytest.mark.parametrize(
    "order",
    [
        ["1", "2", "10"],
        ["a1b2", "a1b10", "a2b1"],
        ["a", "a1", "b"],
        ["part-02", "part-2", "part-10"],
        ["A", "a"],
        ["x.log.2", "x.log.1", "x.log", "y.log"],
        ["x.log.2.gz", "x.log.1.zst", "x.log.gz"],
        ["2024-01-09", "2024-01-10"],
        ["a²", "b"],
    ],
)
def test_reading_order(order: list[str]) -> None:
    for seed in range(5):
        assert reading_order(random.Random(seed).sample(order, len(order))) == order


@given(st.lists(st.text("a1.-20g z"), unique=True))
def test_reading_order_is_one_order(names: list[str]) -> None:
    assert reading_order(names) == reading_order(reading_order(names)[::-1])


@given(st.text(), st.text())
def test_natural_keys_differ_for_different_names(one: str, other: str) -> None:
    assert (natural(one) == natural(other)) == (one == other)


@given(st.text("ab.-_1230z", min_size=1, max_size=25))
def test_bases_are_those_whose_rotated_form_a_name_is(name: str) -> None:
    for base in rotation_bases(name):
        assert rotated_age(base, name) is not None
    base, (kind, _number, _date) = split_rotation(name)
    if kind < 2 and base:
        assert base in set(rotation_bases(name))
