"""The fast way gives what the careful way gives, for each text and whatever stands beside it."""

import math
from collections.abc import Callable
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.formats import columns, values
from tailrace.formats.columns import Typed

Convert = Callable[[pa.StringArray], Typed]
Careful = Callable[[str], float]

digits = st.text("0123456789", max_size=22)
decimals = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "", " ", "\t"]),
        st.sampled_from(["", "", "", "-", "+", "--"]),
        digits,
        st.sampled_from(["", "", ".", "..", ","]),
        digits,
        st.sampled_from(["", "", "", "e5", "E-3", "e", "e400", "e-9999"]),
        st.sampled_from(["", "", "", " "]),
    ),
)
numbers = (
    st.integers(-(2**65), 2**65).map(str)
    | st.integers(0, 999).map(str)
    | st.floats(allow_nan=False).map(repr)
    | st.floats(0, 1).map(lambda number: f"{number:.3f}")
)
words = st.sampled_from(
    ["true", "False", "TRUE", "0", "1", "10", "", "-", ".", "-.5", "5.", "0x10"]
)
texts = numbers | decimals | words | st.text(max_size=5)
PLAIN = ("200", "0.28", "true")

TYPES = pytest.mark.parametrize(
    ("convert", "careful", "plain"),
    [
        (columns.integers, values.integer, "200"),
        (columns.doubles, values.double, "0.28"),
        (columns.booleans, values.boolean, "true"),
    ],
    ids=["integer", "double", "boolean"],
)


def one_by_one(careful: Careful, column: list[str | None]) -> tuple[list[str], dict[int, str]]:
    found, bad = [], {}
    for row, text in enumerate(column):
        try:
            found.append(repr(None if text is None else careful(text)))
        except values.BadValueError as error:
            found.append("None")
            bad[row] = str(error)
    return found, bad


@TYPES
@settings(deadline=None)
@given(column=st.lists(texts | st.none(), max_size=30), cut=st.integers(0, 3))
def test_fast_is_careful(
    convert: Convert, careful: Careful, plain: str, column: list[str | None], cut: int
) -> None:
    typed = convert(pa.array([*[plain] * cut, *column], pa.string()).slice(cut))
    found = [repr(value) for value in typed.column.to_pylist()]
    assert (found, typed.bad) == one_by_one(careful, column)


@TYPES
@settings(deadline=None)
@given(odd=texts, place=st.integers(0, 20))
def test_one_odd_text_among_plain_ones(
    convert: Convert, careful: Careful, plain: str, odd: str, place: int
) -> None:
    column: list[str | None] = [plain] * 20
    column.insert(place, odd)
    typed = convert(pa.array(column, pa.string()))
    found = [repr(value) for value in typed.column.to_pylist()]
    assert (found, typed.bad) == one_by_one(careful, column)


@settings(deadline=None)
@given(text=decimals | numbers)
def test_integers_against_fractions(text: str) -> None:
    try:
        exact = Fraction(text.strip(" \t")) if text.isascii() and "/" not in text else None
    except (ValueError, OverflowError):
        exact = None
    whole = exact is not None and exact.denominator == 1 and -(2**63) <= exact < 2**63
    try:
        assert values.integer(text) == exact
        assert whole
    except values.BadValueError:
        assert not whole


@settings(deadline=None)
@given(text=decimals | numbers)
def test_doubles_against_float(text: str) -> None:
    try:
        wanted = float(text.strip(" \t"))
    except ValueError:
        wanted = math.nan
    try:
        assert repr(values.double(text)) == repr(wanted + 0.0)
        assert abs(wanted) <= 1e18
    except values.BadValueError:
        assert not abs(wanted) <= 1e18


@pytest.mark.parametrize(
    ("text", "shift", "floor", "exact"),
    [
        ("0", 6, 0, True),
        ("1.5", 0, 1, False),
        ("-1.5", 0, -2, False),
        ("-1.5", 1, -15, True),
        ("1e5", 0, 100000, True),
        ("123e-2", 2, 123, True),
        ("0.001", 2, 0, False),
        ("-0.001", 2, -1, False),
        ("0e99999999999999999999", 0, 0, True),
        ("1e-99999999999999999999", 0, 0, False),
        ("0" * 5000 + "7", 0, 7, True),
        ("7." + "0" * 5000, 0, 7, True),
        ("7." + "0" * 5000 + "1", 0, 7, False),
    ],
)
def test_scaled_floor(text: str, shift: int, floor: int, exact: bool) -> None:
    assert values.scaled_floor(text, shift) == (floor, exact)


@pytest.mark.parametrize("text", ["1e" + "9" * 5000, "1" * 100_000, "1e999999999"])
def test_hostile_numbers_are_beyond_every_range(text: str) -> None:
    found = values.scaled_floor(text, 0)
    assert found is not None
    assert found[0] >= 10**40
    with pytest.raises(values.BadValueError, match="beyond 64 bits"):
        values.integer(text)
