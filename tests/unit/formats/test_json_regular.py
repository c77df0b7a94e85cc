"""Regular records, read by their template, against the same records parsed one by one."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.formats.given import records

from tailrace.formats import json_matching, json_regular
from tailrace.formats.columns import doubles
from tailrace.formats.faults import Faults
from tailrace.formats.frame import frame
from tailrace.formats.json_regular import RegularRecords
from tailrace.formats.json_rows import JsonRows
from tailrace.formats.json_template import template_of
from tailrace.formats.paths import Path
from tailrace.formats.records import Records
from tailrace.formats.segments import strings
from tailrace.formats.truth import VALUES

PATHS: tuple[Path, ...] = (("t",), ("v",), ("a", "b"), ("gone",))
ROWS, PARSED = JsonRows(PATHS), JsonRows(PATHS)


@pytest.fixture(autouse=True, scope="module")
def few_records() -> Iterator[None]:
    """Templates are tried on however few records, in blocks of three, again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_regular, "WORTHWHILE", 1)
        patch.setattr(json_regular, "MOST", 0.05)
        patch.setattr(json_regular, "RESTS", 0)
        patch.setattr(json_matching, "BLOCK", 3)
        yield


Told = tuple[dict[Path, list[str | None]], list[tuple[int, str, str]], int]


def told(rows: JsonRows, made: Records, *, parsed: bool = False) -> Told:
    """The texts and faults of records; ``parsed``: without templates."""
    faults = Faults(len(made))
    split = rows._parsed if parsed else rows.split
    texts = {path: strings(column) for path, column in split(frame(made), faults).items()}
    dead = faults.dead_letters()
    for column in texts.values():
        column.validate(full=True)
        assert len(column) == len(made)
    return (
        {path: column.to_pylist() for path, column in texts.items()},
        list(zip(dead.rows, dead.codes, dead.reasons, strict=True)),
        faults.blank,
    )


def matched(*lines: bytes) -> list[bool]:
    """Which lines a reader takes that learns the template of the first one, and no second."""
    made = records(*lines)
    reader = RegularRecords(PATHS)
    reader._other_rests = 1
    found = reader.read(made, np.zeros(len(made), np.bool_))
    return [False] * len(made) if found is None else found.matched.tolist()


# Which records are regular

FIRST = b'{"t": 1, "v": "a", "a": {"b": 2.5, "c": null}, "x": true}'


@pytest.mark.parametrize(
    ("line", "regular"),
    [
        (b'{"t": 2, "v": "b", "a": {"b": 3, "c": null}, "x": true}', True),
        (b'{"t": 2, "v": "", "a": {"b": 3.125, "c": null}, "x": true}', True),
        (b'{"t": 2, "v": "' + b"b" * 500 + b'", "a": {"b": 3, "c": null}, "x": true}', True),
        ('{"t": 2, "v": "é", "a": {"b": 3, "c": null}, "x": true}'.encode(), True),
        (b'{"t": 2, "v": "\xe9", "a": {"b": 3, "c": null}, "x": true}', False),
        (b'{"t": 2, "v": "\\n", "a": {"b": 3, "c": null}, "x": true}', False),
        (b'{"t": 2, "v": "\x01", "a": {"b": 3, "c": null}, "x": true}', False),
        (b'{"t":2, "v": "b", "a": {"b": 3, "c": null}, "x": true}', False),
        (b'{"t": 2, "v": "b", "a": {"b": 3, "c": null}, "x": true} ', False),
        (b'{"t": 2, "v": "b", "a": {"b": 3, "c": null}, "x": false}', False),
        (b'{"t": 2, "w": "b", "a": {"b": 3, "c": null}, "x": true}', False),
        (b'{"t": "2", "v": "b", "a": {"b": 3, "c": null}, "x": true}', False),
        (b'{"t": 2, "v": "b", "a": {"b": , "c": null}, "x": true}', False),
        (b'{"t": 2, "v": "b", "a": {"b": 3, "c": null}, "x": true', False),
        (b"", False),
    ],
)
def test_regular(line: bytes, regular: bool) -> None:
    assert matched(*[FIRST] * 4, line) == [True] * 4 + [regular]


@pytest.mark.parametrize(
    ("number", "regular"),
    [
        ("0", True),
        ("7", True),
        ("123456789012345678", True),
        ("1234567890123456789", False),
        ("00", False),
        ("-7", False),
        ("1e5", False),
        ("0.0", True),
        ("7.50", True),
        ("00.5", False),
        ("7.", False),
        ("7.5.1", False),
        (".5", False),
        ("0.001", True),
        ("0.0001", False),
        ("0.0000", True),
        ("12345678901234.5", True),
        ("1659509511.865323", True),
        ("5659509511.865323", False),
        ("1659509511.8653231", False),
        ("7x", False),
        ("NaN", False),
    ],
)
def test_regular_number(number: str, regular: bool) -> None:
    line = f'{{"t": 1, "v": {number}}}'.encode()
    lines = [b'{"t": 1, "v": 1}'] * 4 + [line]
    assert matched(*lines) == [True] * 4 + [regular]
    assert told(ROWS, records(*lines)) == told(PARSED, records(*lines), parsed=True)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[1]",
        b'"t"',
        b'{"t": 1',
        b'{"t": [1]}',
        b'{"t": 1, "t": 2}',
        b'{"t": 1, "x": {"y": 1, "y": 2}}',
        b'{"t": "\\u0041"}',
        b'{"t": NaN}',
        b'{"t": 1,}',
        b'{"a": {"b": {"c": 1}}}',
        b'\xef\xbb\xbf{"t": 1}',
        b'{"t": "\xff"}',
        b"{" * 9 + b"}" * 9,
        json.dumps({f"k{n}": n for n in range(65)}).encode(),
    ],
)
def test_no_template(line: bytes) -> None:
    assert template_of(line + b"\n", PATHS) is None


def test_no_values() -> None:
    assert matched(*[b"{}"] * 4, b"{ }") == [True] * 4 + [False]


def test_records_that_are_out_stay_out() -> None:
    made = records(*[FIRST] * 3)
    found = RegularRecords(PATHS).read(made, np.array([False, True, False]))
    assert found is not None
    assert found.matched.tolist() == [True, False, True]
    assert strings(found.texts["v",]).to_pylist()[::2] == ["a", "a"]


def test_mixed_records_are_left_alone() -> None:
    other = b'{"v": "a", "t": 5}'
    made = records(*[FIRST, other] * 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_regular, "MOST", 0.875)
        assert RegularRecords(PATHS).read(made, np.zeros(8, np.bool_)) is None


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        (b'{"t": 7, "x": null, "v": "bc", "a": {"b": 25}}', True),
        (b'{"t": 71.5, "v": "bc", "a": {"b": 25}}', True),
        (b'{"v": "bc", "t": 123456, "a": {"b": 25}}', True),
        (b'{"t": 7, "v": "bc"}', False),  # other paths are there
        (b'{"t": 7, "v": "bc", "a": {"b": true}}', False),
        (b'{"t": 7, "v": "b\\n", "a": {"b": 25}}', False),
    ],
)
@pytest.mark.parametrize("first", [b"1", b"1234567890.5"])
def test_records_of_a_second_kind(first: bytes, other: bytes, fits: bool) -> None:
    usual = b'{"t": %b, "v": "a", "a": {"b": 2}}' % first
    made = records(usual, usual, other, usual, other, other, usual)
    paths = [("t",), ("v",), ("a", "b")]
    numbers = {("t",), ("a", "b")}
    found = RegularRecords(paths, numbers).read(made, np.zeros(len(made), np.bool_))
    assert found is not None
    assert found.matched.tolist() == [True, True, fits, True, fits, fits, True]
    rows = np.flatnonzero(found.matched)
    parsed = told(JsonRows(paths), made, parsed=True)[0]
    for path in paths:
        texts = found.texts[path]
        assert [strings(texts).to_pylist()[row] for row in rows] == [
            parsed[path][row] for row in rows
        ]
        if path in numbers:
            read = doubles(texts).column.to_pylist()
            assert [read[row] for row in rows] == [float(parsed[path][row] or "") for row in rows]


def test_a_longer_number_than_the_second_kind_has_words_for() -> None:
    usual, other = b'{"t": 1234567890.5, "v": 1}', b'{"v": 1, "t": %b}'
    rest = [other % b"1", other % b"12345678", other % b"123456789", other % b"123456789012.5"]
    made = records(*[usual] * 4, *rest)
    found = RegularRecords([("t",)], {("t",)}).read(made, np.zeros(8, np.bool_))
    assert found is not None
    assert found.matched.tolist() == [True] * 4 + [True, True, False, False]


# Against parsing

numbers = st.one_of(
    st.integers(0, 10**19).map(str),
    st.decimals(0, 10**10, places=6).map(str),
    st.decimals(0, 10, places=3).map(str),
    st.decimals(0, 1, places=9).map("{:f}".format),
    st.floats(0, 1e17, allow_nan=False).map(repr),
    st.from_regex(r"[0-9.]{1,18}", fullmatch=True),
)
quoted = st.text(st.characters(codec="utf-8"), max_size=12).map(json.dumps) | st.text(
    st.characters(codec="utf-8", exclude_characters='"\\'), max_size=90
).map(lambda text: f'"{text}"')
written = st.sampled_from([entry.written for entries in VALUES.values() for entry in entries])
shapes = [
    '{{"t": {}, "v": {}}}',
    '{{"t":{},"a":{{"b":{},"c":true}},"v":null}}',
    ' {{"x": {}, "a": {{}}, "v": {} , "t": false}}\t',
    '{{"gone": {{"b": 1}}, "v": {}, "v": {}}}',
]
wholes = st.builds(
    lambda shape, *values: shape.format(*values).encode(),
    st.sampled_from(shapes),
    numbers | quoted | written,
    numbers | quoted | written,
)
put = st.binary(max_size=2) | st.sampled_from([b",", b'"', b"}", b"\\", b"0", b"\xc3", b"\x02"])
garbled = st.builds(
    lambda line, place, cut, put: line[: place % len(line)] + put + line[place % len(line) + cut :],
    wholes,
    st.integers(0, 60),
    st.integers(0, 3),
    put,
)
lines = (wholes | garbled).map(lambda line: line.replace(b"\n", b" "))


@settings(deadline=None, max_examples=300)
@given(many=st.lists(lines, min_size=1, max_size=12), end=st.sampled_from([b"\n", b"\r\n", b""]))
@example(many=[b'{"t": 1, "v": "a\x01"}', b"", b'{"t": 1, "v": ""}'], end=b"\n")
def test_like_parsed(many: list[bytes], end: bytes) -> None:
    made = records(*many, end=end)
    assert told(ROWS, made) == told(PARSED, made, parsed=True)


@settings(deadline=None, max_examples=300)
@given(values=st.lists(numbers, min_size=4, max_size=12))
def test_numbers_like_parsed(values: list[str]) -> None:
    made = records(b'{"t": 1, "v": 1}', *(f'{{"t": 1, "v": {v}}}'.encode() for v in values))
    assert told(ROWS, made) == told(PARSED, made, parsed=True)
