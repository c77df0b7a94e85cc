"""Numbers and times read out of words are those that the texts spell."""

import json
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.formats.given import records

from tailrace.formats import columns, digits, json_regular, time_columns
from tailrace.formats.columns import Typed
from tailrace.formats.json_regular import RegularRecords
from tailrace.formats.segments import Cut, Texts, strings
from tailrace.formats.spec import TimeForm

Convert = Callable[[Texts], Typed]

WORDS = 4

short = st.text("0123456789./:-a\x00", min_size=1, max_size=8) | st.builds(
    lambda number, places: f"{number:.{places}f}"[:8], st.floats(0, 10**7), st.integers(0, 7)
)
wide = st.text("0123456789", max_size=18) | st.text("0123456789./:", min_size=7, max_size=17)
longer = short | wide | st.integers(-(10**18), 10**18).map(str) | st.text("01.", max_size=20)
epochs = st.builds(
    lambda whole, behind: f"{whole}{behind}",
    st.integers(0, 10**12),
    st.sampled_from(["", ".5", ".000001", ".999999", ".1234567", ".", ".1x", "x"]),
)


def cut(texts: list[str]) -> Cut:
    """The texts in a buffer, other bytes between them, with words as of a template."""
    parts = [part for text in texts for part in (b"9.", text.encode())]
    ends = np.cumsum([len(part) for part in parts])
    buffer = b"".join(parts) + b"." * 8 * WORDS
    starts, stops = ends[0::2].astype(np.int32), ends[1::2].astype(np.int32)
    words = [np.frombuffer(buffer[start : start + 8 * WORDS], "<u8") for start in starts]
    return Cut(pa.py_buffer(buffer), starts, stops, np.array(words, np.uint64).reshape(-1, WORDS).T)


def told(typed: Typed) -> tuple[list[str], dict[int, str]]:
    return [repr(value) for value in typed.column.to_pylist()], typed.bad


@given(texts=st.lists(short | wide, min_size=1, max_size=30))
def test_words_are_read_or_refused(texts: list[str]) -> None:
    numbers, whole = digits.integers(cut(texts))
    decimals, pointed = digits.doubles(cut(texts))
    for row, text in enumerate(texts):
        assert whole[row] == bool(re.fullmatch(r"[0-9]{1,16}", text))
        assert not whole[row] or numbers[row] == int(text)
        assert pointed[row] == bool(re.fullmatch(r"(?=.{1,8}$)[0-9]+(\.[0-9]+)?", text))
        assert not pointed[row] or decimals[row] == float(text)


def test_without_words_nothing_is_read() -> None:
    bare = Cut(pa.py_buffer(b"12"), np.array([0], np.int32), np.array([2], np.int32))
    for _, good in (digits.integers(bare), digits.doubles(bare)):
        assert not good.any()
    assert columns.integers(bare).column.to_pylist() == [12]


@pytest.mark.parametrize("convert", [columns.integers, columns.doubles])
@given(texts=st.lists(longer, max_size=10) | st.lists(st.integers(0, 10**7).map(str), max_size=10))
def test_columns_are_those_of_an_array(convert: Convert, texts: list[str]) -> None:
    assert told(convert(cut(texts))) == told(convert(pa.array(texts, pa.string())))


@pytest.mark.parametrize("form", [TimeForm.AUTO, TimeForm.EPOCH, TimeForm.EPOCH_MS])
@settings(max_examples=50)
@given(
    first=epochs,
    others=st.lists(epochs | st.text("0123456789.x", max_size=12), max_size=3),
    steps=st.integers(0, 5),
)
def test_times_are_those_of_an_array(
    form: TimeForm, first: str, others: list[str], steps: int
) -> None:
    digit = re.search("[0-9]", first[::-1])
    last = len(first) - 1 - (digit.start() if digit else 0)
    like = [first[:last] + str(step) + first[last + 1 :] for step in range(steps)]
    texts = [first, *like, *others]
    texts = texts * (time_columns.WORTHWHILE // len(texts) + 1)
    found = time_columns.time_column(cut(texts), form, "UTC", None)
    wanted = time_columns.time_column(pa.array(texts, pa.string()), form, "UTC", None)
    assert told(found) == told(wanted)


@pytest.fixture
def few_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates are tried on however few records."""
    monkeypatch.setattr(json_regular, "WORTHWHILE", 1)
    monkeypatch.setattr(json_regular, "MOST", 0.05)
    monkeypatch.setattr(time_columns, "WORTHWHILE", 2)


NUMBERS = (("n",), ("d",), ("t",))


@pytest.mark.usefixtures("few_records")
@pytest.mark.parametrize("space", ["", " " * 7, " " * 40])
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 10**12).map(str) | short.filter(str.isprintable) | st.just(""),
            st.floats(0, 100).map(lambda number: f"{number:.3f}"),
            st.integers(0, 2 * 10**9).map(lambda whole: f"{whole}.000000"),
        ),
        min_size=1,
        max_size=10,
    ),
    quoted=st.booleans(),
)
def test_a_template_s_words_are_its_texts(
    rows: list[tuple[str, str, str]], space: str, quoted: bool
) -> None:
    lines = [
        f'{{{space}"n": {json.dumps(n)}, "d": "{d}",{space}"t": {json.dumps(t) if quoted else t}}}'
        for n, d, t in rows
    ]
    made = records(*[line.encode() for line in lines])
    found = RegularRecords(NUMBERS, NUMBERS).read(made, np.zeros(len(made), np.bool_))
    if found is None or not found.matched.all():
        return
    n, d, t = (found.texts[path] for path in NUMBERS)
    assert all(isinstance(texts, Cut) for texts in (n, d, t))

    def both(texts: Texts) -> list[Texts]:
        return [texts, strings(texts)]

    for column in (n, d, t):
        for convert in (columns.integers, columns.doubles):
            cut_, array = map(told, map(convert, both(column)))
            assert cut_ == array
        cut_, array = (
            told(time_columns.time_column(texts, TimeForm.AUTO, "UTC", None))
            for texts in both(column)
        )
        assert cut_ == array
